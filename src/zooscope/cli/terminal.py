"""What is written where: results to stdout, all else to stderr; in colour on a terminal only. Names are never read as markup."""

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from rich.console import Console

from zooscope.errors import EmptyPairWarning, WeakSourceWarning

INTERRUPTED: Final = 130  # what a shell expects of a program that Ctrl-C ended
OUR_WARNINGS: Final = (EmptyPairWarning, WeakSourceWarning)


def stdout() -> Console:
    """Where results go."""
    return Console(markup=False, emoji=False, highlight=False)


def stderr() -> Console:
    """Where progress, notes and errors go."""
    return Console(stderr=True, markup=False, emoji=False, highlight=False)


def say(line: str) -> None:
    """A line on stdout, however long."""
    stdout().print(line, soft_wrap=True)


def tell(line: str) -> None:
    """A line on stderr, however long."""
    stderr().print(line, soft_wrap=True)


def say_json(value: object) -> None:
    """One JSON value on stdout; NaN must have become None before."""
    sys.stdout.write(json.dumps(value, allow_nan=False, ensure_ascii=False) + "\n")


@contextmanager
def notes_for_warnings() -> Iterator[None]:
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
def collected_notes() -> Iterator[list[str]]:
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
