"""From an RGB image to the pixels that a classifier takes: resize, then crop; values in [0, 1]."""

from functools import cache
from typing import Any, Final

import torch
from jaxtyping import Float
from PIL import Image
from timm.data.transforms import ResizeKeepRatio
from timm.data.transforms_factory import transforms_imagenet_eval
from torch import Tensor
from torchvision.transforms import CenterCrop

from zooscope.images.pixel_transform import DOWN, PixelTransform

MOST_PIXELS: Final = 2**24  # of a resized image before its crop: 64 MiB; one whose sides differ a hundredfold has more


def make_pixels(transform: PixelTransform, image: Image.Image) -> Float[Tensor, "channel height width"]:
    """An image's pixels: float32 in [0, 1], three channels.

    Example:
        >>> make_pixels(PixelTransform(height=24, width=32), Image.new("RGB", (100, 80))).shape
        torch.Size([3, 24, 32])
    """
    steps = _make_steps(transform).transforms
    size = _find_resized_size(steps[0], image)
    if size[0] * size[1] > MOST_PIXELS:
        image, steps = _resize_centre(transform, image, size), steps[-1:]
    elif min(size) < 1:  # the short side of a line that is to be seen as a whole
        image = image.resize((max(size[0], 1), max(size[1], 1)), Image.Resampling[transform.interpolation.upper()])
    levels: Any = image
    for step in steps:
        levels = step(levels)
    return torch.as_tensor(levels).to(torch.float32) / 255


def _find_resized_size(resize: Any, image: Image.Image) -> tuple[int, int]:  # noqa: ANN401  (torchvision's and timm's are untyped)
    """The width and height that the first of timm's steps gives an image."""
    if isinstance(resize, ResizeKeepRatio):
        height, width = resize.get_params(image, resize.size, resize.longest)
    elif isinstance(resize.size, int):
        short = min(image.size)
        width, height = (resize.size * side // short for side in image.size)
    else:
        height, width = resize.size
    return width, height


def _resize_centre(transform: PixelTransform, image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The centre of the resized image alone, without the rest of it, which may have hundreds of megapixels."""
    box = [0.0] * 4
    is_down = transform.crop_mode.endswith(DOWN)
    for axis, (kept, resized, there) in enumerate(zip(transform.size[::-1], size, image.size, strict=True)):
        start = (resized - kept) // 2 if is_down else round((resized - kept) / 2)
        box[axis], box[axis + 2] = start * there / resized, min((start + kept) * there / resized, there)
    left, top, right, bottom = box
    resampling = Image.Resampling[transform.interpolation.upper()]
    return image.resize((transform.width, transform.height), resampling, box=(left, top, right, bottom))


@cache
def _make_steps(transform: PixelTransform) -> Any:  # noqa: ANN401  (torchvision's Compose is untyped)
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
