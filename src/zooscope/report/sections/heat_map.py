"""The heat map of all pairs: who is alike, in an order that puts like beside like."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float
from scipy.cluster.hierarchy import dendrogram, leaves_list, linkage
from scipy.spatial.distance import squareform

from zooscope.report.facts import Facts
from zooscope.report.sections.pairs import Pair, pair_grid
from zooscope.report.writing import decimal, interval, percent, plotly_text, shortened, without_shared_source
from zooscope.scores.sat import RANGE

# Viridis: even steps of lightness, read alike with every kind of colour vision, and in grey.
COLOURS: Final = ("#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725")
DIAGONAL_COLOUR: Final = "#9aa1a9"
WEAK_COLOUR: Final = "#d1495b"
TICK_PERCENTS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100)
CLOSEST_TICKS: Final = 0.15
NAME_LENGTH: Final = 40
LABEL_LENGTH: Final = 28
NARROW_LABEL_LENGTH: Final = 15
NARROWEST_RANGE: Final = 0.5


class Tick(NamedTuple):
    """A mark on the colour scale: where it stands, in [0, 1], its score and its percentage."""

    place: float
    score: float
    percent: float


@dataclass(frozen=True, kw_only=True, eq=False)
class HeatMap:
    """What the heat map shows, rows and columns in display order.

    Attributes:
        names: the classifiers; the first is drawn at the top left.
        score: SAT of different classifiers; NaN on the diagonal and where unknown.
        white_box: on the diagonal, percent of its own images on which a source fools itself.
        weak: sources whose attack is too weak for their scores to be taken at face value.
        hover: what is said of each cell, as plain text, a line per entry.
        colour_range: scores at the two ends of the colour scale.
        branches: the tree of the clustering: four points (position, distance) per fork.
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
        """How many cells have nothing to show."""
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


def heat_map(facts: Facts) -> HeatMap:
    """Computes the heat map."""
    score = facts.sat.to_numpy().copy()
    np.fill_diagonal(score, np.nan)
    order, branches = cluster_order(score)
    white_box = facts.transfer.to_numpy().diagonal()
    grid = pair_grid(facts)
    return HeatMap(
        names=tuple(facts.names[place] for place in order),
        score=score[np.ix_(order, order)],
        white_box=white_box[list(order)],
        weak=np.asarray([facts.names[place] in facts.weak for place in order]),
        hover=tuple(tuple(_hover(facts, grid[row][column]) for column in order) for row in order),
        colour_range=_colour_range(score),
        branches=branches,
    )


class ClusterOrder(NamedTuple):
    """Positions in the order of the leaves, and the forks of the tree above them."""

    order: tuple[int, ...]
    branches: tuple[tuple[tuple[float, float], ...], ...]


def cluster_order(score: Float[np.ndarray, "a b"]) -> ClusterOrder:
    """Hierarchical clustering (average linkage) of a symmetric matrix of scores, leaves ordered so that neighbours are most alike.

    A pair without a score is taken for as unlike as the least alike pair: nothing puts it together.
    """
    size = len(score)
    if size == 1:
        return ClusterOrder((0,), ())
    distance = RANGE[1] - score
    np.fill_diagonal(distance, np.nan)
    known = distance[~np.isnan(distance)]
    distance = np.nan_to_num(np.maximum(distance, 0), nan=float(known.max()) if len(known) else 1.0)
    np.fill_diagonal(distance, 0)
    merges = linkage(squareform(distance, checks=False), method="average", optimal_ordering=True)
    tree = dendrogram(merges, no_plot=True)
    # SciPy puts leaf number i at 5 + 10 i.
    forks = [
        tuple(((float(x) - 5) / 10, float(y)) for x, y in zip(xs, ys, strict=True))
        for xs, ys in zip(tree["icoord"], tree["dcoord"], strict=True)
    ]
    return ClusterOrder(tuple(int(leaf) for leaf in leaves_list(merges)), tuple(forks))


