"""What each axis of a tensor represents while a network computes: images, places, or features.

A network turns (image, channel, row, column) into tokens, windows, heads and back. Following the axes through every reshape
shows whether an operation mixes places or features, whatever the current shapes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

Role = Literal["image", "place", "feature", "weight", "copy"]


@dataclass(frozen=True)
class Factor:
    """A part of an axis.

    Attributes:
        size: number of elements.
        role: what they are.
    """

    size: int
    role: Role


Axis = tuple[Factor, ...]  # the outermost first; an axis of size 1 has no factor
Axes = tuple[Axis, ...]


def make_axis(size: int, role: Role) -> Axis:
    """An axis with one role."""
    return () if size == 1 else (Factor(size, role),)


def make_weights_axes(shape: Sequence[int]) -> Axes:
    """The axes of a tensor that doesn't depend on the pixels."""
    return tuple(make_axis(size, "weight") for size in shape)


def make_pixels_axes(shape: Sequence[int]) -> Axes:
    """The axes of pixels of shape (image, channel, row, column)."""
    images, channels, height, width = shape
    return make_axis(images, "image"), make_axis(channels, "feature"), make_axis(height, "place"), make_axis(width, "place")


def find_role(of: Axis) -> Role | None:
    """The role of an axis; None for an axis of size 1 and for a mixture."""
    roles = {factor.role for factor in of}
    return roles.pop() if len(roles) == 1 else None


def count(of: Iterable[Axis], kind: Role) -> int:
    """The number of elements of one kind (places, for example) in some axes."""
    return prod(factor.size for each in of for factor in each if factor.role == kind)


def resize_axis(of: Axis, size: int) -> Axis:
    """The axis with another size: cut, padded, pooled."""
    if prod(factor.size for factor in of) == size:
        return of
    roles = [factor.role for factor in of]
    return make_axis(size, "feature" if "feature" in roles else roles[0] if roles else "feature")


def reshape_axes(axes: Axes, shape: Sequence[int]) -> Axes:
    """The axes after a reshape, which keeps the order of the elements.

    Axes are split where a new boundary falls inside them. Where that is impossible (197 tokens into 14 x 14 and one), axes of
    equal size keep their roles, and the others count as features.
    """
    waiting = _merge_neighbours([factor for each in axes for factor in each])[::-1]
    result: list[Axis] = []
    for size in shape:
        parts: list[Factor] = []
        left = size
        while left > 1 and waiting:
            factor = waiting.pop()
            if left % factor.size == 0:
                parts.append(factor)
                left //= factor.size
            elif factor.size % left == 0:
                parts.append(Factor(left, factor.role))
                waiting.append(Factor(factor.size // left, factor.role))
                left = 1
            else:
                return _match_sizes(axes, shape)
        if left > 1:
            return _match_sizes(axes, shape)
        result.append(tuple(parts))
    return tuple(result)


def broadcast_axes(operands: Sequence[Axes], shape: Sequence[int]) -> Axes:
    """The axes of an elementwise result: each axis comes from the first operand that has its full size."""
    result: list[Axis] = []
    for back, size in zip(range(len(shape), 0, -1), shape, strict=True):
        known = [axes[-back] for axes in operands if len(axes) >= back and axes[-back]]
        known.sort(key=lambda of: find_role(of) in {"weight", "copy"})
        result.append(known[0] if known and prod(factor.size for factor in known[0]) == size else make_axis(size, "feature"))
    return tuple(result)


def repeat_axes(axes: Axes, shape: Sequence[int]) -> Axes:
    """The axes after elements were repeated (`expand`)."""
    old = ((),) * (len(shape) - len(axes)) + tuple(axes)
    return tuple(
        each if prod(factor.size for factor in each) == size else make_axis(size, "copy")
        for each, size in zip(old, shape, strict=True)
    )


def keep_positions(axes: Axes, shape: Sequence[int]) -> Axes:
    """The axes after an unknown operation: each keeps its position."""
    if len(axes) == len(shape):
        return tuple(resize_axis(each, size) for each, size in zip(axes, shape, strict=True))
    return _match_sizes(axes, shape)


def _merge_neighbours(factors: Iterable[Factor]) -> list[Factor]:
    """Merges neighbours of one role: 8 windows of 7 places are 56 places, and may next be cut as 7 of 8."""
    result: list[Factor] = []
    for factor in factors:
        if result and result[-1].role == factor.role:
            result[-1] = Factor(result[-1].size * factor.size, factor.role)
        else:
            result.append(factor)
    return result


def _match_sizes(axes: Axes, shape: Sequence[int]) -> Axes:
    waiting = list(axes)
    result: list[Axis] = []
    for size in shape:
        found = next((each for each in waiting if each and prod(factor.size for factor in each) == size), None)
        if found is not None:
            waiting.remove(found)
        result.append(make_axis(size, "feature") if found is None else found)
    return tuple(result)
