"""Zoos made of numbers, for the analyses: logits with families of classifiers, outcomes of attacks with planted clusters."""

import numpy as np
import xarray as xr

from tests.specimens import Array
from zooscope.analyses.averaging import CleanLogits


def names_of(count: int) -> tuple[str, ...]:
    return tuple(f"classifier {number}" for number in range(count))


def logits_of(values: Array, labels: Array) -> CleanLogits:
    """Logits by hand, of shape (classifier, image, class)."""
    kept = tuple(part.astype(np.float16) for part in values)
    return CleanLogits(names=names_of(len(kept)), values=kept, labels=labels.astype(np.int64))


def synthetic_logits(
    count: int, *, num_images: int = 40, num_classes: int = 10, num_families: int = 2, seed: int = 0, own: float = 1.0
) -> CleanLogits:
    """Classifiers that get most images right; those of one family (taken in turn) err alike.

    Args:
        count: how many classifiers.
        num_images: how many images.
        num_classes: how many classes, of which a few are mistaken for the true one.
        num_families: how many families.
        seed: of everything.
        own: how much a classifier differs from its family.
    """
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, num_classes, num_images)
    rows, rivals = np.arange(num_images)[:, None], generator.integers(0, num_classes, (num_images, 4))
    likeness = generator.normal(3, 1, rivals.shape)
    families = generator.normal(0, 2, (num_families, *rivals.shape))
    clear = generator.normal(6, 2.5, num_images)
    values = generator.normal(0, 0.7, (count, num_images, num_classes))
    for number in range(count):
        values[number, rows, rivals] += likeness + families[number % num_families] + own * generator.normal(size=rivals.shape)
        values[number, np.arange(num_images), labels] += clear
    return logits_of(values, labels)


def matrix_of(values: Array, names: tuple[str, ...] | None = None) -> xr.DataArray:
    """A SAT matrix by hand."""
    known = list(names or names_of(len(values)))
    return xr.DataArray(values, dims=("a", "b"), coords={"a": known, "b": known}, name="sat")
