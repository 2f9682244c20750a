"""Numbers, names and settings for people, and texts made safe for a terminal, a spreadsheet or a page."""

import html
import re
import shlex
from collections.abc import Mapping, Sequence
from math import isnan
from typing import Final

UNKNOWN: Final = "-"
BUNDLED: Final = "bundled:"
ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"

# Control characters (C0, DEL, C1), marks that turn the direction of text, line separators, halves of surrogate pairs.
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_UNSEEN_BUT_NEWLINES: Final = re.compile(_UNSEEN.pattern.replace("\x00-\x1f", "\x00-\x09\x0b-\x1f"))
_SHORT: Final = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")
_ENDS_CODE: Final = re.compile(r"[`|\\]")  # of Markdown: a pipe ends the cell that it stands in
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


# Numbers
_UNITS: Final = ("bytes", "KB", "MB", "GB", "TB")


def format_number(value: float, decimals: int = 2) -> str:
    """A number with this many decimals; a dash for NaN."""
    if isnan(value):
        return UNKNOWN
    text = f"{value:.{decimals}f}"
    return text if float(text) else text.removeprefix("-")


def format_percent(value: float, decimals: int = 1) -> str:
    """A percentage with a percent sign; a dash for NaN."""
    return UNKNOWN if isnan(value) else f"{format_number(value, decimals)} %"


def format_interval(low: float, high: float, decimals: int = 2) -> str:
    """Both ends of an interval; a dash if one is NaN."""
    return UNKNOWN if isnan(low) or isnan(high) else f"{format_number(low, decimals)} to {format_number(high, decimals)}"


def typeset(text: str) -> str:
    """Numbers in a page's typography: a true minus, an en dash for unknown values, no line break before a percent sign."""
    if text == UNKNOWN:
        return "\N{EN DASH}"
    return re.sub(r"-(?=\d)", "\N{MINUS SIGN}", text).replace(" %", "\N{NO-BREAK SPACE}%")


