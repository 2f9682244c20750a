"""A study's database comes to be whole, or not at all."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zooscope.errors import StudyError
from zooscope.records.database import explain
from zooscope.records.lock import LOCK, held


@contextmanager
def unborn(path: Path) -> Iterator[Path]:
    """Gives a name beside `path`, to be written to and closed; what is there at the end is renamed to `path`.

    The run's lock is held all the while. Where anything fails, nothing of it stays.

    Raises:
        StudyError: `path` is there already, the folder can't be made or written, or another process is at it.
    """
    made = _make_folder(path.parent)
    try:
        with held(path.parent):
            try:
                with explain(str(path)):
                    _require_none(path)
                    _remove_leftovers(path)
                temporary = path.with_name(f"{path.stem}.{os.getpid()}.new")
                try:
                    yield temporary
                    with explain(str(path)):
                        _sync(temporary)
                        _require_none(path)
                        temporary.rename(path)
                        _sync(path.parent)
                except BaseException:
                    _remove_leftovers(path)
                    raise
            except BaseException:
                if made:
                    (path.parent / LOCK).unlink(missing_ok=True)
                raise
    except BaseException:
        if made:
            with suppress(OSError):
                path.parent.rmdir()
        raise


def _make_folder(folder: Path) -> bool:
    try:
        made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{folder} can't be made ({error.strerror}); name a folder that can be written."
        raise StudyError(msg) from error
    return made


def _require_none(path: Path) -> None:
    if path.exists():
        msg = f"{path} exists already; open it, or name another folder."
        raise StudyError(msg)


def _remove_leftovers(path: Path) -> None:
    """Files of processes that were killed: with the lock held, no other process is making a study here."""
    ours = re.compile(rf"{re.escape(path.stem)}\.(\d+\.)?new(-journal|-wal|-shm)?")
    for left_behind in path.parent.iterdir():
        if ours.fullmatch(left_behind.name):
            left_behind.unlink()
    for ending in ("-journal", "-wal", "-shm"):  # of a study that is gone: SQLite would take them for the new one's
        if not path.exists():
            path.with_name(path.name + ending).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
