"""Small classifiers and images whose right answers are known, for the tests of everything that needs some."""

from typing import Any

import zooscope.images.torchvision_operators  # before timm

import numpy as np
import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from zooscope.classifiers.classifier import Classifier
from zooscope.images.image_set import ImageSet
from zooscope.scores.outcomes import Outcomes
from zooscope.testing.specimens import InDouble, Linear, as_is, classifier_of, conv_network, family, images_of, noise

__all__ = [
    "Array",
    "Counted",
    "InDouble",
    "Linear",
    "as_is",
    "attentive",
    "classifier_of",
    "conv_network",
    "counted_in",
    "family",
    "fooled_in",
    "images_of",
    "noise",
    "outcomes_of",
    "two_class",
]
Array = np.ndarray[Any, Any]


class Counted(nn.Module):
    """A network that remembers what it was shown."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.seen: list[Tensor] = []

    def forward(self, pixels: Tensor) -> Tensor:
        self.seen.append(pixels.detach().clone())
        logits: Tensor = self.network(pixels)
        return logits


def two_class(
    name: str, weights: Array, bias: float = 0.0, *, size: tuple[int, int] = (4, 4), dtype: torch.dtype = torch.float64
) -> Classifier:
    """Class 1 where the weighted sum of the pixels, minus one half each, plus the bias is positive; that sum is the margin."""
    network = Linear(np.stack([-weights, weights]) / 2, np.array([-1, 1]) * (bias - weights.sum() / 2) / 2, dtype)
    return classifier_of(name, network, num_classes=2, size=size)


def attentive(num_images: int = 12, *, depth: int = 4, seed: int = 0) -> tuple[Classifier, ImageSet]:
    """A small vision transformer with random weights, computed in float64, and images that it classifies correctly.

    Args:
        num_images: how many images, of noise.
        depth: blocks of attention among 3 x 3 patches of 2 x 2 pixels and a class token.
        seed: of weights and images.
    """
    network = VisionTransformer(img_size=6, patch_size=2, num_classes=3, embed_dim=12, depth=depth, num_heads=2, mlp_ratio=2)
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        scale = 0.5 if parameter.ndim == 1 else (2 / parameter.shape[-1]) ** 0.5
        parameter.data = scale * torch.randn(parameter.shape, generator=generator)
    classifier = classifier_of("attentive", InDouble(network), num_classes=3, size=(6, 6))
    levels = noise(num_images, (6, 6), seed)
    unlabelled = images_of(levels, np.zeros(num_images, dtype=np.int64), num_classes=3)
    with torch.no_grad():
        labels = classifier.logits(unlabelled.pixels(classifier)).argmax(1)
    return classifier, images_of(levels, labels.numpy(), num_classes=3)


def outcomes_of(fooled: Array, counted: Array | None = None) -> Outcomes:
    """Outcomes by hand; arrays of shape (source, target, image)."""
    known = np.ones(fooled.shape, dtype=bool) if counted is None else counted.astype(bool)
    names = tuple(f"classifier {number}" for number in range(len(fooled)))
    return Outcomes.from_flags(names, counted=known, fooled=known & fooled.astype(bool))


def counted_in(outcomes: Outcomes) -> Array:
    """Which images count, (source, target, image)."""
    return np.asarray(outcomes.predicted >= 0)


def fooled_in(outcomes: Outcomes) -> Array:
    """Which counted images are fooled, (source, target, image)."""
    return np.asarray(counted_in(outcomes) & (outcomes.predicted != outcomes.labels))
