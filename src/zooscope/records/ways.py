"""How the parts of a study were measured, as the record keeps it: what decides whether numbers are the same to the last bit."""

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from zooscope.records.database import undamaged
from zooscope.records.records import Records

WAYS: Final = "ways"  # the note, as JSON: the fields of each


class Way(NamedTuple):
    """One way in which a part was measured.

    Attributes:
        zooscope: its version.
        torch: its version.
        device: the kind of processor.
        batch_size: images that went through a network at once.
    """

    zooscope: str
    torch: str
    device: str
    batch_size: int

    def __str__(self) -> str:
        """In words.

        >>> str(Way("0.1.0", "2.13.0+cpu", "cpu with AVX2", 100))
        'torch 2.13.0+cpu, cpu with AVX2, batches of 100'
        """
        return f"torch {self.torch}, {self.device}, batches of {self.batch_size}"


def read_ways(records: Records) -> tuple[Way, ...]:
    """How a part was measured, each way once; none where the record is no part's.

    Raises:
        StudyError: the record is damaged.
    """
    with undamaged(records.place):
        return tuple(
            Way(str(zooscope), str(torch), str(device), int(batch_size))
            for zooscope, torch, device, batch_size in json.loads(records.notes.get(WAYS, "[]"))
        )


def write_ways(records: Records, ways: Sequence[Way]) -> None:
    """Enters how a part was measured."""
    records.set_note(WAYS, json.dumps(ways))
