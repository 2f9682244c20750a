"""Numbers in tables for a person to read."""

from math import isnan
from typing import Final

UNKNOWN: Final = "-"


def number(value: float, decimals: int = 2) -> str:
    """A number; a dash for what is not known."""
    return UNKNOWN if isnan(value) else f"{value:.{decimals}f}"


def percent(share: float) -> str:
    """A share in [0, 1] as so many of a hundred."""
    return UNKNOWN if isnan(share) else f"{100 * share:.1f} %"


def interval(low: float, high: float, decimals: int = 2) -> str:
    """Both ends of an interval."""
    return UNKNOWN if isnan(low) else f"{low:.{decimals}f} to {high:.{decimals}f}"
