"""Images listed in a CSV file with the columns `path` and `label`."""

import csv
from collections.abc import Iterator, Mapping
from functools import partial
from os.path import normpath
from pathlib import Path
from typing import Any, Final, NamedTuple

from zooscope.addresses import write_address
from zooscope.errors import ImagesError, MissingFileError, UnknownNameError
from zooscope.images.class_order import MOST_CLASSES, class_order, labels_of, parse_labels, reordered, spelt
from zooscope.images.image_set import ImageSet
from zooscope.images.providers.folder import read_file

OPTIONS: Final = ()
PATH: Final = "path"
LABEL: Final = "label"
LONGEST: Final = 20  # characters of a label that an error names


class _Row(NamedTuple):
    line: int
    path: str
    label: str


def load(rest: str, options: Mapping[str, str], *, classes: tuple[str, ...] | None) -> ImageSet:  # noqa: ARG001  (every provider's form)
    """The images that a CSV file lists; paths are relative to the file, labels are class names or indices.

    Labels are indices if all are whole numbers and, where `classes` are given, not all are among these.

    Args:
        rest: the CSV file.
        options: none.
        classes: the class names in the order of the classifiers' outputs.

    Raises:
        MissingFileError: there is no such file, or images that it lists are not there.
        UnknownNameError: a label is none of the classes.
        ImagesError: it is no such CSV, lists nothing or an image twice, or a label is no index of a class.
    """
    file = Path(rest).expanduser().resolve()
    address = write_address("manifest", file)
    rows = _rows(file, address=address)
    _refuse_repeated(rows, address=address)
    _refuse_missing(rows, file.parent, address=address)
    labels = [row.label for row in rows]
    if _are_numbers(labels) and not (classes and set(labels) <= set(classes)):
        _refuse_out_of_range(rows, classes, address=address)
        numbers, class_names = reordered(parse_labels(labels, address=address), None, classes, address=address)
    else:
        _refuse_strangers(rows, classes, address=address)
        class_names = class_order(labels, classes, address=address)
        numbers = labels_of(labels, class_names)
    return ImageSet(
        address=address,
        ids=tuple(row.path for row in rows),
        labels=numbers,
        class_names=class_names,
        read=partial(read_file, file.parent),
    )


def _rows(file: Path, *, address: str) -> list[_Row]:
    if not file.is_file():
        msg = f"{address}: there is no file {file}; give a CSV with the columns {PATH} and {LABEL}."
        raise MissingFileError(msg)
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(_read(csv.reader(lines), address=address))
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{address}: {file} is no CSV in UTF-8 ({error}); give one with the columns {PATH} and {LABEL}."
        raise ImagesError(msg) from error
    if not rows:
        msg = f"{address}: {file} lists no image; write one line for each."
        raise ImagesError(msg)
    return rows


def _read(reader: Any, *, address: str) -> Iterator[_Row]:  # noqa: ANN401  (csv's own type has a name in 3.13 only)
    header = [name.strip() for name in next(reader, [])]
    lacking = [name for name in (PATH, LABEL) if name not in header]
    if lacking:
        there = f"its first line names {', '.join(header)}" if any(header) else "its first line is empty"
        msg = f"{address} has no column {lacking[0]}; {there}. Begin with a line that names {PATH} and {LABEL}."
        raise ImagesError(msg)
    path, label = header.index(PATH), header.index(LABEL)
    for cells in reader:
        if not cells:
            continue
        if len(cells) != len(header) or not cells[path] or not cells[label].strip():
            msg = f"{address}, line {reader.line_num}: expected {', '.join(header)}: got {','.join(cells)!r}."
            raise ImagesError(msg)
        yield _Row(reader.line_num, cells[path], cells[label].strip())


def _are_numbers(labels: list[str]) -> bool:
    return all(label.isdecimal() and label.isascii() for label in set(labels))


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
        msg = (
            f"{address}: {len(missing)} of the {len(rows)} files that it lists are not there, {missing[0].path} first (line "
            f"{missing[0].line}); paths are relative to {folder}."
        )
        raise MissingFileError(msg)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # the name is too long for the file system
        return False


def _refuse_out_of_range(rows: list[_Row], classes: tuple[str, ...] | None, *, address: str) -> None:
    most = MOST_CLASSES if classes is None else len(classes)
    outside = next((row for row in rows if len(row.label) > len(str(most)) or int(row.label) >= most), None)
    if outside is not None:
        advice = "name all classes (classes=FILE)" if classes is None else "count from 0"
        label = outside.label if len(outside.label) <= LONGEST else f"{outside.label[:LONGEST]}..."
        msg = f"{address}, line {outside.line}: label {label} is no index of {most} classes; {advice}."
        raise ImagesError(msg)


def _refuse_strangers(rows: list[_Row], classes: tuple[str, ...] | None, *, address: str) -> None:
    if classes is None:
        return
    known = {spelt(name) for name in classes}
    strange = next((row for row in rows if spelt(row.label) not in known), None)
    if strange is not None:
        kind = f"class in line {strange.line} of {address}:"
        raise UnknownNameError(kind, strange.label, classes, "Labels are names of the given classes, or their indices from 0.")
