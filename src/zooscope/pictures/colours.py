"""Colours and markers that every kind of colour vision can distinguish."""

from collections.abc import Sequence
from typing import Final

# Viridis: even steps of lightness, read the same with every kind of colour vision, and in grey.
SEQUENCE: Final = ("#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725")
# Okabe and Ito's colours without their yellow, which is too pale for points on white.
GROUPS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
MARKERS: Final = ("circle", "square", "diamond", "triangle", "cross")


def choose_styles(groups: Sequence[str]) -> dict[str, tuple[str, str]]:
    """A colour and a marker for every group, in the given order; up to 35 groups differ in colour or marker."""
    different = list(dict.fromkeys(groups))
    return {group: (GROUPS[place % len(GROUPS)], MARKERS[place % len(MARKERS)]) for place, group in enumerate(different)}
