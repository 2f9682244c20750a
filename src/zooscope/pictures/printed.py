"""Pictures for print, by matplotlib: `.png`, `.svg`, `.pdf`."""

import warnings
from collections.abc import Mapping, Sequence
from functools import singledispatch
from typing import IO, Any, Final, assert_never

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from zooscope.pictures.colours import GROUPS, SEQUENCE, choose_styles
from zooscope.pictures.data import Band, Bars, Curves, Forks, HeatMap, Panels, Picture, Points
from zooscope.pictures.labels import (
    CHARACTER_WIDTH,
    MOST_LARGE,
    MOST_NAMED,
    find_label_positions,
    find_line_end,
    say_left_out,
    wrap_title,
)
from zooscope.words import escape_controls, shorten_names

DOTS_PER_INCH: Final = 200
TITLE_SIZE: Final = 10
MARGIN: Final = 0.08  # inches, around all that is drawn
NOTHING: Final = "#e6e8ea"  # a cell without a value, and the lines of a grid
STYLE: Final[dict[Any, Any]] = {  # by names of which older releases of Matplotlib have no type
    "font.family": "DejaVu Sans",  # included in matplotlib, so that every machine draws the same
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "svg.hashsalt": "zooscope",  # otherwise identifiers in the file are random
    "text.parse_math": False,  # names with two dollars are not mathematics
}
BESIDE: Final[dict[str, Any]] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "borderaxespad": 0}  # below the title
MANY_LETTERS: Final = 500  # all names together need room
LEADER: Final = "leader"
FONTS: Final = (7.5, 5.5, 4.5)  # of names beside points: the largest that leaves room for all
MARKERS: Final = {"circle": "o", "square": "s", "diamond": "D", "triangle": "^", "cross": "X"}
LINES: Final = ("-", "--", ":")  # as colours come again
NUM_ACROSS: Final = 2  # panels in a row
PANEL_SIZE: Final = (4.8, 3.9)  # inches
LONG: Final = 1000  # a logarithmic axis with more between its ends is labelled at powers of ten only
NO_DATE: Final[dict[str, dict[str, None]]] = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


def write(picture: Picture, file: IO[bytes], ending: str) -> None:
    """Draws a picture into a file in the format of its ending."""
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a character that the font lacks is drawn as a box, as everywhere
        make_figure(picture).savefig(file, format=ending[1:], bbox_inches="tight", pad_inches=MARGIN, metadata=NO_DATE[ending])


def make_figure(picture: Picture) -> Figure:
    """A picture as a matplotlib figure."""
    drawn = Figure(layout="constrained", dpi=DOTS_PER_INCH)
    axes = drawn.add_subplot()
    _draw(picture, drawn, axes)
    _set_title(drawn, picture.title)
    if isinstance(picture, Points) and picture.are_named and len(picture.names) <= MOST_NAMED:
        fonts = FONTS if len(picture.names) <= MOST_LARGE else FONTS[1:]
        for font in fonts:
            num_left_out = _name_points(picture, drawn, axes, font)
            if not num_left_out:
                return drawn
        _set_title(drawn, f"{picture.title}\n{say_left_out(num_left_out, len(picture.names))}")
        _name_points(picture, drawn, axes, fonts[-1])  # the title has grown by a line, so all is placed anew
    if isinstance(picture, Panels):
        named = [(panel, cell) for panel, cell in zip(picture.panels, drawn.axes, strict=True) if panel.are_named]
        num_left_out = sum(_name_points(panel, drawn, cell, FONTS[1]) for panel, cell in named)
        if num_left_out:
            total = sum(len(panel.names) for panel, _ in named)
            _set_title(drawn, f"{picture.title}\n{say_left_out(num_left_out, total)}")
            for panel, cell in named:  # as above
                _name_points(panel, drawn, cell, FONTS[1])
    return drawn