def format_count(count: int, noun: str) -> str:
    """A count with its noun.

    Example:
        >>> format_count(1, "pair"), format_count(12, "classifier")
        ('1 pair', '12 classifiers')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


# Settings


def format_bytes(count: int) -> str:
    """A number of bytes for a person.

    >>> format_bytes(0), format_bytes(1536), format_bytes(6_500_000_000)
    ('0 bytes', '1.5 KB', '6.5 GB')
    """
    value, unit = float(count), 0
    while value >= 1000 and unit < len(_UNITS) - 1:  # noqa: PLR2004  (as in KB)
        value, unit = value / 1000, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{count} {_UNITS[0]}"


def list_few(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are.

    >>> list_few(["a", "b", "c", "d"], 2), list_few(["a"], 2)
    ('a, b and 2 more', 'a')
    """
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def format_setting(value: object) -> str:
    """A setting as people write it: 8/255 rather than 0.0314, but 0.2 rather than 51/255, and yes rather than True.

    Example:
        >>> format_setting(8 / 255), format_setting(0.1), format_setting(1.0), format_setting(50), format_setting(False)
        ('8/255', '0.1', '1', '50', 'no')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    steps, decimal = 255 * value, f"{value:g}"
    is_whole = steps >= 1 and abs(steps - round(steps)) < 1e-6  # noqa: PLR2004  (8 / 255 * 255 as floats)
    return min(f"{steps:.0f}/255", decimal, key=len) if is_whole else decimal


def format_settings(settings: Mapping[str, object]) -> dict[str, str]:
    """Settings by name, both formatted for people."""
    return {name.replace("_", " "): format_setting(value) for name, value in settings.items()}


def format_attack(attack: Mapping[str, object]) -> str:
    """An attack in one line; a switch is named only if it is on.

    Example:
        >>> format_attack({"attack": "LinfPGD", "epsilon": 8 / 255, "iterations": 50, "random_start": False})
        'LinfPGD (epsilon 8/255, iterations 50)'
    """
    settings = format_settings({name: value for name, value in attack.items() if name != "attack" and value is not False})
    listed = ", ".join(name if value == "yes" else f"{name} {value}" for name, value in settings.items())
    return f"{attack['attack']} ({listed})" if listed else str(attack["attack"])


def format_transform(transform: Mapping[str, object]) -> str:
    """How pixels are made, in one line.

    Example:
        >>> format_transform({"height": 32, "width": 48})
        'height=32 width=48'
    """
    return " ".join(f"{field}={value}" for field, value in transform.items())


def explain_control(source: Mapping[str, object], target: Mapping[str, object]) -> str:
    """What the target's pixels have of the source's preprocessing instead of its own: the reason of a control.

    Example:
        >>> resnet = {"height": 224, "width": 224, "interpolation": "bilinear", "crop_fraction": 0.875}
        >>> explain_control(resnet, resnet | {"height": 384, "width": 384, "interpolation": "bicubic"})
        'resized from 224 x 224 to 384 x 384; bilinear instead of bicubic interpolation'
        >>> explain_control(resnet, resnet | {"crop_fraction": 1.0})
        'crop fraction 0.875 instead of 1'

    Args:
        source: the fields of the source's transform, by name.
        target: those of the target's.

    Returns:
        Every difference; empty if the fields are equal, as for two transforms that are not known.
    """
    parts = []
    sizes = [(fields.get("width"), fields.get("height")) for fields in (source, target)]
    if sizes[0] != sizes[1] and all(None not in size for size in sizes):
        parts.append("resized from " + " to ".join(f"{width} x {height}" for width, height in sizes))
    for field in dict.fromkeys([*source, *target]):
        if field in {"width", "height"} or source.get(field) == target.get(field):
            continue
        own, other = (f"{value:g}" if isinstance(value, float) else str(value) for value in (target.get(field), source.get(field)))
        parts.append(
            f"{other} instead of {own} interpolation"
            if field == "interpolation"
            else f"{field.replace('_', ' ')} {other} instead of {own}"
        )
    return "; ".join(parts)


# Names


def _drop_bundled(names: Sequence[str]) -> tuple[str, ...]:
    """Names without `bundled:`, if different names stay different."""
    short = tuple(name.removeprefix(BUNDLED) or name for name in names)
    return short if len(set(short)) == len(set(names)) else tuple(names)


def _drop_shared_provider(names: Sequence[str]) -> tuple[str, ...]:
    """Names without the part before the colon, if it is the same for all: labels have little room."""
    providers = {name.partition(":")[0] if ":" in name else None for name in names}
    own = [name.partition(":")[2] for name in names]
    return tuple(own) if len(providers) == 1 and None not in providers and all(own) else tuple(names)


def shorten_names(names: Sequence[str]) -> dict[str, str]:
    """Each name without its provider, if that is the same for all; else only without `bundled:`.

    Example:
        >>> shorten_names(["timm:vit", "timm:resnet"])
        {'timm:vit': 'vit', 'timm:resnet': 'resnet'}
        >>> shorten_names(["bundled:vit", "timm:resnet"])
        {'bundled:vit': 'vit', 'timm:resnet': 'timm:resnet'}
    """
    short = _drop_shared_provider(names)
    return dict(zip(names, _drop_bundled(names) if short == tuple(names) else short, strict=True))


def cut_middle(name: str, length: int) -> str:
    """A name of at most `length` characters; names differ least in the middle, so the middle is cut."""
    if len(name) <= length:
        return name
    tail = (length - 1) // 2
    return name[: length - 1 - tail] + ELLIPSIS + name[len(name) - tail :]


# Commands


def quote_path(path: object) -> str:
    """A path as a shell takes it, for a command to copy.

    Example:
        >>> quote_path("study"), quote_path("my study")
        ('study', "'my study'")
    """
    return shlex.quote(str(path))


# Untrusted texts


def escape_controls(text: str, *, keep_newlines: bool = False) -> str:
    r"""A text with all characters that control a terminal escaped, in Python's notation.

    Example:
        >>> print(escape_controls("a\x1b[2J\tb"))
        a\x1b[2J\tb

    Args:
        text: whatever was read, such as a classifier's name.
        keep_newlines: whether newlines are ours and kept.
    """
    return (_UNSEEN_BUT_NEWLINES if keep_newlines else _UNSEEN).sub(_escape, text)


def escape_in_json(text: str) -> str:
    """The same for a JSON text, in JSON's notation; JSON itself escapes only the first 32 characters."""
    return _UNSEEN_BUT_NEWLINES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def escape_markup(text: str) -> str:
    """A text that Plotly shows unchanged, instead of reading tags and entities as formatting."""
    return html.escape(text, quote=False)


def quote_markdown(text: str) -> str:
    r"""A text as code in Markdown, also in a cell of a table: whatever is in it is shown and does nothing.

    Example:
        >>> print(quote_markdown("timm:vit_tiny*"), quote_markdown("a|b"))
        `timm:vit_tiny*` <code>a&#124;b</code>
    """
    text = escape_controls(text)
    if text and text == text.strip() and not _ENDS_CODE.search(text):
        return f"`{text}`"
    return "<code>" + "".join(part if part.isalnum() else f"&#{ord(part)};" for part in text) + "</code>"


def guard_cell(text: str) -> str:
    """A text for a cell of a CSV file; one that a spreadsheet would read as a formula gets a leading apostrophe.

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
