"""Kept attacks in a process that has no folder: they come with a task, and go back with its result."""

import warnings
from collections.abc import Callable, Sequence
from typing import final

from zooscope.attacks.base import Attacked
from zooscope.errors import DamagedAttackWarning, NotKeptWarning, StudyError
from zooscope.kept.coding import decode, encode
from zooscope.kept.entries import Entry
from zooscope.kept.work import Work


@final
class CarriedAttacks:
    """The entries of one task at a time: `load` those that came with it, and `unload` those that it made."""

    def __init__(self) -> None:
        """Has nothing, and keeps nothing, until something is loaded."""
        self._is_keeping = False
        self._given = dict[str, Entry]()
        self._made = list[Entry]()

    def load(self, entries: Sequence[Entry] | None) -> None:
        """Takes the entries of the next task.

        Args:
            entries: those that the task may ask for; None where nothing is kept.
        """
        self._is_keeping = entries is not None
        self._given = {entry.header["key"]: entry for entry in entries or ()}

    def unload(self) -> tuple[Entry, ...]:
        """The entries that were made since the last call; nothing is held any more."""
        made, self._made, self._given = tuple(self._made), [], {}
        return made

    def take(self, work: Work, make: Callable[[], Attacked]) -> Attacked:
        """See `Kept.take`.

        Warns:
            DamagedAttackWarning: what came can't be unpacked here.
            NotKeptWarning: the attack gives something that can't be kept.
        """
        entry = self._given.get(work.key)
        if entry is not None:
            try:
                return decode(entry, work)
            except StudyError as error:
                warnings.warn(f"{str(error).rstrip('.')}: its images are attacked again.", DamagedAttackWarning, stacklevel=3)
        attacked = make()
        if self._is_keeping:
            try:
                self._made.append(encode(work, attacked))
            except StudyError as error:
                warnings.warn(f"attacked images are not kept ({error}).", NotKeptWarning, stacklevel=3)
        return attacked

    def has(self, unit: str) -> bool:
        """See `Kept.has`."""
        return any(entry.header["unit"] == unit for entry in self._given.values())
