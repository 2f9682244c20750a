"""Pictures as data for the page's scripts, and results as tables."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Final

import numpy as np
from jaxtyping import Float
from markupsafe import Markup

from zooscope.errors import InvalidValueError
from zooscope.pictures.data import Band, Bars, Curves, Forks, HeatMap, Picture, Points
from zooscope.report.page_data import escape_data
from zooscope.report.sections.base import fill_template, show_interval, show_number

DIGITS: Final = 5
NOTHING: Final = "\N{EN DASH}"
MOST_POINTS: Final = 4000  # a browser draws more slowly


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: as it is shown.
        value: the number itself, to sort by and for files; None for a text.
        small: below the text, such as an interval.
    """

    text: str
    value: float | None = None
    small: str = ""

    @classmethod
    def of_number(cls, value: float, low: float = np.nan, high: float = np.nan, *, decimals: int = 2, unit: str = "") -> "Cell":
        """A number with its interval, where there is one."""
        ends = "" if np.isnan(low) or np.isnan(high) else show_interval(low, high, decimals)
        shown = show_number(value, decimals)
        return cls(text=shown if np.isnan(value) else f"{shown}{unit}", value=round(float(value), 6), small=ends)


Row = Sequence[Cell | str]


def make_figure(picture: Picture, name: str) -> Markup:
    """A picture that the page draws when it comes into sight, with its downloads.

    Args:
        picture: as the commands draw it.
        name: of the files; lower case, with hyphens.
    """
    data = encode_picture(picture)
    return fill_template("figure.html", name=name, title=data["title"], data=Markup(escape_data(json.dumps(data))))  # noqa: S704  (escaped)


def make_table(name: str, headings: Sequence[str], rows: Sequence[Row]) -> Markup:
    """A table that can be sorted and downloaded.

    Args:
        name: of the files, and of the table for those who can't see it; lower case, with hyphens.
        headings: of the columns.
        rows: one cell per column; texts stand for cells without a number.
    """
    cells = [[Cell(text=cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    numbers = [any(row[place].value is not None for row in cells) for place in range(len(headings))]
    return fill_template("table.html", name=name, headings=list(zip(headings, numbers, strict=True)), rows=cells)


@singledispatch
def encode_picture(picture: Picture) -> dict[str, Any]:
    """A picture in JSON's types.

    Raises:
        InvalidValueError: pictures of its kind can't be drawn on the page.
    """
    msg = f"a {type(picture).__name__} can't be drawn on the page."
    raise InvalidValueError(msg)


@encode_picture.register
def _(picture: Points) -> dict[str, Any]:
    count = len(picture.names)
    kept = np.arange(count) if count <= MOST_POINTS else np.linspace(0, count - 1, MOST_POINTS).round().astype(np.int64)
    return {
        "kind": "points",
        "title": picture.title,
        "xLabel": picture.x_label,
        "yLabel": picture.y_label,
        "x": round_numbers(picture.x[kept]),
        "y": round_numbers(picture.y[kept]),
        "names": [picture.names[place] for place in kept],
        "groups": None if picture.groups is None else [picture.groups[place] for place in kept],
        "groupTitle": picture.group_title,
        "trend": None if picture.trend is None else _encode_band(picture.trend),
        "numLeftOut": count - len(kept),
    }


@encode_picture.register
def _(picture: Bars) -> dict[str, Any]:
    series = [
        {
            "name": one.name,
            "lengths": round_numbers(one.lengths),
            "low": None if one.low is None else round_numbers(one.low),
            "high": None if one.high is None else round_numbers(one.high),
        }
        for one in picture.series
    ]
    return {"kind": "bars", "title": picture.title, "xLabel": picture.x_label, "labels": picture.labels, "series": series}


@encode_picture.register
def _(picture: Curves) -> dict[str, Any]:
    return {
        "kind": "curves",
        "title": picture.title,
        "xLabel": picture.x_label,
        "yLabel": picture.y_label,
        "curves": [_encode_band(curve) for curve in picture.curves],
        "logarithmic": sorted(picture.logarithmic),
    }


@encode_picture.register
def _(picture: HeatMap) -> dict[str, Any]:
    return {
        "kind": "heatmap",
        "title": picture.title,
        "values": [round_numbers(row, digits=3) for row in picture.values],
        "rows": picture.rows,
        "columns": picture.columns,
        "unit": picture.unit,
        "breaks": picture.breaks,
        "limits": picture.limits,
        "isReversed": picture.reversed_colours,
    }


@encode_picture.register
def _(picture: Forks) -> dict[str, Any]:
    return {
        "kind": "forks",
        "title": picture.title,
        "xLabel": picture.x_label,
        "names": picture.names,
        "groups": picture.groups,
        "groupTitle": picture.group_title,
        "branches": picture.branches,
    }


def _encode_band(band: Band) -> dict[str, Any]:
    return {"name": band.name, **{key: round_numbers(getattr(band, key)) for key in ("x", "y", "low", "high")}}


def round_numbers(values: Float[np.ndarray, " value"], digits: int = DIGITS) -> list[float | None]:
    """Numbers with as many digits as a screen shows; None for NaN."""
    return [None if np.isnan(value) else float(f"{value:.{digits}g}") for value in values]
