"""What is written where: results to stdout, all else to stderr; in colour on a terminal only.

Names, paths and errors may come from anyone. They are never read as markup, and what would steer the terminal is shown escaped.
"""

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from zooscope.errors import ClassOrderWarning, EmptyPairWarning, LeftOutWarning, OneSidedWarning, WeakSourceWarning
from zooscope.words import escape_controls, escape_in_json

INTERRUPTED: Final = 130  # what a shell expects of a program that Ctrl-C ended
OUR_WARNINGS: Final = (ClassOrderWarning, EmptyPairWarning, LeftOutWarning, OneSidedWarning, WeakSourceWarning)


class Terminal(Console):
    """A console on which control characters in what is printed are shown and not obeyed; newlines stay."""

    def __init__(self, *, is_stderr: bool = False) -> None:
        """Takes stdout, or stderr."""
        super().__init__(stderr=is_stderr, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401  (as of Console)
        """A text, escaped before its width is measured: this is what every plain text and every cell of a table goes through."""
        return super().render_str(escape_controls(text, keep_newlines=True), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Whatever else is printed, escaped at last."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=escape_controls(segment.text, keep_newlines=True))


def stdout() -> Console:
    """Where results go."""
    return Terminal()


def stderr() -> Console:
    """Where progress, notes and errors go."""
    return Terminal(is_stderr=True)


def say(line: str) -> None:
    """A line on stdout, however long; empty ones may stand in front."""
    stdout().print(_join_lines(line), soft_wrap=True)


def tell(line: str) -> None:
    """A line on stderr, however long."""
    stderr().print(_join_lines(line), soft_wrap=True)


def _join_lines(text: str) -> str:
    """A name with a newline in it can't pass for another line."""
    line = text.lstrip("\n")
    return text[: len(text) - len(line)] + escape_controls(line)


def say_json(value: object) -> None:
    """One JSON value on stdout; NaN must have become None before."""
    sys.stdout.write(escape_in_json(json.dumps(value, allow_nan=False, ensure_ascii=False)) + "\n")


@contextmanager
def show_warnings_as_notes() -> Iterator[None]:
    """Shows each of our warnings once as a line on stderr; others as Python does."""
    said = set[str]()
    with warnings.catch_warnings():
        for category in OUR_WARNINGS:
            warnings.simplefilter("always", category)
        show_as_python_does = warnings.showwarning

        def show(  # noqa: PLR0917  (as warnings.showwarning)
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if not issubclass(category, OUR_WARNINGS):
                show_as_python_does(message, category, filename, lineno, file, line)
            elif str(message) not in said:
                said.add(str(message))
                tell(f"Note: {message}")

        warnings.showwarning = show
        yield


@contextmanager
def collect_notes() -> Iterator[list[str]]:
    """Takes our warnings as texts, to be shown with the result."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        for category in OUR_WARNINGS:
            warnings.simplefilter("always", category)
        yield notes
    for warning in caught:
        if not issubclass(warning.category, OUR_WARNINGS):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        elif str(warning.message) not in notes:
            notes.append(str(warning.message))
