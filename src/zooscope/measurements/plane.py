"""The plane through three images."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

MARGIN: Final = 0.1  # of each side of the bounding box, on both ends
_FLAT: Final = 1e-6  # height of a triangle over its longest side, below which its corners count as collinear


class Plane(NamedTuple):
    """The plane through three points, and a grid on it.

    Attributes:
        origin: the first point.
        first: unit vector towards the second point.
        second: unit vector orthogonal to it, on the side of the third point.
        along: coordinates of the grid on the first axis.
        across: coordinates on the second.
    """

    origin: Float[Tensor, " value"]
    first: Float[Tensor, " value"]
    second: Float[Tensor, " value"]
    along: Float[Tensor, " column"]
    across: Float[Tensor, " row"]

    def make_points(self, start: int, stop: int) -> Float[Tensor, "point value"]:
        """Some points of the grid, row by row, float32. Coordinates outside [0, 1] stay as they are."""
        place = torch.arange(start, min(stop, len(self.along) * len(self.across)), device=self.origin.device)
        along = self.along[place % len(self.along)]
        across = self.across[place // len(self.along)]
        return self.origin + along[:, None] * self.first + across[:, None] * self.second

    def to(self, device: torch.device) -> "Plane":
        """The same on a device, in float32."""
        return Plane(*(part.to(device=device, dtype=torch.float32) for part in self))


def span_plane(corners: Float[Tensor, "3 value"], *, resolution: int) -> Plane | None:
    """The plane through three points, float64; None where they are equal or on one line.

    The grid is evenly spaced over the points' bounding box on the plane, widened on each end by a tenth of its side.
    """
    origin, second, third = corners.double()
    length = torch.linalg.vector_norm(second - origin)
    longest = max(float(length), float(torch.linalg.vector_norm(third - origin)))
    if float(length) <= _FLAT * longest:
        return None
    first_axis = (second - origin) / length
    along = torch.dot(third - origin, first_axis)
    rest = third - origin - along * first_axis
    height = torch.linalg.vector_norm(rest)
    if float(height) <= _FLAT * longest:
        return None
    ends = [(min(0.0, float(along)), max(float(length), float(along))), (0.0, float(height))]
    grids = [
        torch.linspace(low - MARGIN * (high - low), high + MARGIN * (high - low), resolution, dtype=torch.float64)
        for low, high in ends
    ]
    return Plane(origin, first_axis, rest / height, *grids)


def draw_triplets(labels: Int[np.ndarray, " image"], *, seed: int, index: int) -> Iterator[tuple[int, int, int]]:
    """Positions of three images of three classes, drawn by seed and index; then of others, for those who can't take the first.

    Args:
        labels: the true classes, at least three different ones.
        seed: of all triplets.
        index: of this one.
    """
    generator = np.random.default_rng([seed, index])
    while True:
        chosen: list[int] = []
        for _ in range(3):
            others = np.flatnonzero(~np.isin(labels, labels[chosen]))
            chosen.append(int(generator.choice(others)))
        yield chosen[0], chosen[1], chosen[2]
