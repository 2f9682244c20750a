"""Photographs of many shapes: bundled ones made larger and given texture, and ImageNet's own where they are at hand."""

import os
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from zooscope import load_images
from zooscope.images.decode import decode

SIZES = ((301, 225), (229, 347), (97, 64), (225, 224), (160, 200))  # width and height: wide, tall, small, one pixel off, even
VARIABLE = "ZOOSCOPE_IMAGENET"  # a folder of ImageNet's images, one subfolder per class


@cache
def photographs() -> tuple[Image.Image, ...]:
    """One image of each size, and three of ImageNet's if the variable names its folder."""
    images, generator = load_images("bundled:cifar10").sample(len(SIZES)), np.random.default_rng(0)
    made = [textured(images.image(position).resize(size), generator) for position, size in enumerate(SIZES)]
    folder = os.environ.get(VARIABLE)
    real = sorted(Path(folder).glob("*/*.JPEG"))[::200] if folder else []
    return (*made, *(decode(file.read_bytes(), file.name) for file in real))


def textured(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """The image with fine detail, in which a row or column that is off by one shows."""
    levels = np.asarray(image).astype(float) + generator.normal(0, 25, (image.height, image.width, 3))
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8))
