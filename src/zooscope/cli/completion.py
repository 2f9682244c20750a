"""Tab completion: names of a study's classifiers, read from its record in a fraction of a second."""

import io
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Final

SEPARATOR: Final = ","
BREAKS: Final = frozenset({":", "="})  # where bash ends a word
WORDS, PLACE, SHELL = "COMP_WORDS", "COMP_CWORD", "_ZOOSCOPE_COMPLETE"  # variables that the shell's script sets


def complete_classifier(ctx: Any, incomplete: str) -> list[str]:  # noqa: ANN401  (a class of Typer's or of Click's, by version)
    """The names of the classifiers of the command's study that begin so; none where it can't be read.

    Where a word names several classifiers, separated by commas, its last name is completed. A name that a shell would read as more
    than a word is left out: the shell puts completions into the command line as they are.
    """
    from zooscope.errors import ZooscopeError
    from zooscope.records.entries import DATABASE
    from zooscope.records.records import Records

    study = ctx.params.get("study") or next(iter(ctx.args), None)  # where an option has no value yet, nothing is parsed
    if study is None:
        return []
    done, comma, begun = incomplete.rpartition(SEPARATOR)
    try:
        with Records.open(Path(study) / DATABASE) as records:
            return [f"{done}{comma}{name}" for name in records.wanted if name.startswith(begun) and shlex.quote(name) == name]
    except ZooscopeError:
        return []


@contextmanager
def words_of_bash() -> Iterator[None]:
    """Within it, the words that bash asks to complete are whole, as `bundled:vit` is; what is printed is what bash replaces.

    Bash ends words at `:` and `=`, so that it asks for the last piece of a name alone, and puts the answer in its place.
    """
    if os.environ.get(SHELL) != "complete_bash" or WORDS not in os.environ or PLACE not in os.environ:
        yield
        return
    words = join_pieces(os.environ[WORDS].split("\n")[: int(os.environ[PLACE]) + 1])
    os.environ[WORDS], os.environ[PLACE] = "\n".join(words), str(len(words) - 1)
    option, _, value = words[-1].partition("=")
    begun = value if option.startswith("-") else words[-1]
    fixed = max(begun.rfind(mark) for mark in BREAKS) + 1
    answers = io.StringIO()
    try:
        with redirect_stdout(answers):
            yield
    finally:
        sys.stdout.write("".join(f"{line[fixed:]}\n" for line in answers.getvalue().splitlines()))


def join_pieces(pieces: list[str]) -> list[str]:
    """The words that bash has taken apart.

    >>> join_pieces(["zooscope", "card", "study", "bundled", ":", "v"])
    ['zooscope', 'card', 'study', 'bundled:v']
    """
    words: list[str] = []
    before = ""
    for piece in pieces:
        if words and before and (piece in BREAKS or before in BREAKS):
            words[-1] += piece
        else:
            words.append(piece)
        before = piece
    return words
