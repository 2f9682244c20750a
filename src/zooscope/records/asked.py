"""Which measurements a study was asked for besides clean images and transfer, as the record keeps it."""

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from zooscope.records.database import undamaged
from zooscope.records.records import Records

ASKED: Final = "asked"  # the note, as JSON: spelling and digest of each


class Asked(NamedTuple):
    """A measurement that a study was asked for.

    Attributes:
        spelling: its name and all of its fields.
        digest: of its settings, under which its arrays are kept.
    """

    spelling: str
    digest: str

    @property
    def kind(self) -> str:
        """Of its arrays; the name that the spelling begins with."""
        return self.spelling.partition("?")[0]


def read_asked(records: Records) -> tuple[Asked, ...]:
    """The measurements that a study was asked for, in the order they came; a record of an earlier zooscope doesn't know any.

    Raises:
        StudyError: the record is damaged.
    """
    with undamaged(records.place):
        return tuple(Asked(str(spelling), str(digest)) for spelling, digest in json.loads(records.notes.get(ASKED, "[]")))


def write_asked(records: Records, asked: Sequence[Asked]) -> None:
    """Enters the measurements that a study is asked for from now on."""
    records.set_note(ASKED, json.dumps(asked))
