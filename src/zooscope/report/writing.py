"""How numbers and names are written in the report."""

import html
import math
from collections.abc import Sequence
from typing import Final

MISSING: Final = "\N{EN DASH}"
ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"


def decimal(value: float, digits: int = 2) -> str:
    """A number with a fixed number of digits and a proper minus; a dash for NaN."""
    if math.isnan(value):
        return MISSING
    text = f"{abs(value):.{digits}f}"
    return f"\N{MINUS SIGN}{text}" if value < 0 and float(text) else text


def percent(value: float, digits: int = 1) -> str:
    """A percentage with its unit, kept on one line; a dash for NaN."""
    return MISSING if math.isnan(value) else f"{decimal(value, digits)}\N{NO-BREAK SPACE}%"


def interval(low: float, high: float, digits: int = 2) -> str:
    """Both ends of an interval; a dash where there is none."""
    return MISSING if math.isnan(low) or math.isnan(high) else f"{decimal(low, digits)} to {decimal(high, digits)}"


def shortened(name: str, length: int) -> str:
    """A name of at most `length` characters; what is left out is left out of the middle, where names differ least."""
    if len(name) <= length:
        return name
    tail = (length - 1) // 2
    return name[: length - 1 - tail] + ELLIPSIS + name[len(name) - tail :]


def without_shared_source(names: Sequence[str]) -> tuple[str, ...]:
    """Names without what stands before their colon, if that is the same for all: labels are short of room."""
    sources = {name.partition(":")[0] if ":" in name else None for name in names}
    own = [name.partition(":")[2] for name in names]
    return tuple(own) if len(sources) == 1 and None not in sources and all(own) else tuple(names)


def plotly_text(text: str) -> str:
    """Text that Plotly shows as it is: labels and hover texts would otherwise take tags and entities for formatting."""
    return html.escape(text, quote=False)


def fraction_of_255(value: float) -> str:
    """A distance between pixels as people write it: 8/255 rather than 0.0314, where it is such a fraction."""
    steps = 255 * value
    return f"{steps:.0f}/255" if steps >= 1 and abs(steps - round(steps)) < 1e-6 else f"{value:g}"  # noqa: PLR2004  (8 / 255 * 255 as floats)
