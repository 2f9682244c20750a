"""Files written as a whole or not at all: no file is left half-written, and a failed write never destroys an existing file."""

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
    """Writes a temporary file in the same folder and renames it when it is complete and on the disk.

    An existing file stays unchanged until then, and for good if anything fails or the process is killed. An existing symbolic link
    is replaced, not followed, so that a folder from someone else can't redirect the output.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     write_whole(Path(folder, "a.txt"), lambda file: file.write(b"all of it"))
        ...     Path(folder, "a.txt").read_text()
        'all of it'

    Args:
        file: the final name; its folder is made.
        write: gets the file, open for bytes; its errors are passed on, except OSError.

    Raises:
        StudyError: the file can't be written, or is a folder or a device.
    """
    if file.exists() and not file.is_file():
        msg = f"{file} can't be written (it is not a regular file); give another name."
        raise StudyError(msg)
    beside = file.with_name(f".{secrets.token_hex(8)}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Permissions as for any new file, by the user's umask. O_EXCL follows no link.
        handle = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        try:
            with os.fdopen(handle, "wb") as out:
                write(out)
                out.flush()
                os.fsync(out.fileno())
            beside.replace(file)
        except BaseException:
            with suppress(OSError):  # the first error is the one to report
                beside.unlink()
            raise
    except OSError as error:
        msg = f"{file} can't be written ({error.strerror or error}); name a file in a folder that can be written, with space left."
        raise StudyError(msg) from error


def write_bytes(file: Path, data: bytes) -> None:
    """Writes bytes, as a whole or not at all; see `write_whole`."""
    write_whole(file, lambda out: out.write(data))


def write_text(file: Path, text: str) -> None:
    """Writes a text as UTF-8, as a whole or not at all; see `write_whole`."""
    write_bytes(file, text.encode("utf-8"))


def write_table(file: Path, table: "pd.DataFrame") -> None:
    """Writes a table as CSV, as a whole or not at all; see `write_whole` and `format_table`."""
    write_text(file, format_table(table))


def format_table(table: "pd.DataFrame") -> str:
    r"""A table as CSV, its index in the first column; a text that a spreadsheet would run as a formula gets a leading apostrophe.

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
