"""Directions of the input gradients of clean images."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Float16, Int
from torch import Tensor

from zooscope.attacks.gradients import compute_gradient, require_finite
from zooscope.attacks.losses import compute_margins
from zooscope.attacks.settings import require_at_least
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.probe import make_probe_pixels
from zooscope.errors import ClassifierError, LeftOutWarning, NotFiniteError
from zooscope.measurements.base import Bench, Measurement, Result, Task, find_missing_of_each
from zooscope.measurements.common_pixels import CommonPixels, resize_unbounded
from zooscope.records.kinds import GRADIENTS
from zooscope.records.records import Records
from zooscope.records.rows import ArrayRow

NUM_PROBED: Final = 2


@dataclass(frozen=True, kw_only=True)
class Gradients(Measurement):
    """Directions of the gradients of the logit margin, the true class's logit minus the largest other.

    Gradients of different classifiers can only be compared if they are with respect to the same pixels: these are clean pixels in
    [0, 1] at one size, which each classifier resizes (bilinear) and normalises. The margin has a gradient where the softmax is so
    sure that the cross-entropy's is zero.

    Each gradient is divided by its length and kept in float16. One of more values than `num_values` is kept as a count sketch:
    every value is added, with a random sign, to one of `num_values` sums. That keeps cosines without bias, with a standard
    deviation of about 1 / sqrt(num_values) per image (0.018 by default); gradients at a smaller size would lose all fine detail.
    Those of 32 x 32 pixels are kept whole. The record grows by 6 KB per classifier and image: 69 classifiers and 5,000 images take
    2.1 GB.

    A classifier whose logits have no gradient gets arrays without columns, a warning, and no score. Cost: a forward and a backward
    pass per image.

    Attributes:
        num_values: the most that is kept per image.
        side: of the square pixels; 0 takes the median of the shorter sides of the first 16 images, but at most 224.
        seed: of the count sketch.
    """

    num_values: int = 3072
    side: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuses settings that keep nothing."""
        require_at_least("Gradients.num_values", self.num_values, 1)
        require_at_least("Gradients.side", self.side, 0)
        require_at_least("Gradients.seed", self.seed, 0)

    @property
    def kind(self) -> str:
        """Gradients."""
        return GRADIENTS

    @property
    def takes_own_pixels(self) -> bool:
        """No: the same for all classifiers."""
        return False

    def missing(self, records: Records, *, sources: Sequence[str]) -> tuple[Task, ...]:
        """Every classifier on every shard, sources or not."""
        del sources
        return find_missing_of_each(self, records)

    def measure(self, task: Task, bench: Bench) -> Result:
        """Directions of (image, value); zeros where the gradient is zero; of (image, 0) where the classifier has no gradient.

        Raises:
            NotFiniteError: a gradient is NaN or infinite.

        Warns:
            LeftOutWarning: the classifier has no gradient.
        """
        classifier, labels = bench.classifier(task.subject), torch.from_numpy(bench.labels(task.shard))
        if _has_gradient(classifier):
            pixels = bench.pixels_as(CommonPixels.choose(bench.images, self.side).transform, task.shard)
            try:
                gradients = compute_margin_gradients(classifier, pixels, labels, batch_size=bench.batch_size)
            except NotFiniteError as error:
                raise error.naming(bench.ids(task.shard)) from error
            values = sketch(gradients.flatten(1).numpy(), num_values=self.num_values, seed=self.seed)
        else:
            msg = f"the logits of {task.subject} have no gradient, so its gradients can't be measured."
            warnings.warn(msg, LeftOutWarning, stacklevel=2)
            values = np.empty((len(labels), 0), dtype=np.float16)
        return Result((ArrayRow(kind=GRADIENTS, digest=self.digest, subject=task.subject, part=task.shard, values=values),))


def compute_margin_gradients(
    classifier: Classifier, pixels: Float[Tensor, "image channel height width"], labels: Int[Tensor, " image"], *, batch_size: int
) -> Float[Tensor, "image channel height width"]:
    """Gradients of the logit margin with respect to pixels of any size, on the CPU.

    Raises:
        NotFiniteError: one is NaN or infinite.
    """
    parts = []
    for start in range(0, len(pixels), batch_size):
        here = slice(start, start + batch_size)
        batch = pixels[here].to(classifier.device, copy=True).requires_grad_()
        logits = classifier.logits(resize_unbounded(batch, classifier.transform.size))
        margins = -compute_margins(logits, labels[here].to(logits.device))
        parts.append(compute_gradient(margins.sum(), batch, classifier=classifier).cpu())
    gradients = torch.cat(parts)
    require_finite(~gradients.isfinite().flatten(1).all(1), f"{classifier.name} has a NaN or infinite gradient on clean")
    return gradients


def sketch(gradients: Float[np.ndarray, "image value"], *, num_values: int, seed: int) -> Float16[np.ndarray, "image kept"]:
    """Directions, float16, of at most `num_values` values each; see `Gradients`. Zeros stay zeros."""
    values = gradients.astype(np.float64)
    values = _divide(values, np.abs(values).max(axis=1, keepdims=True))  # so that no square underflows
    if values.shape[1] > num_values:
        generator = np.random.default_rng(seed)
        places = generator.integers(0, num_values, values.shape[1])
        signs = generator.choice([-1.0, 1.0], values.shape[1])
        values = np.stack([np.bincount(places, weights=signs * row, minlength=num_values) for row in values])
    return _divide(values, np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float16)


def _divide(values: Float[np.ndarray, "image value"], by: Float[np.ndarray, "image 1"]) -> Float[np.ndarray, "image value"]:
    return np.asarray(np.divide(values, by, out=np.zeros_like(values), where=by > 0))


def _has_gradient(classifier: Classifier) -> bool:
    """Whether the logits have one on grey and noise, be it zero; a network that leaves torch has none."""
    pixels = make_probe_pixels(classifier, NUM_PROBED).requires_grad_()
    try:
        compute_gradient(classifier.logits(pixels).sum(), pixels, classifier=classifier)
    except ClassifierError:
        return False
    except Exception:  # noqa: BLE001  (each network has its own way to stumble, and pixels without gradients were no problem)
        return False
    return True
