"""Attacked images that are kept in a folder, found again by what decides their bits."""

import os
import shutil
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, final

from zooscope.attacks.base import Attacked
from zooscope.errors import DamagedAttackWarning, InvalidValueError, MissingFileError, NotKeptWarning, StudyError
from zooscope.kept.coding import decode, encode
from zooscope.kept.entries import ENDING, UNFINISHED, Entry, list_entries, read_entry, read_header, write_entry
from zooscope.kept.work import Work
from zooscope.outputs import write_bytes

GIB: Final = 2**30
LIMIT: Final = 10 * GIB
RESERVE: Final = 2**28  # bytes that stay free on the disk for what is measured
STALE_SECONDS: Final = 3600.0
KEPT_BETWEEN_COUNTS: Final = 20  # other processes may keep some, too


class Held(NamedTuple):
    """What kept attacks of one source take.

    Attributes:
        files: how many.
        images: attacked images in them.
        num_bytes: on the disk.
    """

    files: int
    images: int
    num_bytes: int

    def add(self, header: Mapping[str, Any], num_bytes: int) -> "Held":
        """One file more."""
        images = header.get("images")
        return Held(self.files + 1, self.images + (images if isinstance(images, int) else 0), self.num_bytes + num_bytes)


NOTHING: Final = Held(0, 0, 0)


