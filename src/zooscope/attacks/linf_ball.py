"""The ball of the maximum norm around clean pixels, cut to [0, 1]: its ends, projection onto it, a random point of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from zooscope.errors import InvalidValueError


@dataclass(frozen=True, kw_only=True, eq=False)
class LinfBall:
    """All pixels within epsilon of clean ones and in [0, 1], exactly, whatever rounding does.

    Example:
        >>> ball = LinfBall.around(torch.full((1, 3, 2, 2), 0.5), epsilon=0.1)
        >>> float(ball.project(torch.ones(1, 3, 2, 2)).max()) <= 0.6
        True

    Attributes:
        lower: the smallest pixels allowed.
        upper: the largest.
    """

    lower: Float[Tensor, "batch channel height width"]
    upper: Float[Tensor, "batch channel height width"]

    @classmethod
    def around(cls, pixels: Float[Tensor, "batch channel height width"], epsilon: float) -> "LinfBall":
        """The ball around clean pixels; its ends are the floats nearest to pixels -+ epsilon on the inner side."""
        clean, exact = pixels.detach(), pixels.detach().double()
        lower, upper = ((exact + radius).to(pixels.dtype) for radius in (-epsilon, epsilon))
        lower = torch.where(_step_beyond(exact, lower.double(), epsilon), lower.nextafter(clean), lower)
        upper = torch.where(_step_beyond(upper.double(), exact, epsilon), upper.nextafter(clean), upper)
        return cls(lower=lower.clamp(min=0), upper=upper.clamp(max=1))

    def take(self, places: Int[Tensor, " some"]) -> "LinfBall":
        """The ball around some of the images."""
        return LinfBall(lower=self.lower[places], upper=self.upper[places])

    def project(self, pixels: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel height width"]:
        """The nearest pixels within the ball."""
        return pixels.clamp(self.lower, self.upper)

    def project_(self, pixels: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel height width"]:
        """The nearest pixels within the ball, written into the pixels given."""
        return torch.clamp(pixels, self.lower, self.upper, out=pixels)

    def random_point(self, seeds: Sequence[int] | None) -> Float[Tensor, "batch channel height width"]:
        """A uniformly drawn point of the ball.

        Args:
            seeds: one per image; an image's point depends on its own seed only.

        Raises:
            InvalidValueError: there is not one seed per image.
        """
        if seeds is None or len(seeds) != len(self.lower):
            msg = f"a random start needs one seed per image: got {0 if seeds is None else len(seeds)} for {len(self.lower)} images."
            raise InvalidValueError(msg)
        shape = self.lower.shape[1:]
        shares = torch.stack(
            [torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) for seed in seeds]
        ).to(self.lower.device)
        return self.project(self.lower + shares.to(self.lower.dtype) * (self.upper - self.lower))


def _step_beyond(larger: Tensor, smaller: Tensor, distance: float) -> Tensor:
    """Whether larger - smaller > distance, decided without rounding: Knuth's two-sum gives what the difference loses."""
    difference = larger - smaller
    taken = larger - difference
    lost = (larger - (difference + taken)) + (taken - smaller)
    return (difference - distance) + lost > 0
