"""Interactive pictures, by plotly: one `.html` file that loads nothing."""

from collections.abc import Mapping
from functools import singledispatch
from typing import IO, Any, Final, assert_never

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from plotly.subplots import make_subplots

from zooscope.pictures.colours import GROUPS, SEQUENCE, choose_styles
from zooscope.pictures.data import Band, Bars, Curves, Forks, HeatMap, Panels, Picture, Points
from zooscope.pictures.labels import CHARACTER_WIDTH, MOST_LARGE, MOST_NAMED, find_label_positions, say_left_out, wrap_title
from zooscope.words import escape_markup

WIDTH: Final = 1100  # pixels, of pictures with names
HEIGHT: Final = 780
SIDES: Final = 180  # of these, around the points
TITLE_SIZE: Final = 17
LINE_HEIGHT: Final = 22
MARGIN: Final = 40
NAME_WIDTH: Final = 0.54  # of a character, as a share of the font size
NUM_ACROSS: Final = 2  # panels in a row
PANEL_HEIGHT: Final = 440  # pixels
DASHES: Final = ("solid", "dash", "dot")  # as colours come again
SYMBOLS: Final = {"triangle": "triangle-up", "cross": "x"}


def write(picture: Picture, file: IO[bytes]) -> None:
    """Draws a picture into a file."""
    page = make_figure(picture).to_html(include_plotlyjs=True, full_html=True, div_id="picture", config={"displaylogo": False})
    file.write(page.encode("utf-8"))


def make_figure(picture: Picture) -> Any:  # noqa: ANN401  (plotly is untyped)
    """A picture as a plotly figure."""
    drawn = go.Figure(layout={"template": "plotly_white"})
    _draw(picture, drawn)
    _set_title(drawn, picture.title)
    return drawn


def _set_title(drawn: Any, title: str) -> None:  # noqa: ANN401  (as above)
    """Above the picture, in lines that fit its width."""
    lines = wrap_title(title, int((drawn.layout.width or WIDTH) / (TITLE_SIZE * CHARACTER_WIDTH))).split("\n")
    drawn.update_layout(
        title={
            "text": "<br>".join(map(escape_markup, lines)),
            "font": {"size": TITLE_SIZE},
            "x": 0.01,
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 14},
        },
        margin={"t": MARGIN + len(lines) * LINE_HEIGHT},
    )


@singledispatch
def _draw(picture: Any, drawn: Any) -> None:  # noqa: ANN401, ARG001  (whatever has no way to be drawn)
    assert_never(picture)


