"""The measurements that a study was asked for: entered when they are, and completed by every later run."""

from collections.abc import Sequence

from zooscope.measurements.base import Measurement
from zooscope.measurements.registry import MEASUREMENTS, parse_measurement, spell_measurement
from zooscope.records.asked import Asked, read_asked, write_asked
from zooscope.records.records import Records


def find_asked(records: Records) -> tuple[Measurement, ...]:
    """What a study was asked for so far.

    Raises:
        UnknownNameError: a later zooscope has a measurement that this one hasn't.
    """
    return tuple(parse_measurement(one.spelling) for one in read_asked(records))


def ask_for(records: Records, measurements: Sequence[Measurement] | None) -> tuple[Measurement, ...]:
    """Everything that is to be measured besides clean images and transfer: what is asked for now, and what was before.

    The record keeps it. Of two that go into the same arrays, as planes of another number of triplets, the later counts. A
    measurement that can't be made again from its spelling, one of your own, is measured now and not kept.

    Args:
        records: open for writing.
        measurements: that are asked for now; each is asked first whether it can measure this study. None forgets what was asked
            for; what is measured stays.

    Raises:
        StudyError: one of them can't.
    """
    if measurements is None:
        write_asked(records, ())
        return ()
    for one in measurements:
        one.require(records)
    before = read_asked(records)
    wanted = {(one.kind, one.digest): parse_measurement(one.spelling) for one in before}
    wanted |= {(one.kind, one.digest): one for one in measurements}
    kept = tuple(Asked(spell_measurement(one), one.digest) for one in wanted.values() if MEASUREMENTS.get(one.kind) is type(one))
    if kept != before:
        write_asked(records, kept)
    return tuple(wanted.values())
