"""A matrix in colours: a table with numbers where it is small, else a picture of bounded size."""

import base64
import io
from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float, Integer
from PIL import Image

from zooscope.inline.facts import escape
from zooscope.words import cut_middle, format_number, shorten_names

MOST_WITH_NUMBERS: Final = 12
MOST_PIXELS: Final = 256  # beyond, a pixel is the mean of several cells
WIDTH: Final = 480  # of the picture on the page
LONGEST_NAME: Final = 32
THUMBNAIL: Final = 48  # pixels
LONGEST_CAPTION: Final = 12
# From dark to bright, told apart by colour-blind people, too, and in print: viridis at its quarters.
SCALE: Final = np.array([[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]], dtype=np.float64)
UNKNOWN_COLOUR: Final = (200, 200, 200)
_BRIGHT: Final = 0.179  # relative luminance at which black and white have the same contrast
_NAME: Final = "text-align: left; font-weight: normal"
_CELL: Final = "text-align: right; padding: 1px 5px"


def format_heat_map(values: Float[np.ndarray, "row column"], rows: Sequence[str], columns: Sequence[str], title: str) -> str:
    """A matrix as HTML: colours from the lowest to the highest value, grey where there is none.

    Example:
        >>> print(format_heat_map(np.array([[1.0]]), ["a"], ["b"], "SAT")[:4])
        <div

    Args:
        values: of the cells; NaN for unknown ones.
        rows: names of the rows.
        columns: names of the columns.
        title: what the values are.
    """
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (np.nan, np.nan)
    draw = _draw_table if max(values.shape, default=0) <= MOST_WITH_NUMBERS else _draw_picture
    span = f"{format_number(low)} {_draw_scale()} {format_number(high)}" if len(known) else "no value is known yet"
    size = f"{len(rows)} x {len(columns)}"
    return f"<div><div>{escape(title)}, {size}: {span}</div>{draw(values, low, high, rows, columns)}</div>"


def find_colours(values: Float[np.ndarray, "row column"], low: float, high: float) -> Integer[np.ndarray, "row column 3"]:
    """Red, green and blue of every cell, 0 to 255.

    >>> find_colours(np.array([[0.0, 1.0, np.nan]]), 0.0, 1.0)[0].tolist()
    [[68, 1, 84], [253, 231, 37], [200, 200, 200]]
    """
    place = np.nan_to_num((values - low) / max(high - low, 1e-12)).clip(0, 1) * (len(SCALE) - 1)
    steps = np.arange(len(SCALE))
    mixed = np.stack([np.interp(place, steps, SCALE[:, channel]) for channel in range(3)], axis=-1)
    return np.where(np.isfinite(values)[..., None], mixed.round(), UNKNOWN_COLOUR).astype(np.uint8)


def _draw_table(values: np.ndarray, low: float, high: float, rows: Sequence[str], columns: Sequence[str]) -> str:
    """Numbered rows with names, numbered columns; where both have other names, columns have names, too."""
    colours, short = find_colours(values, low, high), shorten_names([*rows, *columns])
    is_square = list(rows) == list(columns)
    heads = [str(place + 1) if is_square else escape(cut_middle(short[name], LONGEST_NAME)) for place, name in enumerate(columns)]
    lines = ["<tr><th></th>" + "".join(f'<th style="{_CELL}">{head}</th>' for head in heads) + "</tr>"]
    for place, name in enumerate(rows):
        label = f"{f'{place + 1} ' if is_square else ''}{cut_middle(short[name], LONGEST_NAME)}"
        cells = "".join(map(_draw_cell, values[place].tolist(), colours[place].tolist()))
        lines.append(f'<tr><th style="{_NAME}" title="{escape(name)}">{escape(label)}</th>{cells}</tr>')
    return f'<table style="border-collapse: collapse">{"".join(lines)}</table>'


def _draw_cell(value: float, colour: Sequence[int]) -> str:
    red, green, blue = colour
    ink = "#000" if _find_luminance(colour) > _BRIGHT else "#fff"
    return f'<td style="{_CELL}; background: rgb({red}, {green}, {blue}); color: {ink}">{format_number(value)}</td>'


def _find_luminance(colour: Sequence[int]) -> float:
    """Relative luminance as of WCAG 2.2, from 0 to 1."""
    shares = np.asarray(colour) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004  (of sRGB)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))


def _draw_picture(values: np.ndarray, low: float, high: float, rows: Sequence[str], columns: Sequence[str]) -> str:
    small = average_blocks(values, MOST_PIXELS)
    picture = _encode(find_colours(small, low, high))
    height = max(1, round(WIDTH * len(rows) / max(len(columns), 1)))
    per_pixel = -(-max(values.shape) // MOST_PIXELS)
    note = f"<div>Each pixel is the mean of up to {per_pixel} x {per_pixel} cells.</div>" if per_pixel > 1 else ""
    label = escape(f"heat map of {len(rows)} x {len(columns)} values from {format_number(low)} to {format_number(high)}")
    style = f"image-rendering: pixelated; width: {WIDTH}px; height: {min(height, WIDTH)}px; max-width: 100%"
    return f'<img alt="{label}" style="{style}" src="{picture}">{note}'


def average_blocks(values: Float[np.ndarray, "row column"], most: int) -> Float[np.ndarray, "small_row small_column"]:
    """A matrix of at most `most` rows and columns: means of square blocks, NaN where nothing in a block is known.

    >>> average_blocks(np.array([[1.0, 3.0], [5.0, np.nan]]), 1)
    array([[3.]])
    """
    size = -(-max(values.shape) // most)
    if size <= 1:
        return values
    starts = [np.arange(0, length, size) for length in values.shape]
    known = np.isfinite(values)
    total, count = (
        np.add.reduceat(np.add.reduceat(part, starts[0], axis=0), starts[1], axis=1)
        for part in (np.where(known, values, 0.0), known.astype(np.float64))
    )
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def _draw_scale() -> str:
    colours = ", ".join(f"rgb({int(red)}, {int(green)}, {int(blue)})" for red, green, blue in SCALE)
    style = f"display: inline-block; width: 6em; height: 0.8em; background: linear-gradient(to right, {colours})"
    return f'<span style="{style}"></span>'


def _encode(colours: Integer[np.ndarray, "row column 3"]) -> str:
    out = io.BytesIO()
    Image.fromarray(colours).save(out, format="PNG", optimize=True)
    return encode_png(out.getvalue())


def encode_png(data: bytes) -> str:
    """A picture as the address of an `<img>`."""
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def format_thumbnail(image: Image.Image, caption: str) -> str:
    """A small picture above its caption."""
    out = io.BytesIO()
    small = image.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    small.save(out, format="PNG")
    style = "display: inline-block; margin: 4px 8px 0 0; text-align: center; vertical-align: top; font-size: smaller"
    size = f"width: {THUMBNAIL}px; height: {THUMBNAIL}px; object-fit: contain"
    text = escape(cut_middle(caption, LONGEST_CAPTION))
    return f'<span style="{style}"><img alt="" style="{size}" src="{encode_png(out.getvalue())}"><br>{text}</span>'
