"""Tables of components: the paper's, and a user's own from a CSV file."""

import csv
from collections import Counter
from pathlib import Path

import pandas as pd

from zooscope.classifiers.providers import paper
from zooscope.components.vocabulary import COMPONENTS, VALUES, is_known
from zooscope.errors import InvalidValueError, MissingFileError, UnknownNameError
from zooscope.words import unguard_cell


def read_paper_components() -> pd.DataFrame:
    """The 13 components of the paper's 69 networks, as strings; the index holds the NAME of `paper:NAME`.

    Example:
        >>> read_paper_components().loc["resnet50", "stem layer"]
        '7s2'
    """
    index = pd.Index(paper.list_names(), name="name")
    return pd.DataFrame([dict(entry.components) for entry in paper.read_entries()], index=index, columns=list(COMPONENTS))


def read_component_table(file: str | Path, *, in_vocabulary: bool = False) -> pd.DataFrame:
    """The components that a CSV file gives to classifiers, as strings; missing values are NaN.

    Args:
        file: its first line names the columns; the first column holds the classifiers' names, all others are components, which may
            differ from the paper's. An empty cell is a missing value.
        in_vocabulary: whether columns and values must be in `zooscope.components.vocabulary`.

    Returns:
        One row per classifier, in the file's order, indexed by its name; one column per component.

    Raises:
        MissingFileError: there is no such file.
        InvalidValueError: the file is not CSV text, has no rows or no components, lines of different length, a missing or repeated
            name, or (with `in_vocabulary`) an unknown value.
        UnknownNameError: (with `in_vocabulary`) an unknown component.
    """
    lines = _read_lines(Path(file))
    (_, *components), *rows = lines
    for problem, repeated in (("the component", components), ("the classifier", [row[0] for row in rows])):
        twice = [name for name, times in Counter(repeated).items() if times > 1]
        if twice:
            msg = f"{file} has {problem} {twice[0]!r} twice; leave one out."
            raise InvalidValueError(msg)
    if in_vocabulary:
        _require_vocabulary(file, components, rows)
    values = [[value or None for value in row[1:]] for row in rows]
    index = pd.Index([row[0] for row in rows], name="name")
    return pd.DataFrame(values, index=index, columns=components, dtype="str")


def _read_lines(file: Path) -> list[list[str]]:
    """The cells of all lines that are not empty, without spaces around them; all lines have the same length and a name."""
    if not file.is_file():
        msg = f"there is no file {file}; give the path of a CSV file with a classifier's name and its components in each line."
        raise MissingFileError(msg)
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:  # spreadsheets put a byte order mark in front
            lines = [[unguard_cell(cell.strip()) for cell in line] for line in csv.reader(text, strict=True)]
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{file} can't be read as CSV ({error}); save it as UTF-8 text with commas."
        raise InvalidValueError(msg) from error
    lines = [line for line in lines if any(line)]
    if not lines or len(lines[0]) == 1:
        msg = f"{file} names no components; its first line must name the columns: one for the classifiers, then one per component."
        raise InvalidValueError(msg)
    if len(lines) == 1:
        msg = f"{file} has only its first line; add one line per classifier."
        raise InvalidValueError(msg)
    if not all(lines[0][1:]):
        msg = f"{file}: a component has no name; fill in the whole first line."
        raise InvalidValueError(msg)
    for line in lines:
        if len(line) != len(lines[0]):
            msg = f"{file}: the line {','.join(line)!r} has {len(line)} cells, the first line {len(lines[0])}; write as many."
            raise InvalidValueError(msg)
        if not line[0] and line is not lines[0]:
            msg = f"{file}: the line {','.join(line)!r} doesn't name its classifier; put the name into its first cell."
            raise InvalidValueError(msg)
    return lines


def _require_vocabulary(file: str | Path, components: list[str], rows: list[list[str]]) -> None:
    for component in components:
        if component not in COMPONENTS:
            kind = "component"
            raise UnknownNameError(kind, component, COMPONENTS, f"It stands in {file}; the components are {', '.join(COMPONENTS)}.")
    for name, *values in rows:
        for component, value in zip(components, values, strict=True):
            if value and not is_known(component, value):
                known = ", ".join(VALUES[component])
                msg = f"{file}: {name} has the {component} {value!r}; write one of {known}, or in the same way."
                raise InvalidValueError(msg)
