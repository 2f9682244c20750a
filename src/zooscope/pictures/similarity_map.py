"""All pairs as one heat map: similar classifiers side by side, the clustering tree on top, white-box success on the diagonal."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float
from plotly.offline import get_plotlyjs

from zooscope.pictures.colours import SEQUENCE
from zooscope.words import cut_middle, escape_markup, format_number, shorten_names, typeset

DIAGONAL_COLOUR: Final = "#9aa1a9"
WEAK_COLOUR: Final = "#d1495b"
TICK_PERCENTS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100)
CLOSEST_TICKS: Final = 0.15
LABEL_LENGTH: Final = 28
NARROW_LABEL_LENGTH: Final = 15


class Tick(NamedTuple):
    """A mark on the colour scale: its position in [0, 1], its score and its percentage."""

    place: float
    score: float
    percent: float


@dataclass(frozen=True, kw_only=True, eq=False)
class SimilarityMap:
    """The data of the map, rows and columns in display order.

    Attributes:
        names: the classifiers; the first is drawn at the top left.
        score: SAT of different classifiers; NaN on the diagonal and where unknown.
        white_box: on the diagonal, percent of its own images on which a source fools itself.
        weak: sources whose attack is weak, so that their scores are too low.
        hover: the description of each cell, as plain text, a line per entry.
        colour_range: scores at the two ends of the colour scale.
        branches: the clustering tree: four points (position, distance) per fork.
    """

    names: tuple[str, ...]
    score: Float[np.ndarray, "row column"]
    white_box: Float[np.ndarray, " row"]
    weak: Bool[np.ndarray, " row"]
    hover: tuple[tuple[tuple[str, ...], ...], ...]
    colour_range: tuple[float, float]
    branches: tuple[tuple[tuple[float, float], ...], ...]

    @property
    def num_empty(self) -> int:
        """Number of empty cells."""
        return int(np.isnan(self.score).sum()) - int((~np.isnan(self.white_box)).sum())

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Marks for the colour scale, at round percentages."""
        low, high = self.colour_range
        ticks: list[Tick] = []
        for share in TICK_PERCENTS:
            place = (float(np.log(share)) - low) / (high - low)
            if 0 <= place <= 1 + 1e-9 and (not ticks or place - ticks[-1].place >= CLOSEST_TICKS):
                ticks.append(Tick(place, float(np.log(share)), share))
        return tuple(ticks)


def draw_similarity_map(picture: SimilarityMap) -> go.Figure:
    """Draws the map; sizes, fonts and the colours of the page's theme are set by the page's script.

    Axes are numbers and names are only their labels, so that Plotly reads no name as a number or a date.
    """
    size = len(picture.names)
    places = list(range(size))
    hover = [["<br>".join(_format_lines(lines)) for lines in row] for row in picture.hover]
    diagonal = np.full((size, size), np.nan)
    np.fill_diagonal(diagonal, np.where(picture.weak, 1.0, 0.0))
    diagonal[np.isnan(picture.white_box)] = np.nan
    empty = np.argwhere(np.isnan(picture.score) & np.isnan(diagonal))
    traces = [
        _draw_cells(
            picture.score,
            hover,
            lambda row, column: typeset(format_number(picture.score[row, column], 1)),
            colours=SEQUENCE,
            ends=picture.colour_range,
        ),
        _draw_cells(
            diagonal,
            hover,
            lambda row, _: f"{picture.white_box[row]:.0f}%",
            colours=(DIAGONAL_COLOUR, WEAK_COLOUR),
            ends=(0.0, 1.0),
        ),
        go.Scatter(
            x=[int(column) for _, column in empty],
            y=[int(row) for row, _ in empty],
            hovertext=[hover[row][column] for row, column in empty],
            hoverinfo="text",
            mode="markers",
            marker={"symbol": "x-thin", "size": 7, "line": {"width": 1}},
        ),
        _draw_tree(picture),
    ]
    figure = go.Figure(traces)
    figure.update_layout(
        template="none",
        meta=_make_labels(picture.names),
        showlegend=False,
        dragmode=False,
        hovermode="closest",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        xaxis=_make_axis(places) | {"range": [-0.5, size - 0.5]},
        yaxis=_make_axis(places) | {"range": [size - 0.5, -0.5]},
        yaxis2={"visible": False, "fixedrange": True, "rangemode": "tozero"},
    )
    return figure


def _draw_cells(
    values: Float[np.ndarray, "row column"],
    hover: list[list[str]],
    label: Callable[[int, int], str],
    *,
    colours: tuple[str, ...],
    ends: tuple[float, float],
) -> go.Heatmap:
    steps, places = np.linspace(0, 1, len(colours)), range(len(values))
    return go.Heatmap(
        z=[[None if np.isnan(value) else round(float(value), 4) for value in row] for row in values],
        text=[["" if np.isnan(values[row, column]) else label(row, column) for column in places] for row in places],
        hovertext=[["" if np.isnan(values[row, column]) else hover[row][column] for column in places] for row in places],
        hoverinfo="text",
        hoverongaps=False,
        colorscale=[[float(step), colour] for step, colour in zip(steps, colours, strict=True)],
        zmin=ends[0],
        zmax=ends[1],
        showscale=False,
        xgap=1,
        ygap=1,
    )


def _draw_tree(picture: SimilarityMap) -> go.Scatter:
    x: list[float | None] = []
    y: list[float | None] = []
    for fork in picture.branches:
        x += [*(place for place, _ in fork), None]
        y += [*(distance for _, distance in fork), None]
    return go.Scatter(x=x, y=y, yaxis="y2", mode="lines", line={"width": 1}, hoverinfo="skip")


def _make_axis(places: list[int]) -> dict[str, Any]:
    return {"tickvals": places, "fixedrange": True, "showgrid": False, "zeroline": False, "showline": False, "ticks": ""}


def _make_labels(names: tuple[str, ...]) -> dict[str, list[str]]:
    """Labels for a wide and for a narrow page; the script chooses."""
    short = shorten_names(names)
    own = [short[name] for name in names]
    return {
        "labels": [escape_markup(cut_middle(name, LABEL_LENGTH)) for name in own],
        "narrow_labels": [escape_markup(cut_middle(name, NARROW_LABEL_LENGTH)) for name in own],
    }


def _format_lines(lines: tuple[str, ...]) -> list[str]:
    """Lines for Plotly, the first in bold."""
    first, *rest = (escape_markup(line) for line in lines)
    return [f"<b>{first}</b>", *rest]


def read_plotly_script() -> str:
    """Plotly's script, which draws the map in a browser."""
    return str(get_plotlyjs())
