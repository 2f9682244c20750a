"""Published scores: checks a square matrix, and stores it as a study."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from zooscope.errors import InvalidValueError
from zooscope.exchange.components import enter_components
from zooscope.inline.matrix import ScoreMatrix
from zooscope.records.entries import DATABASE, ClassifierRecord, Definition
from zooscope.records.reading import write_published
from zooscope.records.records import Records
from zooscope.scores.sat import EPSILON_S, RANGE

IMPORTED: Final = Definition(
    images="", image_digest="", class_names="", attack=json.dumps({"attack": "as published"}), seed=0, shard_size=1
)
TOLERANCE: Final = 1e-6


def check_matrix(matrix: pd.DataFrame) -> pd.DataFrame:
    """A published matrix with text for names and float for scores, its columns in the order of its rows.

    Args:
        matrix: SAT of all pairs (natural log), or one triangle of them; NaN for unknown pairs.

    Raises:
        InvalidValueError: it is empty, rows and columns have different names, a name is repeated, a score is not a number or out of
            range, or the two scores of a pair differ.
    """
    scores = matrix.set_axis(matrix.index.astype(str), axis=0).set_axis(matrix.columns.astype(str), axis=1)
    if scores.empty:
        msg = "the matrix is empty; give a square matrix of scores with names in the header and in the first column."
        raise InvalidValueError(msg)
    for names in (scores.index, scores.columns):
        if names.has_duplicates:
            msg = f"the matrix names {names[names.duplicated()][0]} twice; every classifier needs its own name."
            raise InvalidValueError(msg)
    odd = scores.index.symmetric_difference(scores.columns)
    if len(odd):
        msg = f"the matrix is not square: {odd[0]} ({len(odd)} such) is in the rows or in the columns only."
        raise InvalidValueError(msg)
    scores = scores[list(scores.index)]
    for name, column in scores.items():
        numbers = column.map(_read_number).astype(np.float64)
        wrong = column[numbers.isna() & column.notna()]
        if len(wrong):
            msg = f"the score of {wrong.index[0]} and {name} is not a number: got {wrong.iloc[0]!r}."
            raise InvalidValueError(msg)
        scores[name] = numbers
    _require_scores(scores)
    return scores.where(scores.notna(), scores.T)  # one triangle is enough


def _read_number(cell: object) -> float:
    """A cell's number, to the last bit (pandas' own reader is a little off in older releases); NaN where it is none."""
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return np.nan


def import_matrix(folder: str | Path, matrix: pd.DataFrame, *, components: pd.DataFrame | None = None) -> None:
    """Makes a study of published scores; analyses that need only the matrix work on it.

    Args:
        folder: is made.
        matrix: SAT of all pairs (natural log), square and symmetric, names as index and columns; NaN for unknown pairs.
        components: a row per classifier, see `enter_components`.

    Raises:
        InvalidValueError: the matrix is not square, its names differ or repeat, or it is empty.
        StudyError: the folder holds a study, or can't be written.
    """
    scores = check_matrix(matrix)

    def fill(records: Records) -> None:
        for name in scores.index:
            records.add_classifier(make_published_record(name), is_admitted=True)
        write_published(records, scores.to_numpy())
        if components is not None:
            enter_components(records, components)

    Records.create(Path(folder) / DATABASE, IMPORTED, (), np.empty(0, dtype=np.int64), fill=fill).close()


def make_published_record(name: str) -> ClassifierRecord:
    """The record of a classifier with published scores only."""
    return ClassifierRecord(name=name, address=None, architecture="", num_classes=0, weights="", transform="", mean="", std="")


def make_published_matrix(names: Sequence[str], scores: Float[np.ndarray, "a b"]) -> xr.DataArray:
    """A published matrix in the form of `make_sat_matrix`; counts and intervals are unknown: NaN."""
    unknown = np.full(scores.shape, np.nan)
    coordinates = {"percent": np.exp(scores), "count": unknown, "low": unknown, "high": unknown}
    return ScoreMatrix(
        scores,
        dims=("a", "b"),
        coords={"a": list(names), "b": list(names)} | {key: (("a", "b"), values) for key, values in coordinates.items()},
        name="sat",
        attrs={"confidence": 0.0, "epsilon_s": EPSILON_S, "attack": IMPORTED.attack},
    )


def _require_scores(scores: pd.DataFrame) -> None:
    values, names = scores.to_numpy(), list(scores.index)
    outside = np.argwhere((values > RANGE[1] + TOLERANCE) | np.isinf(values))
    if len(outside):
        row, column = outside[0]
        msg = (
            f"the score of {names[row]} and {names[column]} is {values[row, column]:g}, more than log(100) = {RANGE[1]:.3f}; "
            "scores are natural logarithms of percentages."
        )
        raise InvalidValueError(msg)
    unequal = np.argwhere(np.abs(values - values.T) > TOLERANCE)
    if len(unequal):
        row, column = unequal[0]
        msg = (
            f"the matrix is not symmetric: {names[row]} and {names[column]} have {values[row, column]:g} and "
            f"{values[column, row]:g}; SAT is the same both ways."
        )
        raise InvalidValueError(msg)
