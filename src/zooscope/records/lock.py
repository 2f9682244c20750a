"""One writer at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from zooscope.errors import StudyError

LOCK: Final = "run.lock"


@contextmanager
def held(study: Path) -> Iterator[None]:
    """Keeps other writers away from a study's folder; the system lets go of it when the process ends, however it ends.

    Raises:
        StudyError: another process holds it, or the folder can't be written.
    """
    try:
        lock = (study / LOCK).open("w")
    except OSError as error:
        msg = f"{study} can't be written ({error.strerror}); name a folder that can be written."
        raise StudyError(msg) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            msg = f"{study} is being measured by another process; wait until it ends, or stop it."
            raise StudyError(msg) from error
        yield
