"""Where tasks are measured: one after the other in this process, or elsewhere."""

from collections.abc import Iterator, Sequence
from typing import Protocol, final, runtime_checkable

from zooscope.allocator import give_back, keeping_memory
from zooscope.classifiers.prepared import computing_in
from zooscope.engine.shelf import Shelf
from zooscope.measurements.base import Bench, Result, Task


@runtime_checkable
class Executor(Protocol):
    """Measures tasks and gives results in any order; it writes nothing."""

    def results(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Result]]:
        """Every task with its result, as soon as it is there.

        Tasks don't depend on each other. A task may be measured again: the result is the same.
        """


def measure(task: Task, bench: Bench) -> Result:
    """The arrays of a task, without side effects; deterministic also on a GPU."""
    with computing_in(bench.precision):
        return task.measurement.measure(task, bench)


@final
class Serial:
    """One task after the other in this process, in the order given; pixels are decoded ahead."""

    def __init__(self, shelf: Shelf) -> None:
        """Takes what holds classifiers and images."""
        self._shelf = shelf

    def results(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Result]]:
        """See `Executor.results`."""
        last = ""
        with self._shelf.decoding_ahead(tasks), keeping_memory():
            for task in tasks:
                if task.subject != last:
                    give_back()  # blocks of one network seldom fit another
                last = task.subject
                yield task, measure(task, self._shelf)
