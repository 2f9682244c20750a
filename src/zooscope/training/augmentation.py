"""What is done to each image before the network sees it: timm's and torchvision's own steps, and Cutout."""

from functools import partial
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float, Int
from PIL import Image, ImageOps
from timm.data.auto_augment import rand_augment_transform
from timm.data.random_erasing import RandomErasing
from timm.data.transforms import RandomResizedCropAndInterpolation, str_to_pil_interp
from torch import Tensor
from torchvision import transforms

from zooscope.classifiers.classifier import Classifier
from zooscope.errors import InvalidValueError
from zooscope.images.make_pixels import make_pixels
from zooscope.training.recipe import AugmentationSettings

LEVELS: Final = 255
BITS: Final = 8
TRANSLATED: Final = 0.45  # of the side, as in timm


class Augmentation:
    """Makes pixels in [0, 1] of an image, at the classifier's size; draws from the global generators."""

    def __init__(self, settings: AugmentationSettings, classifier: Classifier) -> None:
        """Builds the steps.

        Raises:
            InvalidValueError: timm knows no such RandAugment.
        """
        self._transform = classifier.transform
        self._mean, self._std = (torch.tensor(values).view(3, 1, 1) for values in (classifier.mean, classifier.std))
        self._cutout = settings.cutout
        size, interpolation = classifier.transform.size, classifier.transform.interpolation
        steps: list[Any] = []
        if settings.crop == "resized":
            steps.append(RandomResizedCropAndInterpolation(size, scale=settings.scale, interpolation=interpolation))
        self._is_shifted = settings.crop == "shift"
        if self._is_shifted:
            if settings.padding >= min(size):
                msg = f"augmentation.padding must be smaller than the image, {min(size)} pixels: got {settings.padding}."
                raise InvalidValueError(msg)
            steps.append(partial(shift, most=settings.padding))
        if settings.flip:
            steps.append(transforms.RandomHorizontalFlip(settings.flip))
        if settings.rand_augment:
            steps.append(_make_rand_augment(settings.rand_augment, min(size), interpolation, classifier.mean))
        elif settings.color_jitter:
            steps.append(transforms.ColorJitter(*3 * (settings.color_jitter,)))
        self._has_own_size = settings.crop != "none"
        self._steps = transforms.Compose(steps)
        self._erase = RandomErasing(settings.random_erasing, mode="pixel", device="cpu") if settings.random_erasing else None

    def __call__(self, image: Image.Image) -> Float[Tensor, "channel height width"]:
        """The image's pixels."""
        if not self._has_own_size or (self._is_shifted and image.size != self._transform.size[::-1]):
            image = _to_image(make_pixels(self._transform, image))
        pixels: Tensor = transforms.functional.pil_to_tensor(self._steps(image)).float() / LEVELS
        if self._cutout:
            pixels = cut_out(pixels, self._cutout, self._mean)
        if self._erase is not None:
            normalised = (pixels - self._mean) / self._std  # the noise is meant for these
            pixels = (self._erase(normalised) * self._std + self._mean).clamp(0, 1)
        return pixels


def cut_out(
    pixels: Float[Tensor, "channel height width"], side: int, mean: Float[Tensor, "channel 1 1"]
) -> Float[Tensor, "channel height width"]:
    """Pixels with a square of the mean colour, whose centre lies anywhere in the image, so that a part of it may lie outside.

    Source: DeVries and Taylor, Improved Regularization of Convolutional Neural Networks with Cutout, 2017, Section 3.
    """
    height, width = pixels.shape[-2:]
    row, column = int(torch.randint(height, ())), int(torch.randint(width, ()))
    top, left = row - side // 2, column - side // 2
    result = pixels.clone()
    result[:, max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)] = mean
    return result


def shift(image: Image.Image, most: int) -> Image.Image:
    """An image moved by up to `most` pixels each way; what is missing then is a mirror image of what is there."""
    top, left = torch.randint(-most, most + 1, (2,)).tolist()
    levels = np.asarray(image)
    return Image.fromarray(levels[_mirror(top, image.height)][:, _mirror(left, image.width)])


def _mirror(start: int, length: int) -> Int[np.ndarray, " place"]:
    """Places from `start` on; those outside 0 to length - 1 are reflected at its ends."""
    places = np.abs(np.arange(start, start + length))
    return np.where(places < length, places, 2 * (length - 1) - places)


def _make_rand_augment(spelling: str, side: int, interpolation: str, mean: tuple[float, float, float]) -> Any:  # noqa: ANN401  (untyped)
    settings = {
        "translate_const": int(side * TRANSLATED),
        "img_mean": tuple(min(LEVELS, round(LEVELS * value)) for value in mean),
        "interpolation": str_to_pil_interp(interpolation),
    }
    try:
        augment = rand_augment_transform(spelling, settings)
    except Exception as error:  # it checks by assertions, and by names of its own
        msg = f"augmentation.rand_augment: timm knows no {spelling!r}; write rand-m9-mstd0.5-inc1, for example."
        raise InvalidValueError(msg) from error
    for step in augment.ops:
        if step.name.startswith("Posterize"):
            step.aug_fn = posterize
    return augment


def posterize(image: Image.Image, num_bits: int, **_: object) -> Image.Image:
    """An image whose levels keep their upper bits; black where none is kept, which timm asks for at times and Pillow 12 refuses."""
    if num_bits < 1:
        return Image.new(image.mode, image.size)
    return image if num_bits >= BITS else ImageOps.posterize(image, num_bits)


def _to_image(pixels: Float[Tensor, "channel height width"]) -> Image.Image:
    return Image.fromarray((pixels * LEVELS).round().to(torch.uint8).permute(1, 2, 0).numpy())
