"""Positions for the names of points, so that no name covers another name or a point."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float

# Beside a point, in the order of preference: right, left, above, below, then the corners.
SIDES: Final = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))


def find_label_positions(
    points: Float[np.ndarray, "point 2"],
    sizes: Float[np.ndarray, "point 2"],
    *,
    gap: float,
    frame: tuple[float, float, float, float],
) -> list[tuple[float, float] | None]:
    """The centre of every name, or None if there is no room for it.

    Args:
        points: positions, in the unit of the drawing.
        sizes: width and height of every name, in the same unit.
        gap: distance between a point's centre and the edge of its name.
        frame: left, bottom, right and top edges, which no name crosses.

    Returns:
        One position per point; placed names cover no other placed name and no point.
    """
    dots = np.concatenate([points - gap / 2, points + gap / 2], axis=1)
    taken = np.empty((0, 4))
    result: list[tuple[float, float] | None] = [None] * len(points)
    for index in _order_by_crowding(points):
        for side in SIDES:
            centre = points[index] + np.asarray(side) * (gap + sizes[index] / 2) * _find_reach(side)
            box = np.concatenate([centre - sizes[index] / 2, centre + sizes[index] / 2])
            others = np.delete(dots, index, axis=0)
            if _is_inside(box, frame) and not _overlaps(box, taken) and not _overlaps(box, others):
                taken = np.vstack([taken, box])
                result[index] = float(centre[0]), float(centre[1])
                break
    return result


def _find_reach(side: tuple[int, int]) -> float:
    """Names in corners may be a little closer to their points."""
    return 0.85 if all(side) else 1.0


def _order_by_crowding(points: Float[np.ndarray, "point 2"]) -> Sequence[int]:
    """Points in dense regions first: they have the fewest positions to choose from."""
    distances = np.sort(np.linalg.norm(points[:, None] - points[None], axis=-1), axis=1)
    return [int(index) for index in np.argsort(distances[:, : min(5, len(points))].sum(1), kind="stable")]


def _is_inside(box: Float[np.ndarray, "4"], frame: tuple[float, float, float, float]) -> bool:
    return bool(box[0] >= frame[0] and box[1] >= frame[1] and box[2] <= frame[2] and box[3] <= frame[3])


def _overlaps(box: Float[np.ndarray, "4"], others: Float[np.ndarray, "other 4"]) -> bool:
    apart = (box[0] >= others[:, 2]) | (others[:, 0] >= box[2]) | (box[1] >= others[:, 3]) | (others[:, 1] >= box[3])
    return bool((~apart).any())
