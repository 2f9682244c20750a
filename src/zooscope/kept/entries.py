"""Kept attacks as files, each written whole or not at all; nothing here needs torch.

A file is a line that says what it is, the length of the header (8 bytes), the header (JSON: the key, the source, what the body is),
the body, and SHA-256 of everything before.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from zooscope.errors import MissingFileError, StudyError
from zooscope.outputs import write_bytes

CACHE: Final = "cache"  # within the study's folder
ENDING: Final = ".attack"
UNFINISHED: Final = ".part"  # of `zooscope.outputs.write_whole`
MAGIC: Final = b"zooscope attack 1\n"
LENGTH_BYTES: Final = 8
CHECKSUM_BYTES: Final = 32


class Entry(NamedTuple):
    """What a file holds.

    Attributes:
        header: the key, the source's name, the number of images, and what else is needed to read the body.
        body: bytes.
    """

    header: Mapping[str, Any]
    body: bytes


def write_entry(file: Path, entry: Entry) -> None:
    """Writes an entry, whole or not at all.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     write_entry(Path(folder, "1.attack"), Entry({"key": "1"}, b"bytes"))
        ...     read_entry(Path(folder, "1.attack"))
        Entry(header={'key': '1'}, body=b'bytes')

    Raises:
        StudyError: it can't be written.
    """
    header = json.dumps(dict(entry.header)).encode()
    content = b"".join((MAGIC, len(header).to_bytes(LENGTH_BYTES, "little"), header, entry.body))
    write_bytes(file, content + hashlib.sha256(content).digest())


def read_entry(file: Path) -> Entry:
    """An entry, compared with its checksum.

    Raises:
        MissingFileError: there is none.
        StudyError: it is damaged, or something else.
    """
    if file.exists() and not file.is_file():  # a pipe would never end
        msg = f"{file} is no file"
        raise StudyError(msg)
    try:
        data = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        msg = f"there is no kept attack {file}"
        raise MissingFileError(msg) from error
    except OSError as error:
        msg = f"{file} can't be read ({error.strerror})"
        raise StudyError(msg) from error
    start = len(MAGIC) + LENGTH_BYTES
    if not data.startswith(MAGIC) or len(data) < start + CHECKSUM_BYTES:
        msg = f"{file} is no kept attack, or cut off"
        raise StudyError(msg)
    content, checksum = data[:-CHECKSUM_BYTES], data[-CHECKSUM_BYTES:]
    if hashlib.sha256(content).digest() != checksum:
        msg = f"{file} is damaged"
        raise StudyError(msg)
    length = int.from_bytes(content[len(MAGIC) : start], "little")
    header = _read_header(content[start : start + length])
    if header is None or header.get("key") != file.stem:
        msg = f"{file} is not what its name says"
        raise StudyError(msg)
    return Entry(header, content[start + length :])


def read_header(file: Path) -> Mapping[str, Any] | None:
    """The header alone, not compared with its checksum; None where there is none."""
    try:
        with file.open("rb") as opened:
            if opened.read(len(MAGIC)) != MAGIC:
                return None
            length = int.from_bytes(opened.read(LENGTH_BYTES), "little")
            return _read_header(opened.read(min(length, file.stat().st_size)))
    except OSError:
        return None


def _read_header(data: bytes) -> Mapping[str, Any] | None:
    try:
        header = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return header if isinstance(header, dict) else None


def list_entries(folder: Path) -> Iterator[Path]:
    """The files of kept attacks in a folder, damaged ones among them; none where there is no folder."""
    if folder.is_dir():
        yield from sorted(folder.glob(f"*{ENDING}"))


def find_damaged(folder: Path) -> dict[Path, str]:
    """The damaged files among the kept attacks in a folder, each with what is wrong with it."""
    found = {}
    for file in list_entries(folder):
        try:
            read_entry(file)
        except MissingFileError:  # another process let it go
            continue
        except StudyError as error:
            found[file] = str(error)
    return found
