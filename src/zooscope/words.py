"""Names and texts as they may be shown: on a terminal, and in a cell of a spreadsheet."""

import re
from typing import Final

# Control characters (C0, DEL, C1), marks that turn the direction of text, line separators, halves of surrogate pairs.
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_UNSEEN_BUT_NEWLINES: Final = re.compile(_UNSEEN.pattern.replace("\x00-\x1f", "\x00-\x09\x0b-\x1f"))
_SHORT: Final = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def escape_controls(text: str, *, keep_newlines: bool = False) -> str:
    r"""A text in which everything that would steer a terminal is shown instead, as Python would write it.

    Example:
        >>> print(escape_controls("a\x1b[2J\tb"))
        a\x1b[2J\tb

    Args:
        text: whatever was read, such as a classifier's name.
        keep_newlines: whether newlines are ours and stay.
    """
    return (_UNSEEN_BUT_NEWLINES if keep_newlines else _UNSEEN).sub(_escape, text)


def escape_in_json(text: str) -> str:
    """The same for a JSON text, in the form of JSON; JSON itself escapes only the first 32 characters."""
    return _UNSEEN_BUT_NEWLINES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def guard_cell(text: str) -> str:
    """A text for a cell of a CSV file; one that a spreadsheet would take for a formula gets an apostrophe in front.

    Example:
        >>> guard_cell("=1+1"), guard_cell("-1.5"), guard_cell("vit")
        ("'=1+1", '-1.5', 'vit')
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def unguard_cell(cell: str) -> str:
    """The text that `guard_cell` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")  # noqa: PLR2004  (two digits hold it)