def draw(picture: HeatMap) -> go.Figure:
    """Draws the heat map; sizes, fonts and the colours of the page's theme are set by the page's script.

    Axes are numbers and names are only their labels, so that no name is taken for a number or a date.
    """
    size = len(picture.names)
    places = list(range(size))
    hover = [["<br>".join(_formatted(lines)) for lines in row] for row in picture.hover]
    diagonal = np.full((size, size), np.nan)
    np.fill_diagonal(diagonal, np.where(picture.weak, 1.0, 0.0))
    diagonal[np.isnan(picture.white_box)] = np.nan
    empty = np.argwhere(np.isnan(picture.score) & np.isnan(diagonal))
    traces = [
        _cells(
            picture.score,
            hover,
            lambda row, column: decimal(picture.score[row, column], 1),
            colours=COLOURS,
            ends=picture.colour_range,
        ),
        _cells(
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
        _tree(picture),
    ]
    figure = go.Figure(traces)
    figure.update_layout(
        template="none",
        meta=_labels(picture.names),
        showlegend=False,
        dragmode=False,
        hovermode="closest",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        xaxis=_axis(places) | {"range": [-0.5, size - 0.5]},
        yaxis=_axis(places) | {"range": [size - 0.5, -0.5]},
        yaxis2={"visible": False, "fixedrange": True, "rangemode": "tozero"},
    )
    return figure


def _cells(
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


def _tree(picture: HeatMap) -> go.Scatter:
    x: list[float | None] = []
    y: list[float | None] = []
    for fork in picture.branches:
        x += [*(place for place, _ in fork), None]
        y += [*(distance for _, distance in fork), None]
    return go.Scatter(x=x, y=y, yaxis="y2", mode="lines", line={"width": 1}, hoverinfo="skip")


def _axis(places: list[int]) -> dict[str, Any]:
    return {"tickvals": places, "fixedrange": True, "showgrid": False, "zeroline": False, "showline": False, "ticks": ""}


def _labels(names: tuple[str, ...]) -> dict[str, list[str]]:
    """Labels for a wide and for a narrow page; the script takes one of them."""
    own = without_shared_source(names)
    return {
        "labels": [plotly_text(shortened(name, LABEL_LENGTH)) for name in own],
        "narrow_labels": [plotly_text(shortened(name, NARROW_LABEL_LENGTH)) for name in own],
    }


def _formatted(lines: tuple[str, ...]) -> list[str]:
    """Lines for Plotly, the first in bold."""
    first, *rest = (plotly_text(line) for line in lines)
    return [f"<b>{first}</b>", *rest]


def _hover(facts: Facts, pair: Pair) -> tuple[str, ...]:
    if pair.a == pair.b:
        return _hover_on_diagonal(facts, pair)
    names = shortened(pair.a, NAME_LENGTH), shortened(pair.b, NAME_LENGTH)
    title = f"{names[0]} and {names[1]}"
    if not pair.is_known:
        return title, f"no score: {pair.reason}"
    return (
        title,
        f"SAT {decimal(pair.score)} ({100 * facts.confidence:g} % interval {interval(pair.low, pair.high)})",
        f"{names[0]} \N{RIGHTWARDS ARROW} {names[1]}: {percent(pair.a_to_b)} fooled",
        f"{names[1]} \N{RIGHTWARDS ARROW} {names[0]}: {percent(pair.b_to_a)} fooled",
        f"of {pair.count} images that both get right when clean",
        *_hover_of_control(pair),
    )


def _hover_of_control(pair: Pair) -> tuple[str, ...]:
    """How much of it resizing alone would do."""
    if pair.control_a_to_b is None or pair.control_b_to_a is None:
        return ()
    return (f"resizing alone, without attack: {percent(pair.control_a_to_b)} and {percent(pair.control_b_to_a)}",)


def _hover_on_diagonal(facts: Facts, pair: Pair) -> tuple[str, ...]:
    name = shortened(pair.a, NAME_LENGTH)
    if not pair.is_known:
        return name, f"no white-box success: {pair.reason}"
    lines = (
        name,
        f"attacked itself: {percent(pair.a_to_b)} fooled (white-box success)",
        f"of {pair.count} images that it gets right",
    )
    return (*lines, "a weak source: its whole row is pulled down") if pair.a in facts.weak else lines


def _colour_range(score: Float[np.ndarray, "a b"]) -> tuple[float, float]:
    """From the smallest to the largest score.

    Pairs that never fool each other share the first colour: the logarithm puts them so far off that they would take most of it.
    """
    known = score[~np.isnan(score)]
    if not len(known):
        return 0.0, RANGE[1]
    above = known[known > RANGE[0] + 1e-9]
    low, high = (float(above.min()), float(above.max())) if len(above) else RANGE
    if high - low < NARROWEST_RANGE:
        middle = (low + high) / 2
        low, high = middle - NARROWEST_RANGE / 2, middle + NARROWEST_RANGE / 2
    return low, min(high, RANGE[1])