def _set_title(drawn: Figure, title: str) -> None:
    """At the figure's left edge, in lines that fit its width."""
    width = int((drawn.get_figwidth() - 2 * MARGIN) * 72 / (TITLE_SIZE * CHARACTER_WIDTH))
    drawn.suptitle(wrap_title(escape_controls(title, keep_newlines=True), width), x=0.01, ha="left", fontsize=TITLE_SIZE)


def _clean_names(names: Sequence[str]) -> list[str]:
    """Names for a picture, escaped: a control character would make an .svg that no program reads."""
    short = shorten_names(names)
    return [escape_controls(short[name]) for name in names]


@singledispatch
def _draw(picture: Any, drawn: Figure, axes: Axes) -> None:  # noqa: ANN401, ARG001  (whatever has no way to be drawn)
    assert_never(picture)


@_draw.register
def _(picture: HeatMap, drawn: Figure, axes: Axes) -> None:
    num_rows, num_columns = picture.values.shape
    font = float(np.clip(260 / max(num_rows, num_columns), 4, 9))
    cell = max(font / 72 * 1.3, 0.09, min(0.4, 2.4 / max(num_rows, num_columns)))  # few cells are large
    rows, columns = _clean_names(picture.rows), _clean_names(picture.columns)
    name = max(map(len, rows), default=0) * font / 72 * 0.6
    drawn.set_size_inches(max(4.2, num_columns * cell + name + 1.3), max(3.2, num_rows * cell + name + 0.7))
    colours = LinearSegmentedColormap.from_list("sequence", SEQUENCE[::-1] if picture.reversed_colours else SEQUENCE).with_extremes(
        bad=NOTHING
    )
    low, high = picture.limits or (None, None)
    shown = axes.imshow(np.ma.masked_invalid(picture.values), cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    axes.set_yticks(range(num_rows), rows, fontsize=font)
    axes.set_xticks(range(num_columns), columns, fontsize=font, rotation=90)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for place in picture.breaks:
        axes.axhline(place - 0.5, color="white", linewidth=1.4)
        axes.axvline(place - 0.5, color="white", linewidth=1.4)
    if picture.blocks:
        centres = picture.find_block_centres()
        top = axes.secondary_xaxis("top")
        top.set_xticks(list(centres.values()), list(centres), fontsize=max(font, 6), fontweight="bold")
        top.tick_params(length=0, pad=2)
        top.spines[:].set_visible(False)
    bar = drawn.colorbar(shown, ax=axes, shrink=0.7, aspect=30, pad=0.02)
    bar.set_label(picture.unit, fontsize=8)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)


@_draw.register
def _(picture: Points, drawn: Figure, axes: Axes) -> None:
    crowded = (
        picture.are_named and sum(map(len, picture.labels or picture.names)) > MANY_LETTERS and len(picture.names) <= MOST_NAMED
    )
    drawn.set_size_inches(*((9.2, 6.9) if crowded else (7.2, 5.4)))
    has_axes = bool(picture.x_label)
    many = len(picture.names) > MOST_NAMED
    styles = choose_styles(picture.groups or ("",) * len(picture.names))
    _draw_points(picture, axes, styles, size=9 if many else 20 if crowded else 38)
    if has_axes:
        _draw_axes(picture, axes)
    else:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(True)
        axes.spines[:].set_color("#d5d9dd")
        axes.set_aspect("equal", adjustable="datalim")  # otherwise a short axis looks like a long one
    axes.margins(0.09)
    if picture.groups is not None:
        axes.legend(title=picture.group_title or None, **BESIDE)
    elif picture.trend is not None and picture.trend.name:
        drawn.legend(loc="outside lower left")


