"""From an RGB image to the pixels that a classifier takes: resize, then crop; values in [0, 1]."""

from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from PIL import Image
from timm.data.transforms_factory import transforms_imagenet_eval
from torch import Tensor
from torchvision.transforms import CenterCrop

from zooscope.images.pixel_transform import DOWN, PixelTransform


def make_pixels(transform: PixelTransform, image: Image.Image) -> Float[Tensor, "channel height width"]:
    """An image's pixels: float32 in [0, 1], three channels.

    Example:
        >>> make_pixels(PixelTransform(height=24, width=32), Image.new("RGB", (100, 80))).shape
        torch.Size([3, 24, 32])
    """
    levels: Tensor = _steps(transform)(image)
    return levels.to(torch.float32) / 255


@cache
def _steps(transform: PixelTransform) -> Any:  # noqa: ANN401  (torchvision's Compose is untyped)
    """Timm's own steps; one of them with another rounding where the transform asks for it."""
    steps = transforms_imagenet_eval(
        img_size=transform.size,
        crop_pct=transform.crop_fraction,
        crop_mode=transform.crop_mode.removesuffix(DOWN),
        interpolation=transform.interpolation,
        normalize=False,
    )
    if transform.crop_mode.endswith(DOWN):

        def crop(image: Image.Image) -> Image.Image:
            left, top = (image.width - transform.width) // 2, (image.height - transform.height) // 2
            return image.crop((left, top, left + transform.width, top + transform.height))

        steps.transforms = [crop if isinstance(step, CenterCrop) else step for step in steps.transforms]
    return steps
