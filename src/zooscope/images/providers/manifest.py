"""Images listed in a CSV file with the columns `path` and `label`."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from functools import partial
from os.path import normpath
from pathlib import Path
from typing import Any, Final, NamedTuple

from zooscope.addresses import write_address
from zooscope.errors import ImagesError, MissingFileError
from zooscope.images.class_order import order_classes
from zooscope.images.image_set import ImageSet
from zooscope.images.providers.files import read_file
from zooscope.images.stored_labels import store_texts
from zooscope.stand_ins import find_stand_in

OPTIONS: Final = ()
PATH: Final = "path"
LABEL: Final = "label"
LONGEST: Final = 200  # characters of a line that an error names
DELIMITERS: Final = (",", ";", "\t")
_SEPARATOR: Final = re.compile(r"sep=([,;\t|])\r?\n?")  # a first line for spreadsheets


class _Row(NamedTuple):
    line: int
    path: str
    label: str


def load(rest: str, options: Mapping[str, str], *, classes: tuple[str, ...] | None) -> ImageSet:  # noqa: ARG001  (every provider's form)
    """The images that a CSV file lists, separated by commas, semicolons or tabs; paths are relative to the file.

    Args:
        rest: the CSV file.
        options: none.
        classes: the class names in the order of the classifiers' outputs.

    Raises:
        MissingFileError: there is no such file, or images that it lists are not there.
        ImagesError: it is no such CSV, lists nothing or an image twice, or labels don't fit the classes.
    """
    file = Path(rest).expanduser().resolve()
    address = write_address("manifest", file)
    rows = _iterate_rows(file, address=address)
    _refuse_repeated(rows, address=address)
    _refuse_missing(rows, file.parent, address=address)
    stored = store_texts((row.label for row in rows), lambda position: f"line {rows[position].line}")
    labels, class_names = order_classes(stored, classes, address=address)
    return ImageSet(
        address=address,
        ids=tuple(row.path for row in rows),
        labels=labels,
        class_names=class_names,
        read=partial(read_file, file.parent),
    )


def _iterate_rows(file: Path, *, address: str) -> list[_Row]:
    if not file.is_file():
        msg = f"{address}: there is no file {file}; give a CSV with the columns {PATH} and {LABEL}."
        raise MissingFileError(msg)
    stand_in = find_stand_in(file)
    if stand_in is not None:
        msg = f"{address}: {file} is {stand_in.what}; {stand_in.advice}."
        raise ImagesError(msg)
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(_read(lines.read(), address=address))
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{address}: {file} is no CSV in UTF-8 ({error}); give one with the columns {PATH} and {LABEL}."
        raise ImagesError(msg) from error
    if not rows:
        msg = f"{address}: {file} lists no image; write one line for each."
        raise ImagesError(msg)
    return rows


def _read(text: str, *, address: str) -> Iterator[_Row]:
    """The rows of a table; its first line decides which of the delimiters it has."""
    named = _SEPARATOR.match(text)
    for delimiter in named[1] if named else DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        if named:
            next(reader)
        header = [name.strip() for name in next(reader, [])]
        names = [name.casefold() for name in header]
        if names.count(PATH) == names.count(LABEL) == 1:
            return _read_rows(reader, header, names.index(PATH), names.index(LABEL), address=address)
    line = next(iter(text.splitlines()), "").strip()
    there = f"its first line is {line[:LONGEST]!r}" if line else "its first line is empty"
    msg = f"{address} has no columns {PATH} and {LABEL}; {there}. Begin with the line {PATH},{LABEL}, also with ; or tabs between."
    raise ImagesError(msg)


def _read_rows(reader: Any, header: list[str], path: int, label: int, *, address: str) -> Iterator[_Row]:  # noqa: ANN401  (csv's own type has a name in 3.13 only)
    for cells in reader:
        values = [cell.strip() for cell in cells]
        if not any(values):  # as spreadsheets leave below a table
            continue
        if len(values) != len(header) or not values[path] or not values[label]:
            msg = f"{address}, line {reader.line_num}: expected {', '.join(header)}: got {','.join(cells)!r}."
            raise ImagesError(msg)
        yield _Row(reader.line_num, values[path], values[label])


def _refuse_repeated(rows: list[_Row], *, address: str) -> None:
    lines: dict[str, int] = {}
    for row in rows:
        path = normpath(row.path)
        if path in lines:
            msg = f"{address}, line {row.line}: {row.path} is listed again (line {lines[path]} has it); take one out."
            raise ImagesError(msg)
        lines[path] = row.line


def _refuse_missing(rows: list[_Row], folder: Path, *, address: str) -> None:
    missing = [row for row in rows if not _is_file(folder / row.path)]
    if missing:
        path = missing[0].path
        hint = " and have / between folders, not \\" if "\\" in path else "; fetch images of the web first" if "://" in path else ""
        msg = (
            f"{address}: {len(missing)} of the {len(rows)} files that it lists are not there, {path} first (line "
            f"{missing[0].line}); paths are relative to {folder}{hint}."
        )
        raise MissingFileError(msg)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # the name is too long for the file system
        return False
