"""What the tests of similarity scores share: measurements made up, with a known amount of likeness."""

from collections.abc import Mapping, Sequence

import numpy as np

from tests.specimens import Array
from zooscope.records.predictions import Predictions
from zooscope.scores.similarity import Measured

NUM_CLASSES = 5


def make_measured(
    labels: Array, clean: Array, arrays: Sequence[Array] = (), *, names: Sequence[str] = (), num_parts: int = 2
) -> Measured:
    """Clean predictions of classifiers c0, c1, ..., and an array of each, cut along its first axis into parts."""
    own = tuple(names or (f"c{number}" for number in range(len(clean))))
    cut = [np.array_split(values, num_parts) for values in arrays]

    def read_part(part: int) -> Mapping[str, Array]:
        return {name: parts[part] for name, parts in zip(own, cut, strict=True)}

    sizes = tuple(len(part) for part in cut[0]) if cut else ()
    return Measured(names=own, labels=labels, clean=clean, num_parts=len(sizes), read_part=read_part, part_sizes=sizes)


def make_logits(num_classifiers: int, num_images: int, seed: int = 0, num_classes: int = NUM_CLASSES) -> tuple[Array, Array]:
    """Labels, and logits of (classifier, image, class) that share a part of their noise and know a part of the truth."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, num_classes, num_images)
    noise = generator.normal(size=(1, num_images, num_classes)) + generator.normal(size=(num_classifiers, num_images, num_classes))
    return labels, noise + 2 * np.eye(num_classes)[labels]


def predictions_of(transfer: Array, control: Array | None = None) -> Predictions:
    """Of classifiers named a, b, ... on images that are all of class 0; arrays of shape (source, target, image).

    Each has a transform of its own, so that each cell has a control.
    """
    size, _, count = transfer.shape
    controls = np.zeros(transfer.shape) if control is None else control
    return Predictions(
        names=tuple("abcd"[:size]),
        image_ids=tuple(map(str, range(count))),
        labels=np.zeros(count, dtype=np.int64),
        clean=np.zeros((size, count), dtype=np.int32),
        sources=tuple("abcd"[:size]),
        transfer=transfer.astype(np.int32),
        transforms=tuple("ABCD"[:size]),
        controls={("ABCD"[row], "abcd"[column]): controls[row, column].astype(np.int32) for row, column in np.ndindex(size, size)},
    )