@_draw.register
def _(picture: HeatMap, drawn: Any) -> None:  # noqa: ANN401  (plotly is untyped)
    low, high = picture.limits or (None, None)
    rows, columns = ([escape_markup(name) for name in names] for names in (picture.rows, picture.columns))
    drawn.add_heatmap(
        z=picture.values,
        x=list(range(len(columns))),  # by position: escaped names of two classifiers may be equal
        y=list(range(len(rows))),
        customdata=np.array([[(row, column) for column in columns] for row in rows], dtype=object),
        colorscale=list(SEQUENCE),
        reversescale=picture.reversed_colours,
        zmin=low,
        zmax=high,
        colorbar={"title": {"text": escape_markup(picture.unit)}},
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>%{z:.3f}<extra></extra>",
    )
    for place in picture.breaks:
        drawn.add_hline(y=place - 0.5, line={"color": "white", "width": 2})
        drawn.add_vline(x=place - 0.5, line={"color": "white", "width": 2})
    for name, centre in picture.find_block_centres().items():
        drawn.add_annotation(x=centre, y=-0.6, text=escape_markup(name), showarrow=False, yanchor="bottom")
    cells = len(rows) * max(14, min(44, 300 // len(rows)))  # few cells are large
    names = 7 * max(map(len, (*rows, *columns)))
    drawn.update_layout(
        width=max(640, cells + names + 240),
        height=cells + names + 160,
        xaxis={"tickvals": list(range(len(columns))), "ticktext": columns, "tickangle": 90, "showgrid": False},
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": rows,
            "autorange": "reversed",
            "scaleanchor": "x",
            "showgrid": False,
        },
    )


@_draw.register
def _(picture: Points, drawn: Any) -> None:  # noqa: ANN401  (as above)
    groups = picture.groups or ("",) * len(picture.names)
    _add_points(picture, drawn, choose_styles(groups))
    bare = {} if picture.x_label else {"showticklabels": False, "zeroline": False, "showgrid": False}
    drawn.update_layout(
        legend={"title": {"text": escape_markup(picture.group_title)}},
        xaxis={"title": {"text": escape_markup(picture.x_label)}, **bare},
        yaxis={"title": {"text": escape_markup(picture.y_label)}, **bare},
    )
    if picture.are_named and 0 < len(picture.names) <= MOST_NAMED:
        _name_points(picture, drawn)


@_draw.register
def _(picture: Panels, drawn: Any) -> None:  # noqa: ANN401  (as above)
    num_rows = -(-len(picture.panels) // NUM_ACROSS)
    width = int(WIDTH / NUM_ACROSS / (0.8 * TITLE_SIZE * CHARACTER_WIDTH))
    titles = ["<br>".join(map(escape_markup, wrap_title(panel.title, width).split("\n"))) for panel in picture.panels]
    make_subplots(figure=drawn, rows=num_rows, cols=NUM_ACROSS, subplot_titles=titles, vertical_spacing=0.35 / num_rows)
    drawn.update_annotations(font={"size": 0.75 * TITLE_SIZE})
    styles, shown = choose_styles(picture.groups), set[str]()
    for place, panel in enumerate(picture.panels):
        cell: dict[str, Any] = {"row": place // NUM_ACROSS + 1, "col": place % NUM_ACROSS + 1}
        _add_points(panel, drawn, styles, shown=shown, **cell)
        drawn.update_xaxes(title={"text": escape_markup(panel.x_label)}, **cell)
        drawn.update_yaxes(title={"text": escape_markup(panel.y_label)}, **cell)
    group_title = next((panel.group_title for panel in picture.panels if panel.group_title), "")
    drawn.update_layout(
        legend={"title": {"text": escape_markup(group_title)}}, width=WIDTH + SIDES, height=num_rows * PANEL_HEIGHT + TITLE_SIZE
    )


def _add_points(
    picture: Points,
    drawn: Any,  # noqa: ANN401  (as above)
    styles: Mapping[str, tuple[str, str]],
    *,
    shown: set[str] | None = None,
    **cell: Any,  # noqa: ANN401  (as above)
) -> None:
    """Points with their line.

    Args:
        picture: the points.
        drawn: the figure.
        styles: by group.
        shown: what the legend has already; what is new is added.
        cell: row and column of a panel.
    """
    groups = picture.groups or ("",) * len(picture.names)
    known = set[str]() if shown is None else shown
    if picture.trend is not None:
        _draw_band(drawn, picture.trend, "#d55e00", in_legend=picture.trend.name not in known, **cell)
        known.add(picture.trend.name)
    for group, (colour, marker) in styles.items():
        chosen = [place for place, own in enumerate(groups) if own == group]
        if not chosen:
            continue
        drawn.add_scatter(
            x=picture.x[chosen],
            y=picture.y[chosen],
            mode="markers",
            text=[escape_markup(picture.names[place]) for place in chosen],
            marker={"color": colour, "symbol": SYMBOLS.get(marker, marker), "size": 9},
            name=escape_markup(group),
            showlegend=picture.groups is not None and group not in known,
            hovertemplate="%{text}<br>%{x:.3f}, %{y:.3f}<extra>" + escape_markup(group) + "</extra>",
            **cell,
        )
        known.add(group)


def _name_points(picture: Points, drawn: Any) -> None:  # noqa: ANN401  (as above)
    """Names beside the points or with a line to them, as annotations: these keep their distance in pixels at any zoom."""
    size = 12 if len(picture.names) <= MOST_LARGE else 10
    area = np.array([WIDTH - SIDES, HEIGHT - SIDES], dtype=np.float64)
    ends = [_widen(picture.x), _widen(picture.y)]
    if not picture.x_label:  # distances are read off such a picture
        unit = max((high - low) / side for (low, high), side in zip(ends, area, strict=True))
        ends = [
            ((low + high - unit * side) / 2, (low + high + unit * side) / 2) for (low, high), side in zip(ends, area, strict=True)
        ]
    shares = np.stack(
        [(values - low) / (high - low) for values, (low, high) in zip((picture.x, picture.y), ends, strict=True)], axis=1
    )
    names = picture.labels or picture.names
    sizes = np.array([[len(name) * size * NAME_WIDTH, 1.3 * size] for name in names])
    places = find_label_positions(
        shares * area,
        sizes,
        gap=0.8 * size,
        frame=(0, 0, *area),
    )
    for name, x, y, at, place, (width, _) in zip(names, picture.x, picture.y, shares * area, places, sizes, strict=True):
        if place is not None:
            right, up = place.x - at[0], place.y - at[1]
            side = (
                int(np.sign(right)) if not place.is_far and abs(right) > width / 2 else 0
            )  # the side whose end is beside the point
            led = {"ax": right, "ay": -up, "arrowhead": 0, "arrowwidth": 0.7, "arrowcolor": "#8b939b"}
            drawn.add_annotation(
                x=x,
                y=y,
                text=escape_markup(name),
                font={"size": size, "color": "#30363c"},
                showarrow=place.is_far,
                xanchor=("center", "left", "right")[side],
                **(led if place.is_far else {"xshift": right - side * width / 2, "yshift": up}),
            )
    if left_out := places.count(None):
        drawn.add_annotation(
            x=0,
            y=0,
            xref="paper",
            yref="paper",
            xanchor="left",
            yanchor="bottom",
            text=f"{say_left_out(left_out, len(names))} Point at a marker to see its name.",
            showarrow=False,
        )
    drawn.update_layout(width=WIDTH, height=HEIGHT, margin={"l": SIDES // 3, "r": SIDES - SIDES // 3, "b": SIDES // 3})
    drawn.update_xaxes(range=list(ends[0]))
    drawn.update_yaxes(range=list(ends[1]))


def _widen(values: Float[np.ndarray, " point"]) -> tuple[float, float]:
    """The ends of an axis, with room around all values."""
    low, high = float(values.min()), float(values.max())
    room = 0.12 * (high - low) or 1.0
    return low - room, high + room


@_draw.register
def _(picture: Forks, drawn: Any) -> None:  # noqa: ANN401  (as above)
    names = [escape_markup(name) for name in picture.names]
    for branch in picture.branches:
        drawn.add_scatter(
            x=[position for _, position in branch],
            y=[place for place, _ in branch],
            mode="lines",
            line={"color": "#5b646d", "width": 1.5},
            hovertemplate="%{x:.3f}<extra></extra>",
            showlegend=False,
        )
    end = max(position for branch in picture.branches for _, position in branch)
    for group, (colour, marker) in choose_styles(picture.group_order).items():
        own = [place for place, other in enumerate(picture.groups) if other == group]
        drawn.add_scatter(
            x=[end] * len(own),
            y=own,
            mode="markers",
            text=[names[place] for place in own],
            marker={"color": colour, "symbol": SYMBOLS.get(marker, marker), "size": 10},
            name=escape_markup(group),
            showlegend=True,
            cliponaxis=False,
            hovertemplate="%{text}<extra>" + escape_markup(group) + "</extra>",
        )
    drawn.update_layout(
        height=max(360, 180 + 22 * len(names)),
        legend={
            "title": {"text": escape_markup(picture.group_title)},
            "orientation": "h",
            "yanchor": "top",
            "y": -60 / (40 + 22 * len(names)),
        },
        xaxis={"title": {"text": escape_markup(picture.x_label)}},
        yaxis={
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "range": [len(names) - 0.5, -0.5],
            "side": "right",
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
        },
    )


@_draw.register
def _(picture: Bars, drawn: Any) -> None:  # noqa: ANN401  (as above)
    labels = [escape_markup(label) for label in picture.labels]
    for place, series in enumerate(picture.series):
        ends = None
        if series.low is not None and series.high is not None:
            ends = {"type": "data", "array": series.high - series.lengths, "arrayminus": series.lengths - series.low}
        drawn.add_bar(
            x=series.lengths,
            y=list(range(len(labels))),  # by position: two labels may be equal
            customdata=labels,
            hovertemplate="%{customdata}<br>%{x:.3f}",
            orientation="h",
            error_x=ends,
            name=escape_markup(series.name),
            marker={"color": GROUPS[place % len(GROUPS)]},
        )
    drawn.update_layout(
        barmode="group",
        height=max(360, 120 + 26 * len(labels) * max(1, len(picture.series) // 2 + 1)),
        showlegend=len(picture.series) > 1,
        xaxis={"title": {"text": escape_markup(picture.x_label)}},
        yaxis={
            "tickvals": list(range(len(labels))),
            "ticktext": labels,
            "autorange": "reversed",
            "automargin": True,
            "showgrid": False,
        },
    )


@_draw.register
def _(picture: Curves, drawn: Any) -> None:  # noqa: ANN401  (as above)
    for place, curve in enumerate(picture.curves):
        _draw_band(drawn, curve, GROUPS[place % len(GROUPS)], dash=DASHES[place // len(GROUPS) % len(DASHES)])
    drawn.update_layout(
        showlegend=len(picture.curves) > 1,
        xaxis={"title": {"text": escape_markup(picture.x_label)}, "type": "log" if "x" in picture.logarithmic else "linear"},
        yaxis={"title": {"text": escape_markup(picture.y_label)}, "type": "log" if "y" in picture.logarithmic else "linear"},
    )


def _draw_band(
    drawn: Any,  # noqa: ANN401  (as above)
    band: Band,
    colour: str,
    *,
    dash: str = "solid",
    in_legend: bool = True,
    **cell: Any,  # noqa: ANN401  (as above)
) -> None:
    edge = {"x": band.x, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False, **cell}
    if np.isfinite(band.low).any():
        drawn.add_scatter(y=band.high, **edge)
        red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
        drawn.add_scatter(y=band.low, fill="tonexty", fillcolor=f"rgba({red},{green},{blue},0.18)", **edge)
    drawn.add_scatter(
        x=band.x,
        y=band.y,
        mode="lines",
        line={"color": colour, "dash": dash},
        name=escape_markup(band.name),
        showlegend=bool(band.name) and in_legend,
        **cell,
    )
