"""The images of a recipe: those to train on, decoded once, and those held out, as pixels."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Int

from zooscope.errors import ImagesError, InvalidValueError
from zooscope.images.image_set import ImageSet
from zooscope.images.load import load_images
from zooscope.training.decoded import Decoded
from zooscope.training.recipe import ImageSettings

FEWEST_CLASSES: Final = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Data:
    """What is trained and tested on; the same for all networks of a sweep.

    Attributes:
        settings: where it is from.
        train: images to train on.
        decoded: the same, decoded.
        held_out: images to test on; none of them is trained on.
    """

    settings: ImageSettings
    train: ImageSet
    decoded: Decoded
    held_out: ImageSet

    @property
    def labels(self) -> Int[np.ndarray, " image"]:
        """The classes of the images to train on."""
        return self.train.labels


def load_data(settings: ImageSettings) -> Data:
    """The images that the settings name.

    Raises:
        InvalidValueError: no images are named, or there are fewer than asked for.
        ImagesError: the two sets have other classes, or an image can't be read.
        ZooscopeError: an address can't be used.
    """
    train, held_out = select_images(settings)
    return Data(settings=settings, train=train, decoded=Decoded(train), held_out=held_out)


def select_images(settings: ImageSettings) -> tuple[ImageSet, ImageSet]:
    """The images to train on, and those held out; none is read. See `load_data`."""
    if not settings.train:
        msg = "the recipe names no images; write images.train = ADDRESS, or add --images ADDRESS."
        raise InvalidValueError(msg)
    train = load_images(settings.train)
    if len(train.class_names) < FEWEST_CLASSES:
        msg = f"{train.address} has one class; give images of two or more."
        raise ImagesError(msg)
    if settings.held_out:
        held_out = load_images(settings.held_out, classes=train.class_names)
        if held_out.address == train.address:
            msg = f"{train.address} can't be trained and tested on; leave held_out out to keep a share of it for the test."
            raise InvalidValueError(msg)
    else:
        order = train.sample(len(train), seed=settings.seed)
        num_held_out = max(1, round(settings.held_out_share * len(train)))
        if num_held_out >= len(train):
            msg = f"{train.address} has too few images ({len(train)}) to hold some out; give more, or name images.held_out."
            raise ImagesError(msg)
        held_out, train = order.take(range(num_held_out)), order.take(range(num_held_out, len(train)))
    return _sample(train, settings.count, "count", settings.seed), _sample(
        held_out, settings.held_out_count, "held_out_count", settings.seed
    )


def _sample(images: ImageSet, count: int, name: str, seed: int) -> ImageSet:
    if count > len(images):
        msg = f"images.{name} asks for {count} of the {len(images)} images of {images.address}; ask for fewer, or leave it out."
        raise InvalidValueError(msg)
    return images.sample(count, seed=seed) if count else images