@_draw.register
def _(picture: Panels, drawn: Figure, axes: Axes) -> None:
    axes.remove()
    num_rows = -(-len(picture.panels) // NUM_ACROSS)
    width, height = PANEL_SIZE
    drawn.set_size_inches(NUM_ACROSS * width, num_rows * height + 0.6)
    cells = drawn.subplots(num_rows, NUM_ACROSS, squeeze=False).flatten()
    styles = choose_styles(picture.groups)
    handles: dict[str, Any] = {}
    for panel, cell in zip(picture.panels, cells, strict=False):
        _draw_points(panel, cell, styles, size=26)
        _draw_axes(panel, cell)
        cell.margins(0.09)
        lines = wrap_title(escape_controls(panel.title), int(width * 72 / (9 * CHARACTER_WIDTH)))
        cell.set_title(lines, loc="left", fontsize=9)
        for handle, label in zip(*cell.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    for cell in cells[len(picture.panels) :]:
        cell.remove()
    title = next((panel.group_title for panel in picture.panels if panel.group_title), None)
    drawn.legend(handles.values(), handles.keys(), title=title, alignment="left", loc="outside lower left", ncols=4)


def _draw_points(picture: Points, axes: Axes, styles: Mapping[str, tuple[str, str]], *, size: float) -> None:
    """Points with their line, a colour and a marker for every group."""
    groups = picture.groups or ("",) * len(picture.names)
    if picture.trend is not None:
        _draw_band(axes, picture.trend, "#d55e00")
    many = len(picture.names) > MOST_NAMED
    for group, (colour, marker) in styles.items():
        chosen = [place for place, own in enumerate(groups) if own == group]
        axes.scatter(
            picture.x[chosen],
            picture.y[chosen],
            s=size,
            alpha=0.45 if many else 0.95,
            color=colour,
            marker=MARKERS[marker],
            linewidths=0 if many else 0.5,
            edgecolors="white",
            label=group or "_unnamed",  # matplotlib leaves names that start with it out of the legend
        )


def _draw_axes(picture: Points, axes: Axes) -> None:
    axes.set_xlabel(picture.x_label)
    axes.set_ylabel(picture.y_label)
    axes.grid(color=NOTHING, linewidth=0.6)
    axes.set_axisbelow(True)


def _name_points(picture: Points, drawn: Figure, axes: Axes, font: float) -> int:
    """Names beside the points, or with a line to them; the number of those that have no room."""
    for drawn_before in (*axes.texts, *(line for line in axes.lines if line.get_gid() == LEADER)):
        drawn_before.remove()
    drawn.draw_without_rendering()
    names = _clean_names(picture.names) if picture.labels is None else [escape_controls(label) for label in picture.labels]
    texts = [axes.text(0, 0, name, fontsize=font, color="#30363c", ha="center", va="center") for name in names]
    boxes = [text.get_window_extent() for text in texts]
    sizes = np.array([[box.width, box.height] for box in boxes], dtype=np.float64).reshape(-1, 2)
    frame = axes.get_window_extent()
    points = axes.transData.transform(np.column_stack([picture.x, picture.y]))
    found = find_label_positions(
        points,
        sizes,
        gap=drawn.dpi * (6 if font > 6 else 5) / 72,  # noqa: PLR2004  (smaller beside smaller names)
        frame=(frame.x0, frame.y0, frame.x1, frame.y1),
    )
    back = axes.transData.inverted()
    for text, point, size, place in zip(texts, points, sizes, found, strict=True):
        if place is None:
            text.remove()
            continue
        centre = np.array([place.x, place.y])
        text.set_position(tuple(back.transform(centre)))
        if place.is_far:
            end = find_line_end(point, np.concatenate([centre - size / 2, centre + size / 2]))
            ends = back.transform(np.stack([point, end]))
            axes.add_artist(
                Line2D(ends[:, 0], ends[:, 1], color="#8b939b", linewidth=0.5, zorder=0.9, gid=LEADER)
            )  # moves no limit
    return found.count(None)


@_draw.register
def _(picture: Forks, drawn: Figure, axes: Axes) -> None:
    names = _clean_names(picture.names)
    font = 9 if len(names) <= MOST_LARGE else 6
    drawn.set_size_inches(4.6 + max(map(len, names)) * font * CHARACTER_WIDTH / 72, max(2.4, 1.1 + len(names) * font * 1.7 / 72))
    for branch in picture.branches:
        axes.plot([position for _, position in branch], [place for place, _ in branch], color="#5b646d", linewidth=1.1, zorder=1)
    end = max(position for branch in picture.branches for _, position in branch)
    for group, (colour, marker) in choose_styles(picture.group_order).items():
        own = [place for place, other in enumerate(picture.groups) if other == group]
        axes.scatter(
            [end] * len(own), own, s=38, color=colour, marker=MARKERS[marker], zorder=2, label=group or "_unnamed", clip_on=False
        )
    axes.set_yticks(range(len(names)), names, fontsize=font)
    axes.yaxis.tick_right()
    axes.tick_params(axis="y", length=0, pad=8)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel(picture.x_label)
    axes.grid(axis="x", color=NOTHING, linewidth=0.6)
    axes.set_axisbelow(True)
    drawn.legend(title=picture.group_title or None, loc="outside lower left", ncols=min(6, len(picture.group_order)))


@_draw.register
def _(picture: Bars, drawn: Figure, axes: Axes) -> None:
    count, thick = len(picture.series), 0.8 / max(1, len(picture.series))
    drawn.set_size_inches(6.4, max(2.2, 0.8 + len(picture.labels) * max(0.22, 0.16 * count)))
    rows = np.arange(len(picture.labels))
    for place, series in enumerate(picture.series):
        at = rows + (place - (count - 1) / 2) * thick
        axes.barh(at, np.nan_to_num(series.lengths), height=thick * 0.9, color=GROUPS[place % len(GROUPS)], label=series.name)
        if series.low is not None and series.high is not None:
            ends = np.stack([series.lengths - series.low, series.high - series.lengths]).clip(min=0)
            axes.errorbar(series.lengths, at, xerr=ends, fmt="none", ecolor="#30363c", elinewidth=0.9, capsize=1.8)
    axes.axvline(0, color="#30363c", linewidth=0.8)
    axes.set_yticks(rows, [escape_controls(label) for label in picture.labels])
    axes.set_ylim(len(picture.labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(picture.x_label)
    axes.grid(axis="x", color=NOTHING, linewidth=0.6)
    axes.set_axisbelow(True)
    if count > 1:
        drawn.legend(loc="outside lower left")


@_draw.register
def _(picture: Curves, drawn: Figure, axes: Axes) -> None:
    drawn.set_size_inches(6.4, 4.2)
    for place, curve in enumerate(picture.curves):
        marker, style = list(MARKERS.values())[place % len(MARKERS)], LINES[place // len(GROUPS) % len(LINES)]
        _draw_band(axes, curve, GROUPS[place % len(GROUPS)], marker=marker, style=style)
    for name, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        if name in picture.logarithmic:
            axes.set(**{f"{name}scale": "log"})
            low, high = axis.get_data_interval()
            is_long = high > LONG * low > 0  # more labels would run into each other
            axis.set_major_locator(LogLocator(subs=(1,) if is_long else (1, 2, 5)))
            axis.set_major_formatter(
                FuncFormatter(lambda value, _: f"{value:g}")
            )  # the usual label is mathematics, which is not parsed here
            axis.set_minor_formatter(NullFormatter())
        elif name == "x" and all((curve.x == np.round(curve.x)).all() for curve in picture.curves):
            axis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(picture.x_label)
    axes.set_ylabel(picture.y_label)
    axes.grid(color=NOTHING, linewidth=0.6)
    axes.set_axisbelow(True)
    if len(picture.curves) > 1:
        axes.legend(**BESIDE)


def _draw_band(axes: Axes, band: Band, colour: str, *, marker: str = "", style: str = "-") -> None:
    axes.plot(band.x, band.y, color=colour, linewidth=1.6, linestyle=style, marker=marker, markersize=4, label=band.name)
    if np.isfinite(band.low).any():
        axes.fill_between(band.x, band.low, band.high, color=to_rgba(colour, 0.18), linewidth=0)
