"""Distilled students: the cards that `zooscope distill` writes, read on any machine, also without torch."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from zooscope.errors import InvalidValueError, MissingFileError, first_line
from zooscope.exchange.held_out import HeldOut, measure_flips, read_held_out
from zooscope.records.predictions import Predictions
from zooscope.training.cards import CARD, HELD_OUT

# Of the card's keys those that are read: the type of the value, and what to write.
KEYS: Final[dict[str, tuple[tuple[type, ...], str]]] = {
    "name": ((str,), "a text"),
    "architecture": ((str,), "a text"),
    "accuracy": ((float, int), "a share in [0, 1]"),
    "teacher": ((str, type(None)), "the teacher's name in the study, or null for none"),
}
TOLERANCE: Final = 0.001  # a card's accuracy may be rounded to three digits


@dataclass(frozen=True, kw_only=True)
class Student:
    """A trained student.

    Attributes:
        name: its own.
        architecture: its address.
        accuracy: share of held-out images.
        teacher: its teacher's name; None if it was trained without one.
        held_out: what it said of the held-out images; None if that is not written down.
    """

    name: str
    architecture: str
    accuracy: float
    teacher: str | None
    held_out: HeldOut | None


@dataclass(frozen=True, kw_only=True)
class Students:
    """The students in a folder.

    Attributes:
        folder: the folder.
        architecture: of all students with a teacher.
        students: in the order of their sub-folders' names.
        num_skipped: sub-folders without a card.
    """

    folder: Path
    architecture: str
    students: tuple[Student, ...]
    num_skipped: int


def read_students(folder: Path) -> Students:
    """The students in a folder's sub-folders, each with its `card.json`, and perhaps its `held_out.csv`.

    Raises:
        MissingFileError: there is no such folder.
        InvalidValueError: no student with a teacher is there, a card or its predictions can't be used, two students have the same
            name, or students of teachers have different architectures.
    """
    if not folder.is_dir():
        msg = f"there is no folder {folder}; give the one that `zooscope distill` wrote, with a sub-folder per student."
        raise MissingFileError(msg)
    parts = sorted(part for part in folder.iterdir() if part.is_dir())
    cards = [part / CARD for part in parts if (part / CARD).is_file()]
    if not cards:
        msg = f"none of the sub-folders of {folder} has a {CARD}; give the folder that `zooscope distill` wrote."
        raise InvalidValueError(msg)
    students = tuple(map(_read_student, cards))
    places: dict[str, Path] = {}
    for student, card in zip(students, cards, strict=True):
        if student.name in places:
            msg = f"{places[student.name]} and {card} are both of {student.name}; remove one of the two folders."
            raise InvalidValueError(msg)
        places[student.name] = card
    taught = [student for student in students if student.teacher is not None]
    if not taught:
        msg = f"no student in {folder} has a teacher; distil some by `zooscope distill`."
        raise InvalidValueError(msg)
    for student in taught:
        if student.architecture != taught[0].architecture:
            msg = (
                f"{places[student.name]} is of {student.architecture}, {places[taught[0].name]} of {taught[0].architecture}; "
                "put students of each architecture into a folder of their own."
            )
            raise InvalidValueError(msg)
    return Students(folder=folder, architecture=taught[0].architecture, students=students, num_skipped=len(parts) - len(cards))


def make_student_table(students: Students, predictions: Predictions | None) -> pd.DataFrame:
    """A row per student, for `zooscope.analyses.measure_distillation`.

    Args:
        students: of a folder.
        predictions: of the teachers, among others; None if they are not known.

    Returns:
        Index `name`; columns `teacher`, `accuracy`, `flips_after` (share of images that the teacher gets right and the student
        wrong, NaN if not known) and `flips_images` (how many images that is of).

    Raises:
        InvalidValueError: an image has another label in a student's predictions than in the study.
    """
    flips = [
        measure_flips(student.held_out, predictions, student.teacher)
        if student.held_out is not None and predictions is not None and student.teacher in predictions.names
        else (np.nan, 0)
        for student in students.students
    ]
    return pd.DataFrame(
        {
            "teacher": pd.Series([student.teacher for student in students.students], dtype=object),
            "accuracy": [student.accuracy for student in students.students],
            "flips_after": [share for share, _ in flips],
            "flips_images": [count for _, count in flips],
        }
    ).set_index(pd.Index([student.name for student in students.students], name="name"))


def _read_student(card: Path) -> Student:
    values = _read_card(card)
    held_out = read_held_out(card.with_name(HELD_OUT)) if card.with_name(HELD_OUT).is_file() else None
    if held_out is not None and abs(held_out.accuracy - values["accuracy"]) > TOLERANCE:
        msg = (
            f"{card} says accuracy {values['accuracy']:g}, but by {held_out.file.name} beside it, it is {held_out.accuracy:g}; "
            "remove the one that is older."
        )
        raise InvalidValueError(msg)
    return Student(**values, held_out=held_out)


def _read_card(card: Path) -> dict[str, Any]:
    try:
        values = json.loads(card.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        msg = f"{card} can't be read ({first_line(error)}); make the student again, or remove its folder."
        raise InvalidValueError(msg) from error
    if not isinstance(values, dict):
        msg = f"{card} holds no JSON object; make the student again, or remove its folder."
        raise InvalidValueError(msg)
    for key, (kinds, meaning) in KEYS.items():
        if key not in values:
            msg = f"{card} has no key {key!r}; add it ({meaning}), or remove the folder if this is no student."
            raise InvalidValueError(msg)
        value = values[key]
        is_right = isinstance(value, kinds) and not isinstance(value, bool) and value != ""
        if not is_right or (key == "accuracy" and not 0 <= value <= 1):
            msg = f"{card}: {key} must be {meaning}: got {json.dumps(value)[:60]}."
            raise InvalidValueError(msg)
    return {key: values[key] for key in KEYS} | {"accuracy": float(values["accuracy"])}
