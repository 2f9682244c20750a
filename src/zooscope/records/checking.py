"""A whole study compared with its checksums, and repaired as far as that goes."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from zooscope.records.damage import Damage
from zooscope.records.lock import held
from zooscope.records.records import Records


class Check(NamedTuple):
    """What was found.

    Attributes:
        found: everything that is damaged.
        left: what of it is still there afterwards.
    """

    found: list[Damage]
    left: list[Damage]


def check_study(database: Path, *, repair: bool, listen: Callable[[int, int], None] = lambda _done, _total: None) -> Check:
    """Compares everything with its checksum.

    Args:
        database: of the study.
        repair: whether to forget what is damaged and can be measured again; brings a record of an earlier schema up to date.
        listen: called now and then with how many arrays are done, of how many.

    Raises:
        MissingFileError: there is no study.
        StudyError: it can't be opened at all, or is being measured.
    """
    if not repair:
        with Records.open(database) as records:
            found = records.check(listen)
        return Check(found, found)
    with held(database.parent):
        records, lost = Records.open_damaged(database)
        with records:
            found = records.check(listen)
            return Check([*lost, *found], records.forget(found) if found else [])
