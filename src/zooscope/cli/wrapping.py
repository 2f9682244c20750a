"""Text that is broken into lines between words, but never inside a command."""

import re
from typing import Final

from rich.cells import cell_len

_WORD: Final = re.compile(r"(?:`[^`\n]+`|\S)+")  # a stretch in backticks is one word, with whatever is attached to it
_WHOLE: Final = re.compile(r"`[^`]+`|--[a-z][a-z-]+")
_SPACE, _HYPHEN = "\ue000", "\ue001"  # of private use: no text has them, and no wrapper breaks there


def wrap_text(text: str, width: int) -> str:
    """A text with lines of at most `width` characters, where its words allow it.

    Example:
        >>> print(wrap_text("To see it: `zooscope show study`, or draw it.", 24))
        To see it:
        `zooscope show study`,
        or draw it.

    Args:
        text: its own line breaks and the indentation of its lines are kept; commands are in backticks.
        width: columns of the terminal.
    """
    return "\n".join(line if cell_len(line) <= width else _wrap_line(line, width) for line in text.split("\n"))


def _wrap_line(line: str, width: int) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    lines = [""]
    for word in _WORD.findall(line):
        longer = f"{lines[-1]} {word}" if lines[-1] else indent + word
        if lines[-1] and cell_len(longer) > width:
            lines.append(indent + word)
        else:
            lines[-1] = longer
    return "\n".join(lines)


def glue(text: str) -> str:
    """A text whose commands and options no other wrapper breaks; `unglue` gives it back."""
    return _WHOLE.sub(lambda found: re.sub(r"\s+", _SPACE, found[0]).replace("-", _HYPHEN), text)


def unglue(text: str) -> str:
    """The text that `glue` was given."""
    return text.replace(_SPACE, " ").replace(_HYPHEN, "-")
