"""Output: results to stdout, everything else to stderr; colour only on a terminal.

Names, paths and errors are untrusted. They are never read as markup, and control characters are escaped.
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

from zooscope.cli.wrapping import wrap_text
from zooscope.errors import ZooscopeWarning
from zooscope.words import escape_controls, escape_in_json

INTERRUPTED: Final = 130  # the exit status after Ctrl-C


class Terminal(Console):
    """A console that escapes control characters and breaks no command in the middle; newlines are kept."""

    def __init__(self, *, is_stderr: bool = False) -> None:
        """A console on stdout or stderr."""
        super().__init__(stderr=is_stderr, markup=False, emoji=False, highlight=False)

    def print(self, *objects: Any, **options: Any) -> None:  # noqa: ANN401  (as of Console)
        """A plain text alone is wrapped between its words; everything else is printed as Rich does."""
        if len(objects) == 1 and isinstance(objects[0], str) and not options:
            text = wrap_text(escape_controls(objects[0], keep_newlines=True), self.width)
            super().print(Text(text), soft_wrap=True)
        else:
            super().print(*objects, **options)

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401  (as of Console)
        """A text, escaped before its width is measured; every plain text and every table cell passes through here."""
        return super().render_str(escape_controls(text, keep_newlines=True), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Everything else, escaped last."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=escape_controls(segment.text, keep_newlines=True))


def stdout() -> Console:
    """The console for results."""
    return Terminal()


def stderr() -> Console:
    """The console for progress, notes and errors."""
    return Terminal(is_stderr=True)


def say(line: str) -> None:
    """Prints a line on stdout; leading newlines are kept. Only a terminal gets it wrapped: a pipe has one line for one line."""
    _print_line(stdout(), line)


def tell(line: str) -> None:
    """Prints a line on stderr, in the same way."""
    _print_line(stderr(), line)


def _print_line(console: Console, line: str) -> None:
    text = _escape_newlines(line)
    console.print(Text(wrap_text(text, console.width) if console.is_terminal else text), soft_wrap=True)


def _escape_newlines(text: str) -> str:
    """Escapes newlines, so that a name with one doesn't look like another line."""
    line = text.lstrip("\n")
    return text[: len(text) - len(line)] + escape_controls(line)


def say_json(value: object) -> None:
    """Prints one JSON value on stdout; NaN must be None already."""
    sys.stdout.write(escape_in_json(json.dumps(value, allow_nan=False, ensure_ascii=False)) + "\n")


@contextmanager
def show_warnings_as_notes() -> Iterator[None]:
    """Shows each of zooscope's warnings once as a line on stderr; others as Python does."""
    said = set[str]()
    with warnings.catch_warnings():
        warnings.simplefilter("always", ZooscopeWarning)
        show_as_python_does = warnings.showwarning

        def show(  # noqa: PLR0917  (as warnings.showwarning)
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if not issubclass(category, ZooscopeWarning):
                show_as_python_does(message, category, filename, lineno, file, line)
            elif str(message) not in said:
                said.add(str(message))
                tell(f"Note: {message}")

        warnings.showwarning = show
        yield


@contextmanager
def collect_notes() -> Iterator[list[str]]:
    """Collects zooscope's warnings as texts, to show with the result."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ZooscopeWarning)
        yield notes
    for warning in caught:
        if not issubclass(warning.category, ZooscopeWarning):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        elif str(warning.message) not in notes:
            notes.append(str(warning.message))
