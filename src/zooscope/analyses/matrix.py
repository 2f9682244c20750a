"""Matrices of scores over classifiers: from a CSV file, and in the form that the analyses use."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr

from zooscope.errors import InvalidValueError, MissingFileError, UnknownNameError
from zooscope.words import unguard_cell

Matrix = xr.DataArray | pd.DataFrame
TOLERANCE: Final = 1e-6


def read_matrix(file: str | Path) -> pd.DataFrame:
    """A square matrix from a CSV file; `zooscope.exchange.published.import_matrix` checks its contents.

    Args:
        file: its first line has the names of the columns, after a cell that is ignored; the first cell of every other line is
            the name of the row. An empty cell, `NaN` or `NA` is an unknown score.

    Raises:
        MissingFileError: there is no such file.
        InvalidValueError: it is not CSV text, or its lines have different lengths.
    """
    path = Path(file)
    if not path.is_file():
        msg = f"there is no file {path}; give a CSV file with a square matrix, names in the header and in the first column."
        raise MissingFileError(msg)
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:  # spreadsheets put a byte order mark in front
            lines = [[unguard_cell(cell.strip()) for cell in line] for line in csv.reader(text, strict=True) if any(line)]
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{path} can't be read as CSV ({error}); save it as UTF-8 text with commas."
        raise InvalidValueError(msg) from error
    header, *rows = lines or [[]]
    for row in rows:
        if len(row) != len(header):
            msg = f"{path}: the line of {row[0]} has {len(row)} cells, the header {len(header)}; write a square matrix with names."
            raise InvalidValueError(msg)
    cells = [[np.nan if cell.lower() in {"", "nan", "na"} else cell for cell in row[1:]] for row in rows]
    return pd.DataFrame(cells, index=[row[0] for row in rows], columns=header[1:], dtype=object)


def make_square(matrix: Matrix) -> pd.DataFrame:
    """The scores of all pairs, rows and columns in the alphabetical order of the names.

    Every analysis starts from this order, so its result doesn't depend on the order of the classifiers, to the last bit.

    Args:
        matrix: square and symmetric, names as coordinates of both dimensions or as index and columns; the diagonal is not read.

    Returns:
        A table, NaN on the diagonal and wherever the matrix is NaN.

    Raises:
        InvalidValueError: fewer than two classifiers, different names in rows and columns, a repeated name, or a pair with
            two different scores.
    """
    table = pd.DataFrame(matrix.to_pandas() if isinstance(matrix, xr.DataArray) else matrix)
    rows, columns = ([str(name) for name in names] for names in (table.index, table.columns))
    if len(rows) < 2:  # noqa: PLR2004  (a pair)
        msg = f"an analysis of a matrix needs at least two classifiers: got {len(rows)}."
        raise InvalidValueError(msg)
    if len(set(rows)) < len(rows) or sorted(rows) != sorted(columns):
        odd = next((name for name in [*rows, *columns] if rows.count(name) != 1 or columns.count(name) != 1), rows[0])
        msg = f"a matrix must have each classifier once in its rows and once in its columns: check {odd}."
        raise InvalidValueError(msg)
    names = sorted(rows)
    scores = pd.DataFrame(table.to_numpy(dtype=np.float64), index=rows, columns=columns).loc[names, names]
    values = scores.to_numpy(copy=True)
    np.fill_diagonal(values, np.nan)
    differ = np.argwhere((np.abs(values - values.T) > TOLERANCE) | (np.isnan(values) != np.isnan(values.T)))
    if len(differ):
        row, column = differ[0]
        msg = (
            f"{names[row]} and {names[column]} have two different scores, {values[row, column]:g} and {values[column, row]:g}; "
            "a matrix of similarities must be symmetric."
        )
        raise InvalidValueError(msg)
    return pd.DataFrame(values, index=pd.Index(names, name="name"), columns=names)


def keep_complete(scores: pd.DataFrame) -> pd.DataFrame:
    """The scores of `make_square`; every pair must have one.

    Raises:
        InvalidValueError: some pair has none; the message names the classifiers to leave out.
    """
    unknown = scores.isna().to_numpy() & ~np.eye(len(scores), dtype=bool)
    if not unknown.any():
        return scores
    row, column = np.argwhere(unknown)[0]
    leave_out, left = [], unknown.copy()
    while left.any():
        most = int(left.sum(axis=0).argmax())
        leave_out.append(scores.index[most])
        left[most], left[:, most] = False, False
    others = f" (and {unknown.sum() // 2 - 1} more such pairs)" if unknown.sum() > 2 else ""  # noqa: PLR2004  (one pair, both ways)
    msg = (
        f"{scores.index[row]} and {scores.index[column]} have no score{others}; measure what is missing, or leave out "
        f"{', '.join(sorted(leave_out))}."
    )
    raise InvalidValueError(msg)


def require_contrast(scores: pd.DataFrame) -> None:
    """Rejects scores of `make_square` that are all the same.

    Raises:
        InvalidValueError: there are several scores, and all are the same.
    """
    values = scores.to_numpy()
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if len(scores) > 2 and high - low <= TOLERANCE:  # noqa: PLR2004  (two classifiers have one score)
        msg = (
            f"all pairs have the same score, {high:.3g}, so there are no groups. "
            "Use other images, or an attack that fools some classifiers more than others."
        )
        raise InvalidValueError(msg)


def drop_classifiers(matrix: xr.DataArray, names: Sequence[str]) -> xr.DataArray:
    """A matrix without some of its classifiers.

    Raises:
        UnknownNameError: the matrix has no such classifier.
    """
    known = [str(name) for name in matrix[matrix.dims[0]].to_numpy()]
    for name in names:
        if name not in known:
            kind = "classifier"
            raise UnknownNameError(kind, name, known, "Only classifiers of the matrix can be left out.")
    return matrix.drop_sel({dimension: list(dict.fromkeys(names)) for dimension in matrix.dims})


def find_order(matrix: Matrix) -> list[str]:
    """The names in the order of the matrix's rows."""
    return [str(name) for name in (matrix.index if isinstance(matrix, pd.DataFrame) else matrix[matrix.dims[0]].to_numpy())]
