"""One writer at a time."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from zooscope.errors import StudyError

LOCK: Final = "run.lock"


@contextmanager
def held(study: Path) -> Iterator[None]:
    """Keeps other writers away from a study's folder; the operating system releases the lock when the process ends, even if killed.

    Raises:
        StudyError: another process holds it, the folder can't be written, or its file system has no locks.
    """
    descriptor = _lock(study)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(study: Path) -> int:
    """The lock's descriptor; the lock of a file that was deleted meanwhile holds nobody off, so then it is taken once more."""
    while True:
        descriptor = _open(study)
        try:
            _take(descriptor, study)
            if _is_still_at(descriptor, study / LOCK):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _open(study: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW  # neither followed nor emptied
    try:
        descriptor = os.open(study / LOCK, flags, 0o666)
    except OSError as error:
        if (study / LOCK).is_symlink():
            msg = f"{study / LOCK} is a symbolic link, which zooscope doesn't follow; delete it."
        else:
            msg = f"{study} can't be written ({error.strerror}); name a folder that can be written."
        raise StudyError(msg) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        msg = f"{study / LOCK} is not a file; delete it."
        raise StudyError(msg)
    return descriptor


def _take(descriptor: int, study: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        msg = f"{study} is being measured by another process; wait until it ends, or stop it."
        raise StudyError(msg) from error
    except OSError as error:
        msg = (
            f"{study} can't be locked ({error.strerror}); its file system may have no locks: measure into a folder on another disk."
        )
        raise StudyError(msg) from error


def _is_still_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
