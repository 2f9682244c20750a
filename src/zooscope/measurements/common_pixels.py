"""Pixels that are the same for all classifiers of a study: at one size, and resized for each classifier."""

from dataclasses import dataclass
from functools import lru_cache
from statistics import median
from typing import Final

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from zooscope.images.image_set import ImageSet
from zooscope.images.pixel_transform import PixelTransform

LARGEST_SIDE: Final = 224
NUM_LOOKED_AT: Final = 16  # images whose size is looked at


@dataclass(frozen=True, kw_only=True)
class CommonPixels:
    """How pixels are made for all classifiers alike: the central square, bicubic.

    Attributes:
        transform: from image to pixels.
    """

    transform: PixelTransform

    @classmethod
    def choose(cls, images: ImageSet, side: int) -> "CommonPixels":
        """Squares of a side.

        Args:
            images: of the study.
            side: in pixels; 0 takes the median of the shorter sides of the first 16 images, but at most 224.
        """
        side = side or _find_side(images)
        return cls(transform=PixelTransform(height=side, width=side))


@lru_cache(maxsize=1)  # every task of a study asks it again
def _find_side(images: ImageSet) -> int:
    shorter = (min(images.image(place).size) for place in range(min(NUM_LOOKED_AT, len(images))))
    return min(LARGEST_SIDE, round(median(shorter)))


def resize_unbounded(
    pixels: Float[Tensor, "image channel height width"], size: tuple[int, int]
) -> Float[Tensor, "image channel new_height new_width"]:
    """Pixels at another size: bilinear without antialiasing. Values outside [0, 1] stay; untouched where the size is the same."""
    if tuple(pixels.shape[-2:]) == size:
        return pixels
    return interpolate(pixels, size=size, mode="bilinear", align_corners=False, antialias=False)


def resize(
    pixels: Float[Tensor, "image channel height width"], size: tuple[int, int]
) -> Float[Tensor, "image channel new_height new_width"]:
    """Pixels at another size: bilinear without antialiasing, cut to [0, 1]; untouched where the size is the same."""
    return pixels if tuple(pixels.shape[-2:]) == size else resize_unbounded(pixels, size).clamp(0, 1)
