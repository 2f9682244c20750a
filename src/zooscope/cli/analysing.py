"""Shared by the commands of the analyses: read a study, print an answer as text or JSON, and draw it into files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from zooscope.cli.terminal import say_json, stdout, tell

if TYPE_CHECKING:
    from zooscope.pictures.data import Picture

Out = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="Draw the answer: .png, .svg and .pdf to print, .html to explore, .csv for its numbers. May be given several times.",
        show_default=False,
    ),
]
AnalysisSeed = Annotated[int, typer.Option("--seed", metavar="NUMBER", help="The seed of everything random.")]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The result of a command, in each form that can be requested; only requested forms are made.

    Attributes:
        text: prints it for people, at any width from 80 columns on.
        values: gives it as one JSON object, which may contain NaN and NumPy's numbers.
        picture: gives the picture.
    """

    text: Callable[[Console], None]
    values: Callable[[], dict[str, Any]]
    picture: "Callable[[], Picture]"


def run_analysis(find: Callable[[], Answer], *, as_json: bool, out: Sequence[Path] | None) -> None:
    """Finds an answer, draws it into files, and prints it.

    Raises:
        InvalidValueError: a file's name has an ending that can't be drawn; raised before the work begins.
        StudyError: a file can't be written.
    """
    from zooscope.pictures.draw import require_ending, save

    for file in out or ():
        require_ending(file)
    answer = find()
    if out:
        picture = answer.picture()
        for file in out:
            save(picture, file)
            tell(f"The picture: {file}")
    if as_json:
        say_json(make_plain(answer.values()))
    else:
        answer.text(stdout())


def make_plain(value: Any) -> Any:  # noqa: ANN401  (whatever results hold)
    """The same in JSON's types: lists, texts, numbers; None for NaN and infinity."""
    if hasattr(value, "to_dict"):  # a pandas table becomes a list of rows, a series an object
        value = value.to_dict(orient="records") if hasattr(value, "columns") else value.to_dict()
    elif hasattr(value, "tolist"):  # NumPy's arrays and numbers
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): make_plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [make_plain(part) for part in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def make_table(*headings: str, numbers: Sequence[str] = ()) -> Table:
    """An empty table of the commands' style.

    Args:
        headings: of the columns.
        numbers: headings of the columns with numbers, aligned right.
    """
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        is_number = heading in numbers
        made.add_column(heading, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold")
    return made
