"""Measurements besides clean images and transfer, by name."""

from dataclasses import fields
from typing import Final

from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.measurements.base import Measurement
from zooscope.measurements.features import Features
from zooscope.measurements.gradients import Gradients
from zooscope.measurements.planes import Planes
from zooscope.records.kinds import ASKED_FOR
from zooscope.spelling import parse_spelling

MEASUREMENTS: Final[dict[str, type[Measurement]]] = dict(zip(ASKED_FOR, (Features, Gradients, Planes), strict=True))


def spell_measurement(measurement: Measurement) -> str:
    """The name and all fields of a measurement, as `parse_measurement` reads them.

    Example:
        >>> spell_measurement(Planes(num_triplets=100)), spell_measurement(Features())
        ('planes?num_triplets=100&resolution=50&side=0&seed=0', 'features')
    """
    settings = "&".join(f"{field.name}={getattr(measurement, field.name)}" for field in fields(measurement))
    return f"{measurement.kind}?{settings}" if settings else measurement.kind


def parse_measurement(text: str) -> Measurement:
    """The measurement of a name, with the values of some fields, which are whole numbers; the others have their defaults.

    Example:
        >>> parse_measurement("planes?num_triplets=100&seed=1")
        Planes(num_triplets=100, resolution=50, side=0, seed=1)

    Args:
        text: `NAME?FIELD=VALUE&FIELD=VALUE`.

    Raises:
        UnknownNameError: there is no such measurement.
        InvalidValueError: it has no such field, or the field can't have this value.
    """
    name, given = parse_spelling(text, what="measurement", example="planes?num_triplets=100")
    if name not in MEASUREMENTS:
        what = "measurement"
        raise UnknownNameError(what, name, MEASUREMENTS, f"Measurements: {', '.join(MEASUREMENTS)}.")
    kind, settings = MEASUREMENTS[name], dict[str, int]()
    known = [field.name for field in fields(kind)]
    for field, value in given.items():
        if field not in known:
            msg = f"{name} has no field {field!r}; its fields are {', '.join(known) or 'none'}."
            raise InvalidValueError(msg)
        try:
            settings[field] = int(value)
        except ValueError as error:
            msg = f"{name}.{field} must be a whole number: got {value!r}."
            raise InvalidValueError(msg) from error
    return kind(**settings)
