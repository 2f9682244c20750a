"""What makes the steps of PGD transfer better: momentum, smoothed gradients, varied images."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import affine_grid, conv2d, grid_sample

from zooscope.attacks.randomness import draw, make_generators

SMALLEST: Final = 0.9  # of an image's side
EDGE: Final = 3.0  # where the kernel ends, in its deviations


@dataclass(kw_only=True)
class Direction:
    """From gradients to the direction of a step: smoothed, then added to those before.

    Attributes:
        momentum: decay of the sum of gradients; 0 for the gradient alone.
        kernel_size: side of the Gaussian kernel, odd; 0 for none.
    """

    momentum: float = 0.0
    kernel_size: int = 0
    _sum: Tensor | None = field(default=None, repr=False)

    def __call__(self, gradient: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel height width"]:
        """The direction of the next step."""
        if self.kernel_size:
            gradient = _smooth(gradient, self.kernel_size)
        if not self.momentum:
            return gradient
        size = gradient.flatten(1).abs().mean(1).clamp(min=torch.finfo(gradient.dtype).tiny)
        scaled = gradient / size[:, None, None, None]
        self._sum = scaled if self._sum is None else self.momentum * self._sum + scaled
        return self._sum


@dataclass(frozen=True, kw_only=True)
class Diversity:
    """Shows an image as it is, or smaller and at a random place on black.

    Attributes:
        chance: of the latter.
        generators: one per image.
    """

    chance: float
    generators: Sequence[torch.Generator] = ()

    @classmethod
    def make(cls, chance: float, seeds: Sequence[int] | None, num_images: int) -> "Diversity":
        """Draws nothing, and needs no seeds, where the chance is 0.

        Raises:
            InvalidValueError: there is not one seed per image.
        """
        return cls(chance=chance, generators=make_generators(seeds, num_images, "diversity") if chance else ())

    def __call__(self, pixels: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel height width"]:
        """The images as an iteration sees them, differentiable."""
        if not self.chance:
            return pixels
        varied, size, right, down = draw(self.generators, (4,)).to(pixels).unbind(1)
        side = torch.where(varied < self.chance, SMALLEST + (1 - SMALLEST) * size, 1.0)
        maps = torch.zeros((len(pixels), 2, 3), dtype=pixels.dtype, device=pixels.device)
        maps[:, 0, 0] = maps[:, 1, 1] = 1 / side
        maps[:, 0, 2], maps[:, 1, 2] = ((1 - 2 * place) * (1 - side) / side for place in (right, down))
        return grid_sample(pixels, affine_grid(maps, list(pixels.shape), align_corners=False), align_corners=False)


def _smooth(gradient: Float[Tensor, "batch channel height width"], side: int) -> Float[Tensor, "batch channel height width"]:
    """Each channel convolved with a Gaussian kernel, one axis after the other."""
    places = torch.linspace(-EDGE, EDGE, side, dtype=gradient.dtype, device=gradient.device)
    weights = torch.exp(-(places**2) / 2)
    channels = gradient.shape[1]
    row = (weights / weights.sum()).view(1, 1, 1, side).expand(channels, 1, 1, side)
    along = conv2d(gradient, row, padding=(0, side // 2), groups=channels)
    return conv2d(along, row.transpose(2, 3), padding=(side // 2, 0), groups=channels)
