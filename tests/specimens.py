"""Small classifiers and images whose right answers are known, for the tests of everything that needs some."""

import io
from collections.abc import Sequence
from typing import Any

import zooscope.images.torchvision_operators  # before timm

import numpy as np
import torch
from PIL import Image
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from zooscope.classifiers.classifier import Classifier
from zooscope.images.image_set import ImageSet
from zooscope.images.pixel_transform import PixelTransform
from zooscope.scores.outcomes import Outcomes

Array = np.ndarray[Any, Any]


class Linear(nn.Module):
    """Logits that are a weighted sum of the pixels, computed in the type of the weights."""

    def __init__(self, weights: Array, bias: Array, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.as_tensor(weights, dtype=dtype))
        self.bias = nn.Parameter(torch.as_tensor(bias, dtype=dtype))

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.flatten(1).to(self.weights.dtype) @ self.weights.T + self.bias


class InDouble(nn.Module):
    """A network computed in float64 inside, so that the way its input is batched can't be seen in the result."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.double()

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.network(pixels.double())
        return logits


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


def as_is(height: int, width: int) -> PixelTransform:
    """A transform that leaves images of this size as they are."""
    return PixelTransform(height=height, width=width, interpolation="nearest")


def classifier_of(name: str, network: nn.Module, *, num_classes: int, size: tuple[int, int]) -> Classifier:
    """A network by hand, for images of its own size."""
    return Classifier(name=name, network=network.eval(), num_classes=num_classes, transform=as_is(*size))


def two_class(
    name: str, weights: Array, bias: float = 0.0, *, size: tuple[int, int] = (4, 4), dtype: torch.dtype = torch.float64
) -> Classifier:
    """Class 1 where the weighted sum of the pixels, minus one half each, plus the bias is positive; that sum is the margin."""
    network = Linear(np.stack([-weights, weights]) / 2, np.array([-1, 1]) * (bias - weights.sum() / 2) / 2, dtype)
    return classifier_of(name, network, num_classes=2, size=size)


def images_of(
    levels: Array, labels: Sequence[int] | Array, *, num_classes: int | None = None, ids: Sequence[str] | None = None
) -> ImageSet:
    """Images from 8-bit levels of shape (image, height, width, 3), held in memory as PNG files."""
    names = tuple(ids or (f"{position:04d}.png" for position in range(len(levels))))
    files = {name: _png(values) for name, values in zip(names, levels, strict=True)}
    classes = tuple(f"class {number}" for number in range(num_classes or int(np.max(labels)) + 1))
    return ImageSet(
        address="made by hand", ids=names, labels=np.asarray(labels, dtype=np.int64), class_names=classes, read=files.__getitem__
    )


def noise(count: int, size: tuple[int, int], seed: int = 0) -> Array:
    """8-bit levels of images without meaning."""
    return np.random.default_rng(seed).integers(0, 256, (count, *size, 3), dtype=np.uint8)


def conv_network(seed: int, *, sibling: int = 0, num_classes: int = 3) -> nn.Module:
    """A small convolutional network for any size of images; siblings of one seed are alike."""
    network = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.GELU(),
        nn.Conv2d(6, 6, 3, stride=2, padding=1),
        nn.GELU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(24, num_classes),
    )
    common, own = (torch.Generator().manual_seed(number) for number in (seed, 1000 * seed + sibling))
    for parameter in network.parameters():
        scale = (2 / parameter[0].numel()) ** 0.5
        values = torch.randn(parameter.shape, generator=common) + 0.25 * torch.randn(parameter.shape, generator=own)
        parameter.data = scale * values
    return network


def family(
    count: int, *, num_images: int = 30, sizes: Sequence[tuple[int, int]] = ((6, 6),), seed: int = 0, in_double: bool = True
) -> tuple[list[Classifier], ImageSet]:
    """Convolutional classifiers that are alike, and images that most of them classify correctly.

    Args:
        count: how many classifiers.
        num_images: how many images, the clearer two thirds of random ones; their labels are what an average relative says.
        sizes: taken in turn by the classifiers; the images have the first.
        seed: of weights and images.
        in_double: whether the classifiers compute in float64.
    """
    num_candidates = 3 * num_images // 2
    levels = noise(num_candidates, sizes[0], seed)
    unlabelled = images_of(levels, np.zeros(num_candidates, dtype=np.int64), num_classes=3)
    classifiers, total = [], torch.zeros(num_candidates, 3)
    for number in range(count):
        network, size = conv_network(seed, sibling=number), sizes[number % len(sizes)]
        head = network.get_submodule("6")
        assert isinstance(head, nn.Linear)
        with torch.no_grad():
            logits: Tensor = network(unlabelled.pixels(classifier_of("pixels", network, num_classes=3, size=size)))
            head.bias.sub_(logits.mean(0))
            total += logits - logits.mean(0)
        whole = InDouble(network) if in_double else network
        classifiers.append(classifier_of(f"relative {number}", whole, num_classes=3, size=size))
    first, second = total.topk(2).values.T
    clear = (first - second).argsort(descending=True)[:num_images].sort().values.numpy()
    return classifiers, images_of(levels[clear], total.argmax(1).numpy()[clear], num_classes=3)


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


def _png(levels: Array) -> bytes:
    file = io.BytesIO()
    Image.fromarray(levels.astype(np.uint8)).save(file, format="PNG")
    return file.getvalue()
