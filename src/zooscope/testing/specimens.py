"""Small classifiers and images whose right answers are known; everything is made from seeds, nothing is loaded."""

import io
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from zooscope.classifiers.classifier import Classifier
from zooscope.images.image_set import ImageSet
from zooscope.images.pixel_transform import PixelTransform


class StoppedError(Exception):
    """A run ends here."""


class Linear(nn.Module):
    """Logits that are a weighted sum of the pixels, computed in the type of the weights."""

    def __init__(self, weights: np.ndarray, bias: np.ndarray, dtype: torch.dtype = torch.float64) -> None:
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


def as_is(height: int, width: int) -> PixelTransform:
    """A transform that leaves images of this size as they are."""
    return PixelTransform(height=height, width=width, interpolation="nearest")


def classifier_of(name: str, network: nn.Module, *, num_classes: int, size: tuple[int, int]) -> Classifier:
    """A network by hand, for images of its own size."""
    return Classifier(name=name, network=network.eval(), num_classes=num_classes, transform=as_is(*size))


def images_of(
    levels: np.ndarray, labels: Sequence[int] | np.ndarray, *, num_classes: int | None = None, ids: Sequence[str] | None = None
) -> ImageSet:
    """Images from 8-bit levels of shape (image, height, width, 3), held in memory as PNG files."""
    names = tuple(ids or (f"{position:04d}.png" for position in range(len(levels))))
    files = {name: make_png(values) for name, values in zip(names, levels, strict=True)}
    classes = tuple(f"class {number}" for number in range(num_classes or int(np.max(labels)) + 1))
    return ImageSet(
        address="made by hand", ids=names, labels=np.asarray(labels, dtype=np.int64), class_names=classes, read=files.__getitem__
    )


def noise(count: int, size: tuple[int, int], seed: int = 0) -> np.ndarray:
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


def make_png(levels: np.ndarray) -> bytes:
    """The file of an image of 8-bit levels, (height, width, 3)."""
    file = io.BytesIO()
    Image.fromarray(levels.astype(np.uint8)).save(file, format="PNG")
    return file.getvalue()


def make_red_png(level: int) -> bytes:
    """The file of an image of 4 x 4 pixels of one red level, 0 to 255."""
    return make_png(np.broadcast_to(np.array([level, 0, 0], dtype=np.uint8), (4, 4, 3)))
