"""What pictures show, as data: six kinds, each of which can also be written as a table."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Float

from zooscope.statistics.trend import Trend


@dataclass(frozen=True, kw_only=True, eq=False)
class HeatMap:
    """A matrix in colours.

    Attributes:
        title: of the picture.
        values: NaN for empty cells.
        rows: names of the rows, from the top.
        columns: names of the columns.
        unit: meaning of the colours.
        breaks: positions in rows and columns before which a new block begins, drawn as lines.
        blocks: names of the blocks, one more than there are breaks; empty for none.
        limits: values at both ends of the colours; those of the data where None.
        reversed_colours: whether small values are bright, as for distances.
    """

    title: str
    values: Float[np.ndarray, "row column"]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    unit: str
    breaks: tuple[int, ...] = ()
    blocks: tuple[str, ...] = ()
    limits: tuple[float, float] | None = None
    reversed_colours: bool = False

    def find_block_centres(self) -> dict[str, float]:
        """Centres of the blocks, for their names, as positions in the columns."""
        ends = zip((0, *self.breaks), (*self.breaks, len(self.columns)), strict=True)
        return {name: (start + end - 1) / 2 for name, (start, end) in zip(self.blocks, ends, strict=True)} if self.blocks else {}

    def make_table(self) -> pd.DataFrame:
        """The matrix, names as index and columns."""
        return pd.DataFrame(self.values, index=pd.Index(self.rows, name="name"), columns=list(self.columns))


@dataclass(frozen=True, kw_only=True, eq=False)
class Band:
    """A line with a band around it.

    Attributes:
        x: ascending.
        y: the line.
        low: the band's lower edge.
        high: the band's upper edge.
        name: in the legend.
    """

    x: Float[np.ndarray, " step"]
    y: Float[np.ndarray, " step"]
    low: Float[np.ndarray, " step"]
    high: Float[np.ndarray, " step"]
    name: str = ""

    @classmethod
    def of_trend(cls, trend: Trend, *, factor: float = 1.0) -> "Band | None":
        """A fitted line with its band, y times a factor; None where nothing could be fitted."""
        if len(trend.x) == 0:
            return None
        has_band = bool(np.isfinite(trend.low).any())
        name = f"trend, {100 * trend.confidence:g} % band" if has_band else "trend"
        return cls(x=trend.x, y=factor * trend.y, low=factor * trend.low, high=factor * trend.high, name=name)


@dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """Points in the plane.

    Attributes:
        title: of the picture.
        x_label: meaning of the horizontal axis; empty if only positions matter, then no axes are drawn.
        y_label: meaning of the vertical axis.
        x: of every point.
        y: of every point.
        names: of every point.
        groups: the group of every point, which gives its colour; None for one colour.
        group_title: meaning of the groups.
        are_named: whether names are drawn beside the points; the picture says how many have no room.
        labels: the names as they are drawn, where these are shorter.
        trend: a line through the points.
    """

    title: str
    x_label: str
    y_label: str
    x: Float[np.ndarray, " point"]
    y: Float[np.ndarray, " point"]
    names: tuple[str, ...]
    groups: tuple[str, ...] | None = None
    group_title: str = ""
    are_named: bool = True
    labels: tuple[str, ...] | None = None
    trend: Band | None = None

    def make_table(self) -> pd.DataFrame:
        """A row per point: name, x, y and, if there are groups, group."""
        columns: dict[str, object] = {self.x_label or "x": self.x, self.y_label or "y": self.y}
        if self.groups is not None:
            columns[self.group_title or "group"] = list(self.groups)
        return pd.DataFrame(columns, index=pd.Index(self.names, name="name"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Forks:
    """A tree whose leaves are names, the first at the top.

    Attributes:
        title: of the picture.
        x_label: meaning of the positions of forks.
        names: of the leaves.
        groups: the group of every leaf, which gives its colour.
        group_order: the different groups, as they come in the legend.
        group_title: meaning of the groups.
        branches: four points (place among the leaves, position) per fork.
        joined: the names on both sides of every fork, and its position.
    """

    title: str
    x_label: str
    names: tuple[str, ...]
    groups: tuple[str, ...]
    group_order: tuple[str, ...]
    group_title: str
    branches: tuple[tuple[tuple[float, float], ...], ...]
    joined: tuple[tuple[tuple[str, ...], tuple[str, ...], float], ...]

    def make_table(self) -> pd.DataFrame:
        """A row per fork: the names on both sides, and its position."""
        rows = [("; ".join(left), "; ".join(right), position) for left, right, position in self.joined]
        return pd.DataFrame(rows, columns=["left", "right", self.x_label], index=pd.RangeIndex(1, len(rows) + 1, name="fork"))


@dataclass(frozen=True, kw_only=True, eq=False)
class BarSeries:
    """One bar per label.

    Attributes:
        name: in the legend.
        lengths: of the bars; NaN for no bar.
        low: lower ends of the error bars, None for none.
        high: upper ends of the error bars.
    """

    name: str
    lengths: Float[np.ndarray, " label"]
    low: Float[np.ndarray, " label"] | None = None
    high: Float[np.ndarray, " label"] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Bars:
    """Horizontal bars, the first label at the top; several series are drawn side by side.

    Attributes:
        title: of the picture.
        x_label: meaning of the lengths.
        labels: one per bar.
        series: one or more.
    """

    title: str
    x_label: str
    labels: tuple[str, ...]
    series: tuple[BarSeries, ...]

    def make_table(self) -> pd.DataFrame:
        """A row per label; a column per series, and two more if it has error bars."""
        columns: dict[str, object] = {}
        for series in self.series:
            columns[series.name] = series.lengths
            for end, values in (("low", series.low), ("high", series.high)):
                if values is not None:
                    columns[f"{series.name}, {end}"] = values
        return pd.DataFrame(columns, index=pd.Index(self.labels, name="name"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Curves:
    """Lines over a common axis, each with its band.

    Attributes:
        title: of the picture.
        x_label: meaning of the horizontal axis.
        y_label: meaning of the vertical axis.
        curves: each with a name of its own.
        logarithmic: which axes are logarithmic, of "x" and "y".
    """

    title: str
    x_label: str
    y_label: str
    curves: tuple[Band, ...]
    logarithmic: frozenset[str] = field(default_factory=frozenset)

    def make_table(self) -> pd.DataFrame:
        """A row per step of every curve: x, y, low, high."""
        return pd.concat(
            [
                pd.DataFrame(
                    {self.x_label: curve.x, self.y_label: curve.y, "low": curve.low, "high": curve.high},
                    index=pd.Index([curve.name] * len(curve.x), name="name"),
                )
                for curve in self.curves
            ]
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Panels:
    """Several pictures of points in one; a group has the same colour in all.

    Attributes:
        title: of the whole.
        panels: from the left, two in a row, each with its title and axes.
    """

    title: str
    panels: tuple[Points, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """The different groups of all panels, as they come in the legend."""
        return tuple(dict.fromkeys(group for panel in self.panels for group in panel.groups or ("",) * len(panel.names)))

    def make_table(self) -> pd.DataFrame:
        """A row per point of every panel: the panel's title, both axes with their meaning and, if there are groups, group."""
        return pd.concat(
            [
                pd.DataFrame(
                    {
                        "panel": panel.title,
                        "x axis": panel.x_label,
                        "x": panel.x,
                        "y axis": panel.y_label,
                        "y": panel.y,
                        **({} if panel.groups is None else {panel.group_title or "group": list(panel.groups)}),
                    },
                    index=pd.Index(panel.names, name="name"),
                )
                for panel in self.panels
            ]
        )


Picture = HeatMap | Points | Forks | Bars | Curves | Panels
