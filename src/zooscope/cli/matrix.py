"""A matrix of scores that fits the width of a terminal."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray as xr
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from zooscope.words import escape_controls, shorten_names

MOST_WITH_DECIMALS: Final = 8
LONGEST_NAME: Final = 24
SHORTEST_NAME: Final = 14
HUNDRED: Final = "**"  # 100 would fill a cell of three characters without a space
DOUBT: Final = "?"  # takes the place of the space before a number
COLOURS: Final = ("", "cyan", "green", "yellow", "red")  # a fifth of the pairs each, the least similar first


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The layout of a matrix.

    Attributes:
        decimals: whether SAT is shown, else percent.
        name_width: characters of a name.
        cell_width: characters of a cell, including the space before it.
        num_columns: cells in a line; more classifiers than that make several blocks.
    """

    decimals: bool
    name_width: int
    cell_width: int
    num_columns: int


def choose_layout(names: Sequence[str], *, width: int) -> Layout:
    """The widest cells that fit, then the longest names."""
    count, longest = len(names), max(map(cell_len, names))
    number_width = len(str(count)) + 1
    decimals = count <= MOST_WITH_DECIMALS
    wanted = min(longest, LONGEST_NAME)
    widths = (7, 6) if decimals else (4, 3) if count < 100 else (4,)  # noqa: PLR2004  (numbers of three digits head the columns)
    for cell_width in widths:
        room = width - number_width - count * cell_width
        if room >= min(wanted, SHORTEST_NAME):
            return Layout(decimals=decimals, name_width=min(longest, room), cell_width=cell_width, num_columns=count)
    room = width - number_width - wanted
    return Layout(decimals=decimals, name_width=wanted, cell_width=widths[-1], num_columns=max(1, room // widths[-1]))


def draw_matrix(console: Console, sat: xr.DataArray, doubtful: Collection[tuple[int, int]] = ()) -> None:
    """Prints the matrix: numbered columns, numbered and named rows, in colour on a terminal.

    Args:
        console: where to.
        sat: the scores.
        doubtful: cells that are marked with a question mark, by row and column.
    """
    names = [escape_controls(name) for name in shorten_names([str(name) for name in sat["a"].to_numpy()]).values()]
    plan = choose_layout(names, width=console.width)
    for start in range(0, len(names), plan.num_columns):
        _draw_block(console, sat, names, plan, range(start, min(start + plan.num_columns, len(names))), doubtful)
    for place, name in enumerate(names):
        if cell_len(name) > plan.name_width:
            console.print(f"{place + 1:>{len(str(len(names)))}}: {name}")


def explain_matrix(names: Sequence[str], *, width: int, normalize: bool = False) -> str:
    """The meaning of the matrix's numbers."""
    plan = choose_layout(list(shorten_names(names).values()), width=width)
    divided = "each divided by how many of the same images fool the source itself, " if normalize else ""
    diagonal = "" if normalize else " The diagonal is the attack's success on the classifier itself."
    if plan.decimals:
        most = f"{np.log(100):.2f} is {'as many as fool the source' if normalize else 'the most'}"
        return (
            f"{'Normalised ' if normalize else ''}SAT: the natural logarithm of how many images per hundred an attack made on one "
            f"classifier fools the other on, {divided}mean of both directions; {most}.{diagonal}"
        )
    hundred = f", {HUNDRED} is 100{' or more' if normalize else ''}" if plan.cell_width < 4 else ""  # noqa: PLR2004
    return (
        f"Percent of images on which an attack made on one classifier fools the other, {divided}mean of both directions "
        f"({'normalised ' if normalize else ''}SAT is its natural logarithm){hundred}.{diagonal}"
    )


def _draw_block(  # noqa: PLR0917  (the parts of one drawing)
    console: Console,
    sat: xr.DataArray,
    names: Sequence[str],
    plan: Layout,
    columns: range,
    doubtful: Collection[tuple[int, int]],
) -> None:
    number_width = len(str(len(names)))
    heading = Text(" " * (number_width + 1 + plan.name_width))
    for column in columns:
        heading.append(f"{column + 1:>{plan.cell_width}}", style="bold")
    console.print(heading, soft_wrap=True)
    values, colours = sat.to_numpy() if plan.decimals else sat.percent.to_numpy(), _choose_colours(sat.to_numpy())
    for row, name in enumerate(names):
        line = Text(f"{row + 1:>{number_width}} ", style="bold")
        line.append(shorten_name(name, plan.name_width), style="not bold")
        for column in columns:
            text = DOUBT * ((row, column) in doubtful) + _format_cell(values[row, column], plan)
            line.append(text.rjust(plan.cell_width), style=f"not bold {colours[row][column]}")
        console.print(line, soft_wrap=True)


def _format_cell(value: float, plan: Layout) -> str:
    if np.isnan(value):
        return "-"
    text = f"{value:.2f}" if plan.decimals else f"{value:.0f}"
    return text if len(text) < plan.cell_width else HUNDRED


def shorten_name(name: str, width: int) -> str:
    """Cuts a long name in the middle, since names often differ at their ends."""
    if cell_len(name) <= width:
        return set_cell_size(name, width)
    front = (width - 1) // 2
    back = name[::-1]
    return set_cell_size(name, front) + "~" + set_cell_size(back, width - 1 - front)[::-1]


def _choose_colours(sat: np.ndarray) -> Any:  # noqa: ANN401  (what numpy's tolist gives: rows of names)
    """A colour for every pair, none for the diagonal and NaN."""
    pairs = ~np.eye(len(sat), dtype=bool) & ~np.isnan(sat)
    values = np.sort(sat[pairs])
    middle_rank = (np.searchsorted(values, sat, side="left") + np.searchsorted(values, sat, side="right")) / 2
    fifth = (len(COLOURS) * middle_rank / max(len(values), 1)).astype(int).clip(max=len(COLOURS) - 1)
    return np.where(pairs, np.array(COLOURS)[fifth], "").tolist()
