"""What a trained network said of held-out images, from a table."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Int

from zooscope.errors import InvalidValueError
from zooscope.records.predictions import NOT_MEASURED, Predictions
from zooscope.scores.positive_flips import positive_flips
from zooscope.words import unguard_cell

COLUMNS: Final = ("id", "label", "prediction")
MOST_DIGITS: Final = 9  # of a class


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOut:
    """Predictions on held-out images.

    Attributes:
        file: where they were read.
        ids: of the images.
        labels: the true classes, as numbers from 0.
        predictions: the predicted classes.
    """

    file: Path
    ids: tuple[str, ...]
    labels: Int[np.ndarray, " image"]
    predictions: Int[np.ndarray, " image"]

    @property
    def accuracy(self) -> float:
        """Share of the images that are predicted right."""
        return float((self.labels == self.predictions).mean())


def read_held_out(file: Path) -> HeldOut:
    """The predictions in a CSV with the columns id, label and prediction; others are ignored.

    Raises:
        InvalidValueError: it can't be read, lacks a column, has no images or one twice, or a class is no number from 0.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            header, *lines = [line for line in csv.reader(text, strict=True) if line] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{file} can't be read as CSV ({error}); write it again as UTF-8 text with commas, or remove it."
        raise InvalidValueError(msg) from error
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        msg = f"{file} has no column {missing[0]!r}; its first line must name {', '.join(COLUMNS)}."
        raise InvalidValueError(msg)
    places = [header.index(column) for column in COLUMNS]
    rows = [_take_cells(file, line, header, places) for line in lines]
    if not rows:
        msg = f"{file} has no images; write it again, or remove it."
        raise InvalidValueError(msg)
    ids = tuple(unguard_cell(row[0]) for row in rows)
    if len(set(ids)) < len(ids):
        twice = Counter(ids).most_common(1)[0][0]
        msg = f"{file} has the image {twice} twice; write it again, or remove it."
        raise InvalidValueError(msg)
    classes = np.array([[int(cell) for cell in row[1:]] for row in rows], dtype=np.int64)
    return HeldOut(file=file, ids=ids, labels=classes[:, 0], predictions=classes[:, 1])


def measure_flips(student: HeldOut, predictions: Predictions, teacher: str) -> tuple[float, int]:
    """The share of images that the teacher gets right and the student wrong, and how many images that is of.

    These are the positive flips (`zooscope.scores.positive_flips`) from the student to the teacher.

    Args:
        student: what it said of its held-out images.
        predictions: of a study with the teacher; images are matched by their ids.
        teacher: a classifier of the study.

    Returns:
        The share over the images that both have, NaN if there are none, and their number.

    Raises:
        InvalidValueError: an image has another label in the study.
    """
    places = {name: place for place, name in enumerate(predictions.image_ids)}
    shared = [(row, places[name]) for row, name in enumerate(student.ids) if name in places]
    if not shared:
        return float("nan"), 0
    rows, columns = np.array(shared).T
    other = np.flatnonzero(student.labels[rows] != predictions.labels[columns])
    if len(other):
        row, column = rows[other[0]], columns[other[0]]
        msg = (
            f"{student.file} has the label {student.labels[row]} for the image {student.ids[row]}, the study "
            f"{predictions.labels[column]}; give both the same images and the same order of classes, or remove the file."
        )
        raise InvalidValueError(msg)
    clean = predictions.clean[predictions.names.index(teacher)][columns]
    known = clean != NOT_MEASURED
    if not known.any():
        return float("nan"), 0
    right = np.stack([student.predictions[rows] == student.labels[rows], clean == student.labels[rows]])[:, known]
    return float(positive_flips(right)[0, 1]), int(known.sum())


def _take_cells(file: Path, line: Sequence[str], header: Sequence[str], places: Sequence[int]) -> list[str]:
    """Id, label and prediction of a line."""
    if len(line) != len(header):
        msg = f"{file}: the line {','.join(line)!r} has {len(line)} cells, the first line {len(header)}; write as many."
        raise InvalidValueError(msg)
    cells = [line[place] for place in places]
    for column, cell in zip(COLUMNS[1:], cells[1:], strict=True):
        if not (cell.isascii() and cell.isdigit() and len(cell) <= MOST_DIGITS):
            msg = f"{file}: the {column} of {cells[0]} must be the number of a class, from 0: got {cell!r}."
            raise InvalidValueError(msg)
    return cells
