"""Interactive pictures, by plotly: one `.html` file that loads nothing."""

from functools import singledispatch
from typing import IO, Any, assert_never

import numpy as np
import plotly.graph_objects as go

from zooscope.pictures.colours import GROUPS, SEQUENCE, choose_styles
from zooscope.pictures.data import Band, Bars, Curves, HeatMap, Picture, Points
from zooscope.words import escape_markup


def write(picture: Picture, file: IO[bytes]) -> None:
    """Draws a picture into a file."""
    page = make_figure(picture).to_html(include_plotlyjs=True, full_html=True, div_id="picture", config={"displaylogo": False})
    file.write(page.encode("utf-8"))


def make_figure(picture: Picture) -> Any:  # noqa: ANN401  (plotly is untyped)
    """A picture as a plotly figure."""
    drawn = go.Figure(layout={"template": "plotly_white", "title": {"text": escape_markup(picture.title)}})
    _draw(picture, drawn)
    return drawn


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
    size = max(480, 14 * len(rows) + 240)
    drawn.update_layout(
        width=size + 120,
        height=size,
        xaxis={"tickvals": list(range(len(columns))), "ticktext": columns, "showgrid": False},
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
    if picture.trend is not None:
        _draw_band(drawn, picture.trend, "#d55e00")
    for group, (colour, marker) in choose_styles(groups).items():
        chosen = [place for place, own in enumerate(groups) if own == group]
        drawn.add_scatter(
            x=picture.x[chosen],
            y=picture.y[chosen],
            mode="markers+text" if picture.are_named and len(picture.names) <= 30 else "markers",  # noqa: PLR2004  (more would cover each other)
            text=[escape_markup(picture.names[place]) for place in chosen],
            textposition="middle right",
            cliponaxis=False,  # names at the right edge may extend beyond it
            marker={"color": colour, "symbol": {"triangle": "triangle-up", "cross": "x"}.get(marker, marker), "size": 9},
            name=escape_markup(group),
            showlegend=picture.groups is not None,
            hovertemplate="%{text}<br>%{x:.3f}, %{y:.3f}<extra>" + escape_markup(group) + "</extra>",
        )
    bare = {} if picture.x_label else {"showticklabels": False, "zeroline": False, "showgrid": False}
    drawn.update_layout(
        legend={"title": {"text": escape_markup(picture.group_title)}},
        xaxis={"title": {"text": escape_markup(picture.x_label)}, **bare},
        yaxis={"title": {"text": escape_markup(picture.y_label)}, **bare},
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
            y=labels,
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
        yaxis={"autorange": "reversed", "automargin": True},
    )


@_draw.register
def _(picture: Curves, drawn: Any) -> None:  # noqa: ANN401  (as above)
    for place, curve in enumerate(picture.curves):
        _draw_band(drawn, curve, GROUPS[place % len(GROUPS)])
    drawn.update_layout(
        showlegend=len(picture.curves) > 1,
        xaxis={"title": {"text": escape_markup(picture.x_label)}, "type": "log" if "x" in picture.logarithmic else "linear"},
        yaxis={"title": {"text": escape_markup(picture.y_label)}, "type": "log" if "y" in picture.logarithmic else "linear"},
    )


def _draw_band(drawn: Any, band: Band, colour: str) -> None:  # noqa: ANN401  (as above)
    edge = {"x": band.x, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    if np.isfinite(band.low).any():
        drawn.add_scatter(y=band.high, **edge)
        red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
        drawn.add_scatter(y=band.low, fill="tonexty", fillcolor=f"rgba({red},{green},{blue},0.18)", **edge)
    drawn.add_scatter(
        x=band.x, y=band.y, mode="lines", line={"color": colour}, name=escape_markup(band.name), showlegend=bool(band.name)
    )
