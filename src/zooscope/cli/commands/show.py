"""`zooscope show`: a study's scores in the terminal."""

from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from zooscope.cli.options import CONFIDENCE, Confidence, ExistingStudy, Json
from zooscope.cli.terminal import say_json, stdout

if TYPE_CHECKING:
    from zooscope.cli.overview import Overview

EXAMPLE: Final = "zooscope show STUDY --json | jq .sat"
NUM_PAIRS: Final = 3


def show(study: ExistingStudy, confidence: Confidence = CONFIDENCE, as_json: Json = False) -> None:
    """Print the scores of a study.

    Tells how alike its classifiers are: the matrix, the nearest and the farthest pairs with their intervals, and what to bear in
    mind. While `measure` runs, it shows what is measured so far.
    """
    from zooscope.cli import overview
    from zooscope.study.recorded import RecordedStudy

    with RecordedStudy.read(study) as opened:
        view = overview.overview(opened, confidence=confidence)
    if as_json:
        say_json(overview.as_json(view))
    else:
        draw(stdout(), view)


def draw(console: Console, view: "Overview") -> None:
    """Prints a study's scores for a person to read."""
    from zooscope.cli.matrix import draw_matrix, explanation

    _draw_heading(console, view)
    console.print()
    draw_matrix(console, view.sat)
    console.print()
    console.print(explanation(view.names, width=console.width))
    if np.isnan(view.sat).any():
        console.print("- is a pair without a score: not measured yet, or no image that both classify correctly.")
    if view.num_images:
        console.print(_accuracies(view))
    _draw_pairs(console, view)
    if view.notes:
        console.print()
    for note in view.notes:
        console.print(f"Note: {note}")


def _draw_heading(console: Console, view: "Overview") -> None:
    classifiers = _how_many(len(view.names), "classifier")
    if not view.num_images:
        console.print(f"{view.study}: {classifiers}, scores imported as published")
        return
    console.print(f"{view.study}: {classifiers}, {view.images}, {_how_many(view.num_images, 'image')}")
    console.print(f"Attack: {attack_in_words(view.attack)}")
    if min(view.num_measured) < view.num_images:
        console.print(_so_far(view))


def attack_in_words(attack: dict[str, Any]) -> str:
    """The attack's name and settings."""
    settings = [f"{key.replace('_', ' ')} {_setting(value)}" for key, value in attack.items() if key != "attack"]
    return f"{attack['attack']}, {', '.join(settings)}"


def _setting(value: Any) -> str:  # noqa: ANN401  (a setting of any type)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value >= 1 / 255 and abs(value * 255 - round(value * 255)) < 1e-6:  # noqa: PLR2004
        return f"{round(value * 255)}/255"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _how_many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _so_far(view: "Overview") -> str:
    fewest, most = view.num_measured
    amount = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    return f"Measured so far: {amount} of {view.num_images} images per pair. To go on: zooscope measure {view.study}"


def _accuracies(view: "Overview") -> str:
    known = view.classifiers["clean_accuracy"].dropna()
    if known.empty:
        return "Nothing is measured yet."
    ends = dict.fromkeys(f"{end:.0f}" for end in (known.min(), known.max()))
    return f"Clean accuracy: {' to '.join(ends)} %."


def _draw_pairs(console: Console, view: "Overview") -> None:
    values = view.sat.to_numpy()
    pairs = [pair for pair in combinations(range(len(view.names)), 2) if not np.isnan(values[pair])]
    order = sorted(pairs, key=lambda pair: -values[pair])
    if not order:
        return
    near, far = order[:NUM_PAIRS], order[NUM_PAIRS:][-NUM_PAIRS:]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Nearest and farthest" if far else "Pairs", ratio=1, overflow="fold")
    interval = f"{100 * view.sat.attrs['confidence']:g} % interval"
    for heading in ("SAT", interval, "percent", "images") if view.num_images else ("SAT", "percent"):
        table.add_column(heading, justify="right", no_wrap=True)
    for pair in near:
        table.add_row(*_pair(view, *pair))
    if len(order) > len(near) + len(far):
        table.add_row("...")
    for pair in far:
        table.add_row(*_pair(view, *pair))
    console.print()
    console.print(table)


def _pair(view: "Overview", row: int, column: int) -> tuple[str, ...]:
    from zooscope.cli.matrix import LONGEST_NAME, fitted_name, short_names

    names = [fitted_name(name, LONGEST_NAME).rstrip() for name in short_names(view.names)]
    cell = view.sat[row, column]
    pair, score, percent = f"{names[row]} and {names[column]}", f"{float(cell):.2f}", f"{float(cell.percent):.1f}"
    if not view.num_images:
        return pair, score, percent
    return pair, score, f"{float(cell.low):.2f} to {float(cell.high):.2f}", percent, str(int(cell["count"]))
