"""Images before and after an attack, for a person to look at."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from zooscope.attacks.base import Attack
from zooscope.classifiers.classifier import Classifier
from zooscope.images.image_set import ImageSet
from zooscope.measurements.transfer import perturb


class ExamplePixels(NamedTuple):
    """Pixels in [0, 1] at the source's size."""

    clean: Float32[np.ndarray, "image height width channel"]
    attacked: Float32[np.ndarray, "image height width channel"]


def make_examples(attack: Attack, source: Classifier, images: ImageSet, *, seed: int) -> ExamplePixels:
    """The images as the source takes them, and attacked through it; all of them, also those that the source gets wrong."""
    pixels = images.pixels(source)
    labels = torch.from_numpy(images.labels)
    attacked = perturb(attack, source, pixels, labels, images.ids, seed=seed, batch_size=len(images)).pixels
    return ExamplePixels(_put_channels_last(pixels), _put_channels_last(attacked))


def _put_channels_last(pixels: Tensor) -> Float32[np.ndarray, "image height width channel"]:
    return np.ascontiguousarray(pixels.permute(0, 2, 3, 1).cpu().numpy().astype(np.float32))
