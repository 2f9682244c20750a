"""Matrices of scores that a notebook shows in colours."""

from typing import Final, final

import xarray as xr

from zooscope.inline.facts import escape
from zooscope.inline.heat_map import format_heat_map


@final
class ScoreMatrix(xr.DataArray):
    """An `xarray.DataArray` that a notebook shows as a heat map, with xarray's own view folded up below.

    Example:
        >>> import numpy as np
        >>> names = ["a", "b"]
        >>> scores = ScoreMatrix(np.eye(2), dims=("a", "b"), coords={"a": names, "b": names}, name="sat")
        >>> scores.sel(a="a", b="b").item(), "<td" in scores._repr_html_()
        (0.0, True)
    """

    __slots__ = ()

    def _repr_html_(self) -> str:
        own = str(super()._repr_html_())  # type: ignore[no-untyped-call]
        shown = show_matrix(self)
        return own if shown is None else f"{shown}<details><summary>values and coordinates</summary>{own}</details>"


def show_matrix(matrix: xr.DataArray) -> str | None:
    """A matrix of numbers as a heat map; None for anything else."""
    if matrix.ndim != 2 or matrix.dtype.kind not in "fiu" or not matrix.size:  # noqa: PLR2004  (rows and columns)
        return None
    rows, columns = ([str(name) for name in matrix[axis].to_numpy()] for axis in matrix.dims)
    title = str(matrix.attrs.get("title") or TITLES.get(str(matrix.name), "values"))
    note = f"<div>rows: {escape(matrix.dims[0])}, columns: {escape(matrix.dims[1])}</div>" if matrix.dims != ("a", "b") else ""
    return format_heat_map(matrix.to_numpy().astype(float), rows, columns, title) + note


TITLES: Final = {
    "sat": "SAT",
    "transfer": "transfer in percent",
    "one_sided": "one-sided SAT",
    "same_mistake": "same mistake in percent",
}
