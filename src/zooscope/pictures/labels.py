"""Positions for the names of points, so that no name covers another name or a point."""

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float

from zooscope.words import shorten_names

# Beside a point, in the order of preference: right, left, above, below, then the corners.
SIDES: Final = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
NUM_ANGLES: Final = 24
REACHES: Final = (2.5, 4.0, 6.0, 9.0, 13.0, 18.0, 24.0)  # of far names, in gaps
STEPS: Final = np.linspace(0, 1, 25)
MOST_LINES: Final = 3
CHARACTER_WIDTH: Final = 0.6  # of the font size; the mean is less
MOST_NAMED: Final = 200  # more points are a cloud, without names
FEW: Final = 40  # points that are pairs have long names
MOST_LARGE: Final = 30  # names in large letters

Box = Float[np.ndarray, "4"]
Frame = tuple[float, float, float, float]


class LabelPlace(NamedTuple):
    """Where a name is drawn.

    Attributes:
        x: of its centre.
        y: of its centre.
        is_far: whether it is so far from its point that a line must lead to it.
    """

    x: float
    y: float
    is_far: bool


def find_label_positions(
    points: Float[np.ndarray, "point 2"], sizes: Float[np.ndarray, "point 2"], *, gap: float, frame: Frame
) -> list[LabelPlace | None]:
    """The place of every name, or None if there is no room for it.

    A name is put beside its point. If there is no room, it is put where some is, with a line to it that crosses no name.

    Args:
        points: positions, in the unit of the drawing.
        sizes: width and height of every name, in the same unit.
        gap: distance between a point's centre and the edge of its name.
        frame: left, bottom, right and top edges, which no name crosses.

    Returns:
        One place per point; placed names cover no other placed name and no point.
    """
    dots = np.concatenate([points - gap / 2, points + gap / 2], axis=1)
    taken, lines = np.empty((0, 4)), np.empty((0, 2))
    result: list[LabelPlace | None] = [None] * len(points)
    order = _order_by_crowding(points)
    for index in order:
        others = np.delete(dots, index, axis=0)
        for side in SIDES:
            centre = points[index] + np.asarray(side) * (gap + sizes[index] / 2) * _find_reach(side)
            box = _make_box(centre, sizes[index])
            if _is_inside(box, frame) and not _overlaps(box, taken) and not _overlaps(box, others):
                taken = np.vstack([taken, box])
                result[index] = LabelPlace(float(centre[0]), float(centre[1]), is_far=False)
                break
    for index in order:
        if result[index] is not None:
            continue
        for centre in _list_far_centres(points[index], sizes[index], gap):
            box = _make_box(centre, sizes[index])
            if not _is_inside(box, frame) or _overlaps(box, taken) or _overlaps(box, dots) or _contains(box, lines):
                continue
            line = points[index] + STEPS[:, None] * (find_line_end(points[index], box) - points[index])
            if any(_contains(other, line) for other in taken):
                continue
            taken, lines = np.vstack([taken, box]), np.vstack([lines, line])
            result[index] = LabelPlace(float(centre[0]), float(centre[1]), is_far=True)
            break
    return result


def find_line_end(point: Float[np.ndarray, "2"], box: Box) -> Float[np.ndarray, "2"]:
    """The nearest place of a name's box (left, bottom, right, top) to its point."""
    return np.asarray(np.clip(point, box[:2], box[2:]))


def wrap_title(title: str, width: int) -> str:
    r"""A title in at most three lines of this many characters.

    Of a title that is too long, the first paragraph is cut, with an ellipsis: what follows is a remark that must be seen.

    >>> wrap_title("Tree of 3 classifiers by SAT\n1 of 3 names has no room here.", 30)
    'Tree of 3 classifiers by SAT\n1 of 3 names has no room here.'
    """
    first, *remarks = title.split("\n")
    tail = [line for remark in remarks for line in wrap(remark, width, break_on_hyphens=False)]
    head, room = wrap(first, width, break_on_hyphens=False), max(1, MOST_LINES - len(tail))
    if len(head) > room:
        head = [*head[: room - 1], f"{head[room - 1][: width - 2]} \N{HORIZONTAL ELLIPSIS}"]
    return "\n".join([*head, *tail])


def join_pairs(first: Iterable[object], second: Iterable[object], word: str) -> tuple[str, ...]:
    """Short names of pairs.

    >>> join_pairs(["bundled:vit", "bundled:vit"], ["bundled:mixer", "bundled:swin"], "and")
    ('vit and mixer', 'vit and swin')
    """
    pairs = [(str(one), str(other)) for one, other in zip(first, second, strict=True)]
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    short = shorten_names(names)
    return tuple(f"{short[one]} {word} {short[other]}" for one, other in pairs)


def say_left_out(num_left_out: int, num_points: int) -> str:
    """How many names a picture doesn't show.

    >>> say_left_out(3, 69)
    '3 of 69 names have no room here.'
    """
    return f"{num_left_out} of {num_points} names {'has' if num_left_out == 1 else 'have'} no room here."


def _list_far_centres(point: Float[np.ndarray, "2"], size: Float[np.ndarray, "2"], gap: float) -> list[Float[np.ndarray, "2"]]:
    """Centres of a name around its point, the nearest first."""
    angles = np.arange(NUM_ANGLES) * 2 * np.pi / NUM_ANGLES
    ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return [point + way * (reach * gap + size / 2) for reach in REACHES for way in ways]


def _make_box(centre: Float[np.ndarray, "2"], size: Float[np.ndarray, "2"]) -> Box:
    return np.concatenate([centre - size / 2, centre + size / 2])


def _find_reach(side: tuple[int, int]) -> float:
    """Names in corners may be a little closer to their points."""
    return 0.85 if all(side) else 1.0


def _order_by_crowding(points: Float[np.ndarray, "point 2"]) -> Sequence[int]:
    """Points in dense regions first: they have the fewest positions to choose from."""
    distances = np.sort(np.linalg.norm(points[:, None] - points[None], axis=-1), axis=1)
    return [int(index) for index in np.argsort(distances[:, : min(5, len(points))].sum(1), kind="stable")]


def _is_inside(box: Box, frame: Frame) -> bool:
    return bool(box[0] >= frame[0] and box[1] >= frame[1] and box[2] <= frame[2] and box[3] <= frame[3])


def _overlaps(box: Box, others: Float[np.ndarray, "other 4"]) -> bool:
    apart = (box[0] >= others[:, 2]) | (others[:, 0] >= box[2]) | (box[1] >= others[:, 3]) | (others[:, 1] >= box[3])
    return bool((~apart).any())


def _contains(box: Box, points: Float[np.ndarray, "point 2"]) -> bool:
    """Whether one of the points lies inside."""
    return bool(((points > box[:2]) & (points < box[2:])).all(axis=1).any())