@final
class KeptAttacks:
    """A folder of attacked images, as many as fit under a limit; those go first that were not used for the longest time.

    Several processes may use one folder, and this can be sent to each of them. Nothing here makes a measurement fail: what can't be
    read is made again, what can't be written is not kept, and each of these is said once.
    """

    def __init__(self, folder: Path, *, limit: int = LIMIT) -> None:
        """Takes a folder, which is made when something is kept.

        Args:
            folder: where.
            limit: bytes that the files may take together; 0 keeps nothing.

        Raises:
            InvalidValueError: the limit is negative.
        """
        if limit < 0:
            msg = f"the limit of kept attacks must be at least 0 bytes: got {limit}."
            raise InvalidValueError(msg)
        self.folder, self.limit = folder, limit
        self._said = set[type[Warning]]()
        self._room, self._uncounted = 0, KEPT_BETWEEN_COUNTS
        self._units: dict[str, set[Path]] | None = None

    @property
    def is_keeping(self) -> bool:
        """Whether what is made now is kept: there is a limit above 0, and nothing went wrong so far."""
        return self.limit > 0 and NotKeptWarning not in self._said

    def take(self, work: Work, make: Callable[[], Attacked]) -> Attacked:
        """Attacked images: those that are kept, or made and kept. They are the same in every bit.

        Args:
            work: what is to be attacked.
            make: attacks.
        """
        if self.limit == 0:
            return make()
        kept = self.find(work)
        if kept is None:
            kept = make()
            self.keep(work, kept)
        return kept

    def find(self, work: Work) -> Attacked | None:
        """Attacked images that are kept, on the source's device; None where there are none, or damaged ones.

        Warns:
            DamagedAttackWarning: they are damaged.
        """
        file = self._find_file(work.key)
        try:
            attacked = decode(read_entry(file), work)
        except MissingFileError:
            return None
        except StudyError as error:
            self._drop(file, error)
            return None
        _note_use(file)
        return attacked

    def has(self, unit: str) -> bool:
        """Whether attacked images of a unit are kept; whether they are those of a work is known when it has its pixels.

        Args:
            unit: see `Work.unit`; of other folders and processes, those that were there when this was asked first.
        """
        return self.limit > 0 and any(file.exists() for file in self._index().get(unit, ()))

    def find_entries(self, unit: str) -> tuple[Entry, ...]:
        """The entries of a unit, of which one at most is the one that a work asks for.

        Warns:
            DamagedAttackWarning: some are damaged; they are left out.
        """
        found = []
        for file in sorted(self._index().get(unit, ())):
            try:
                found.append(read_entry(file))
            except MissingFileError:  # let go since
                continue
            except StudyError as error:
                self._drop(file, error)
                continue
            _note_use(file)
        return tuple(found)

    def keep(self, work: Work, attacked: Attacked) -> None:
        """Keeps attacked images, and lets others go if they take too much together.

        Warns:
            NotKeptWarning: they can't be kept, because the disk is full, for example. Nothing more is tried then.
        """
        if not self.is_keeping:
            return
        try:
            entry = encode(work, attacked)
        except StudyError as error:
            self._say_not_kept(error)
            return
        self.keep_entry(entry)

    def keep_entry(self, entry: Entry) -> None:
        """Keeps an entry, as `keep` does.

        Args:
            entry: made by `zooscope.kept.coding.encode`, perhaps in another process.

        Warns:
            NotKeptWarning: it can't be kept.
        """
        if not self.is_keeping:
            return
        file = self._find_file(entry.header["key"])
        try:
            self._require_room(len(entry.body))
            write_entry(file, entry)
        except (OSError, StudyError) as error:
            self._say_not_kept(error)
            return
        if self._units is not None:
            self._units.setdefault(entry.header["unit"], set()).add(file)
        self._room, self._uncounted = self._room - len(entry.body), self._uncounted + 1
        if self._room < 0 or self._uncounted >= KEPT_BETWEEN_COUNTS:
            self._room, self._uncounted = self.limit - self._let_go(file), 0

    def adopt(self, folder: Path) -> None:
        """Keeps what another folder keeps, too; on one disk both share the files.

        Those come first that were used last, as many as there is room for; nothing that is kept here goes for them.

        Warns:
            NotKeptWarning: they can't be kept.
        """
        self._units = None
        room = self.limit - sum(size for _, size, _ in _list_states(self.folder))
        for _, size, file in sorted(_list_states(folder), reverse=True):
            mine = self.folder / file.name
            if size > room or mine.exists() or NotKeptWarning in self._said:
                continue
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                _link(file, mine, require_room=self._require_room)
                room -= size
            except (OSError, StudyError) as error:
                self._say_not_kept(error)

    def describe(self) -> dict[str, Held]:
        """What is kept, by source; damaged files under an empty name."""
        found: dict[str, Held] = {}
        for file in list_entries(self.folder):
            header = read_header(file) or {}
            source = str(header.get("source", ""))
            with suppress(FileNotFoundError):
                found[source] = found.get(source, NOTHING).add(header, file.stat().st_size)
        return dict(sorted(found.items()))

    def forget(self, source: str | None = None) -> Held:
        """Removes what is kept of a source, or everything if none is named; gives what that was.

        Raises:
            StudyError: it can't be removed.
        """
        gone = NOTHING
        try:
            for file in list_entries(self.folder):
                header = read_header(file) or {}
                if source is None or header.get("source") == source:
                    size = file.stat().st_size
                    file.unlink(missing_ok=True)
                    gone = gone.add(header, size)
            if source is None:
                for file in self.folder.glob(f".*{UNFINISHED}"):
                    file.unlink(missing_ok=True)
                if self.folder.is_dir() and not any(self.folder.iterdir()):
                    self.folder.rmdir()
        except OSError as error:
            msg = f"kept attacks in {self.folder} can't be removed ({error.strerror})."
            raise StudyError(msg) from error
        return gone

    def _find_file(self, key: str) -> Path:
        return self.folder / f"{key}{ENDING}"

    def _index(self) -> dict[str, set[Path]]:
        """The files by the unit that their headers name."""
        if self._units is None:
            self._units = {}
            for file in list_entries(self.folder):
                unit = str((read_header(file) or {}).get("unit", ""))
                self._units.setdefault(unit, set()).add(file)
        return self._units

    def _drop(self, file: Path, error: StudyError) -> None:
        """Removes a damaged file, and says so once."""
        text = f"{str(error).rstrip('.')}: its images are attacked again. Others that are damaged are so, too, without a word."
        self._say(DamagedAttackWarning, text)
        with suppress(OSError):
            file.unlink()

    def _require_room(self, size: int) -> None:
        """Refuses what doesn't fit: the measurements themselves need the rest of the disk."""
        if size > self.limit:
            msg = f"those of one shard take {size:,} bytes, more than the limit of {self.limit:,}"
            raise StudyError(msg)
        self.folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.folder).free < size + RESERVE:
            msg = f"the disk of {self.folder} is almost full"
            raise StudyError(msg)

    def _let_go(self, newest: Path) -> int:
        """Removes files that were not used for the longest time until the rest is below the limit; gives what it takes."""
        for file in self.folder.glob(f".*{UNFINISHED}"):  # of a process that was killed
            with suppress(OSError):
                if time.time() - file.stat().st_mtime > STALE_SECONDS:
                    file.unlink()
        found = _list_states(self.folder)
        total = sum(size for _, size, _ in found)
        for _, size, file in sorted(found, key=lambda one: (one[2] == newest, one)):
            if total <= self.limit or file == newest:
                break
            with suppress(OSError):
                file.unlink()
                total -= size
        return total

    def _say_not_kept(self, error: OSError | StudyError) -> None:
        reason = str(error).partition(";")[0]
        self._say(NotKeptWarning, f"attacked images are not kept ({reason}); what is measured stays the same.")

    def _say(self, kind: type[Warning], text: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            warnings.warn(text, kind, stacklevel=4)


def _note_use(file: Path) -> None:
    with suppress(OSError):
        os.utime(file)


def _list_states(folder: Path) -> list[tuple[int, int, Path]]:
    """When each file was used last, and its bytes."""
    found = []
    for file in list_entries(folder):
        with suppress(OSError):  # another process let it go
            state = file.stat()
            found.append((state.st_mtime_ns, state.st_size, file))
    return found


def _link(file: Path, name: Path, *, require_room: Callable[[int], None]) -> None:
    """Gives a file a second name; copies it where the disk is another one, or can't do that."""
    try:
        name.hardlink_to(file)
    except FileExistsError:  # another process was faster
        return
    except OSError:
        require_room(file.stat().st_size)
        write_bytes(name, file.read_bytes())
