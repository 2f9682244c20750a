"""What is measured of classifiers: tasks that are missing from a record, and arrays from each."""

from zooscope.measurements.base import Bench, Measurement, Result, Task, find_missing_of_each
from zooscope.measurements.clean import Clean
from zooscope.measurements.features import Features
from zooscope.measurements.gradients import Gradients
from zooscope.measurements.planes import Planes
from zooscope.measurements.transfer import Transfer

__all__ = ["Bench", "Clean", "Features", "Gradients", "Measurement", "Planes", "Result", "Task", "Transfer", "find_missing_of_each"]
