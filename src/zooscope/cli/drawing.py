"""A study's scores in the terminal, as `show` and `demo` print them."""

from itertools import combinations
from typing import Final

import numpy as np
import xarray as xr
from rich.console import Console
from rich.table import Table

from zooscope.classifiers.class_matching import describe_matchings
from zooscope.cli.matrix import DOUBT, LONGEST_NAME, draw_matrix, explain_matrix, shorten_name
from zooscope.cli.overview import Overview
from zooscope.scores.extremes import describe_extremes
from zooscope.words import format_attack, format_count, format_interval, format_number, quote_path, shorten_names

NUM_PAIRS: Final = 3
NUM_TARGETS: Final = 8


def draw_overview(console: Console, view: Overview) -> None:
    """Prints a study's scores for people."""
    _draw_heading(console, view)
    console.print()
    draw_matrix(console, view.sat, view.doubtful)
    console.print()
    console.print(explain_matrix(view.names, width=console.width, normalize=view.is_normalized))
    if view.doubtful:
        console.print(
            f"{DOUBT} marks the nearest neighbour of a row where these images don't show that no other one is nearer; "
            "`zooscope closer` tells more."
        )
    if np.isnan(view.sat).any():
        reason = "not measured both ways" if view.one_sided is not None else "not measured yet"
        console.print(f"- is a pair without a score: {reason}, or no image that both classify correctly.")
    if view.one_sided is not None:
        _draw_one_sided(console, view, view.one_sided)
    if view.num_images:
        console.print(_describe_accuracies(view))
        how, _ = describe_matchings(view.class_matchings)
        if how:
            console.print(f"Classes are matched {how}.")
    _draw_pairs(console, view)
    if view.notes:
        console.print()
    for note in view.notes:
        console.print(f"Note: {note}")


def _draw_heading(console: Console, view: Overview) -> None:
    classifiers = format_count(len(view.names), "classifier")
    if not view.num_images:
        console.print(f"{view.study}: {classifiers}, scores imported as published")
        return
    console.print(f"{view.study}: {classifiers}, {view.images}, {format_count(view.num_images, 'image')}")
    console.print(f"Attack: {format_attack(view.attack)}")
    if min(view.num_measured) < view.num_images:
        console.print(_describe_progress(view))


def _describe_progress(view: Overview) -> str:
    fewest, most = view.num_measured
    amount = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    return f"Measured so far: {amount} of {view.num_images} images per pair. To go on: `zooscope measure {quote_path(view.study)}`."


def _describe_accuracies(view: Overview) -> str:
    known = view.classifiers["clean_accuracy"].dropna()
    if known.empty:
        return "Nothing is measured yet."
    ends = dict.fromkeys(f"{end:.0f}" for end in (known.min(), known.max()))
    return f"Clean accuracy: {' to '.join(ends)} %."


def _draw_one_sided(console: Console, view: Overview, scores: xr.DataArray) -> None:
    """The targets that each source's attack fools most, a row per source."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Source", overflow="fold")
    normalised = "normalised " if view.is_normalized else ""
    table.add_column(f"Nearest targets, with {normalised}one-sided SAT (natural logarithm)", ratio=1, overflow="fold")
    short = shorten_names(view.names)
    for source in view.sources:
        row = scores.sel(source=source).drop_sel(target=source)
        order = sorted((float(value), str(name)) for name, value in zip(row["target"].to_numpy(), row.to_numpy(), strict=True))
        known = [f"{short[name]} {format_number(value)}" for value, name in reversed(order) if not np.isnan(value)]
        table.add_row(short[source], ", ".join(known[:NUM_TARGETS]) or "-")
    console.print()
    console.print(table)


def _draw_pairs(console: Console, view: Overview) -> None:
    values = view.sat.to_numpy()
    pairs = [pair for pair in combinations(range(len(view.names)), 2) if not np.isnan(values[pair])]
    order = sorted(pairs, key=lambda pair: -values[pair])
    if not order:
        return
    near, far = order[:NUM_PAIRS], order[NUM_PAIRS:][-NUM_PAIRS:]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Nearest and farthest" if far else "Pairs", ratio=1, overflow="fold")
    interval = f"{100 * view.sat.attrs['confidence']:g} % interval"
    score = "normalised SAT" if view.is_normalized else "SAT"
    for heading in (score, interval, "percent", "images") if view.num_images else (score, "percent"):
        table.add_column(heading, justify="right", no_wrap=True)
    for pair in near:
        table.add_row(*_make_row(view, *pair))
    if len(order) > len(near) + len(far):
        table.add_row("...")
    for pair in far:
        table.add_row(*_make_row(view, *pair))
    console.print()
    console.print(table)
    if view.extremes is not None and (
        told := describe_extremes(view.extremes, num_images=view.num_images, confidence=view.sat.attrs["confidence"])
    ):
        console.print()
        console.print(told)


def _make_row(view: Overview, row: int, column: int) -> tuple[str, ...]:
    names = [shorten_name(name, LONGEST_NAME).rstrip() for name in shorten_names(view.names).values()]
    cell = view.sat[row, column]
    pair, score, percent = f"{names[row]} and {names[column]}", format_number(float(cell)), format_number(float(cell.percent), 1)
    if not view.num_images:
        return pair, score, percent
    return pair, score, format_interval(float(cell.low), float(cell.high)), percent, str(int(cell["count"]))
