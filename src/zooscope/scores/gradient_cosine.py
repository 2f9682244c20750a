"""Cosine of input gradients: whether two classifiers would change an image in the same direction.

For every image that both classify correctly, the cosine of the gradients of their logit margins with respect to the same pixels;
then the mean over these images. In [-1, 1], symmetric, larger is more similar, 1 with itself, 0 for unrelated directions. An image
on which a gradient is zero doesn't count. Undefined where no image counts.

Gradients of large images are kept as sketches of their directions, see `zooscope.measurements.gradients`, which adds noise to each
image's cosine, but no bias. Intervals by bootstrap over images cover that noise, too.

Source: Demontis et al., Why Do Adversarial Attacks Transfer? Explaining Transferability of Evasion and Poisoning Attacks, USENIX
Security 2019: the alignment of input gradients.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Real

from zooscope.records.kinds import GRADIENTS
from zooscope.scores.similarity import Measured, Pairs, Resampling, Similarity, make_pairs
from zooscope.scores.tables import divide
from zooscope.statistics.bootstrap import draw_with_original, find_percentiles


def gradient_cosine(
    gradients: Real[np.ndarray, "classifier image value"], right: Bool[np.ndarray, "classifier image"]
) -> Float[np.ndarray, "a b"]:
    """The mean cosine over the images that both get right, of all pairs; NaN where there is none.

    Example:
        >>> gradients = np.array([[[1.0, 0.0], [0.0, 2.0]], [[1.0, 1.0], [0.0, 1.0]]])
        >>> gradient_cosine(gradients, np.array([[True, True], [True, False]])).round(3)
        array([[1.   , 0.707],
               [0.707, 1.   ]])

    Args:
        gradients: on the same images, of any length.
        right: which images each classifier gets right.
    """
    draws, _ = _sum_up([gradients], right, np.ones((1, right.shape[1])))
    return np.asarray(draws[0])


def _score(measured: Measured, confidence: float | None) -> Pairs:
    weights = draw_with_original(len(measured.labels), is_alone=confidence is None)
    widths = dict.fromkeys(measured.names, 0)
    reason = np.full((len(widths), len(widths)), "no image that both get right has a gradient that is not zero", dtype=object)

    def stack_parts() -> Iterable[Float[np.ndarray, "classifier image value"]]:
        for part in measured.read_parts():
            widths.update({name: part[name].shape[1] for name in measured.names})
            shape = (len(part[measured.names[0]]), max(widths.values()))
            yield np.stack([part[name] if widths[name] else np.zeros(shape) for name in measured.names]).astype(np.float64)

    draws, count = _sum_up(stack_parts(), measured.right, weights)
    for place, name in enumerate(measured.names):
        if not widths[name]:
            reason[place, :] = reason[:, place] = f"the logits of {name} have no gradient"
    interval = None if confidence is None else find_percentiles(draws[1:], confidence)
    return make_pairs(draws[0], interval, count, undefined=reason)


def _sum_up(
    blocks: Iterable[Real[np.ndarray, "classifier image value"]],
    right: Bool[np.ndarray, "classifier image"],
    weights: Float[np.ndarray, "draw image"],
) -> tuple[Float[np.ndarray, "draw a b"], Real[np.ndarray, "a b"]]:
    """The mean cosine of all pairs for every weighting of the images, which come block by block; and how many images count."""
    size = len(right)
    total, counted = np.zeros((2, len(weights), size * size))
    start = 0
    for block in blocks:
        here = slice(start, start + block.shape[1])
        lengths = np.linalg.norm(block, axis=2, keepdims=True)
        units = np.divide(block, lengths, out=np.zeros(block.shape), where=lengths > 0).transpose(1, 0, 2)
        counts = (right[:, here] & (lengths[..., 0] > 0)).T
        both = (counts[:, :, None] & counts[:, None, :]).reshape(len(counts), -1)
        cosines = np.where(both, (units @ units.transpose(0, 2, 1)).reshape(both.shape), 0)
        total += weights[:, here] @ cosines
        counted += weights[:, here] @ both
        start += block.shape[1]
    shape = (len(weights), size, size)
    return divide(total, counted).reshape(shape), counted[0].reshape(size, size).round().astype(np.int64)


GRADIENT_COSINE: Final = Similarity(
    name="gradient_cosine",
    title="cosine of input gradients",
    lowest=-1.0,
    highest=1.0,
    is_symmetric=True,
    larger_is_more_similar=True,
    with_itself=1.0,
    passes_per_image=3,
    resampling=Resampling.IMAGES,
    reference="Demontis et al., USENIX Security 2019",
    kind=GRADIENTS,
    also=GRADIENTS,
    compute=_score,
)
