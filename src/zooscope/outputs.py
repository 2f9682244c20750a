"""Files written whole or not at all: nobody finds half a file, and a good one is never lost to a write that fails."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from zooscope.errors import StudyError
from zooscope.words import guard_cell

if TYPE_CHECKING:
    import pandas as pd


def write_whole(file: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Writes a file beside its final name and renames it when it is complete and on the disk.

    A file of that name stays as it was until then, and for good if anything fails or the process is killed. A symbolic link of that
    name is replaced and not followed, so that a folder received from someone can't send the output elsewhere.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     write_whole(Path(folder, "a.txt"), lambda file: file.write(b"all of it"))
        ...     Path(folder, "a.txt").read_text()
        'all of it'

    Args:
        file: the final name; its folder is made.
        write: is given the file, open for bytes; what it raises is raised on, apart from an OSError.

    Raises:
        StudyError: the file can't be written, or the name stands for a folder or a device.
    """
    if file.exists() and not file.is_file():
        msg = f"{file} can't be written (it is no regular file); give another name."
        raise StudyError(msg)
    beside = file.with_name(f".{secrets.token_hex(8)}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # As any new file: the user's umask decides who may read it. O_EXCL follows no link.
        handle = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        try:
            with os.fdopen(handle, "wb") as out:
                write(out)
                out.flush()
                os.fsync(out.fileno())
            beside.replace(file)
        except BaseException:
            with suppress(OSError):  # the first error is the one to tell
                beside.unlink()
            raise
    except OSError as error:
        msg = f"{file} can't be written ({error.strerror or error}); name a file in a folder that can be written, with space left."
        raise StudyError(msg) from error


def write_bytes(file: Path, data: bytes) -> None:
    """Writes what is in memory already, whole or not at all; see `write_whole`."""
    write_whole(file, lambda out: out.write(data))


def write_text(file: Path, text: str) -> None:
    """Writes a text as UTF-8, whole or not at all; see `write_whole`."""
    write_bytes(file, text.encode("utf-8"))


def write_table(file: Path, table: "pd.DataFrame") -> None:
    """Writes a table as CSV, whole or not at all; see `write_whole` and `format_table`."""
    write_text(file, format_table(table))


def format_table(table: "pd.DataFrame") -> str:
    r"""A table as CSV, its index in the first column; a text that a spreadsheet would run as a formula gets an apostrophe in front.

    Example:
        >>> import pandas as pd
        >>> print(format_table(pd.DataFrame({"=1+1": [-1.5]}, index=pd.Index(["@a"], name="name"))), end="")
        name,'=1+1
        '@a,-1.5
    """
    guarded = table.set_axis([_guard(name) for name in table.columns], axis=1)
    guarded.index = guarded.index.set_names([_guard(name) for name in guarded.index.names]).map(_guard)
    for place, dtype in enumerate(table.dtypes):
        if dtype.kind not in "biufc":
            guarded.isetitem(place, [_guard(value) for value in table.iloc[:, place]])
    return guarded.to_csv()


def _guard(value: object) -> object:
    return guard_cell(value) if isinstance(value, str) else value
