"""Images split in two: one half for choosing, the other for evaluation."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from zooscope.errors import InvalidValueError


class Halves(NamedTuple):
    """Positions of images, ascending; no image is in both."""

    choosing: Int[np.ndarray, " chosen"]
    reporting: Int[np.ndarray, " reported"]


def split_halves(labels: Int[np.ndarray, " image"], *, seed: int = 0) -> Halves:
    """Two halves with equally many images of every class, up to one; their sizes differ by at most one.

    Example:
        >>> labels = np.array([0, 0, 0, 0, 1, 1])
        >>> choosing, reporting = split_halves(labels)
        >>> labels[choosing], labels[reporting]
        (array([0, 0, 1]), array([0, 0, 1]))

    Args:
        labels: the true classes.
        seed: of the split.

    Raises:
        InvalidValueError: there are fewer than two images.
    """
    if len(labels) < 2:  # noqa: PLR2004
        msg = f"choosing on one half of the images and reporting on the other needs at least 2 images: got {len(labels)}."
        raise InvalidValueError(msg)
    generator = np.random.default_rng(seed)
    # Classes one after the other in random order, images of each shuffled: every second position goes to the same half.
    shuffled = generator.permutation(len(labels))
    rank = generator.permutation(int(labels.max()) + 1)
    order = shuffled[np.argsort(rank[labels[shuffled]], kind="stable")]
    return Halves(np.sort(order[::2]), np.sort(order[1::2]))
