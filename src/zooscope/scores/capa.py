"""CAPA: how much two classifiers agree in their probabilities, adjusted for what their accuracies make them agree.

kappa_p = (observed - expected) / (1 - expected), where observed is the mean over images of sum_c p_a(c) p_b(c), and
expected = P Q + (1 - P)(1 - Q) / (C - 1) for the mean probabilities P and Q of the true class, of C classes. In [-1, 1], symmetric,
larger is more similar. A classifier reaches 1 with itself only if its probabilities are 0 and 1; so label smoothing and other
temperatures change the score. Undefined where expected is 1.

Probabilities are the softmax of the logits in the record, which are rounded to float16.

Source: Goel et al., Great Models Think Alike and this Undermines AI Oversight, ICML 2025.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
from jaxtyping import Float, Int
from scipy.special import softmax

from zooscope.scores.similarity import LOGITS, Measured, Pairs, Resampling, Similarity, make_pairs
from zooscope.scores.tables import divide
from zooscope.statistics.bootstrap import draw_with_original, find_percentiles

_NEAR: Final = 1e-12  # of an expected agreement to 1, where it is taken for 1


def capa(probabilities: Float[np.ndarray, "classifier image cls"], labels: Int[np.ndarray, " image"]) -> Float[np.ndarray, "a b"]:
    """kappa_p of all pairs; NaN where the expected agreement is 1.

    Example:
        >>> sure, unsure = [[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.5], [0.5, 0.5]]
        >>> capa(np.array([sure, unsure]), np.array([0, 0]))
        array([[1., 0.],
               [0., 0.]])

    Args:
        probabilities: of every class, for each image; they sum to 1.
        labels: the true classes.
    """
    return np.asarray(_sum_up([probabilities], labels, np.ones((1, len(labels))))[0])


def _compute(measured: Measured, confidence: float | None) -> Pairs:
    num_images = len(measured.labels)
    weights = draw_with_original(num_images, is_alone=confidence is None)
    blocks = (np.stack([part[name] for name in measured.names]) for part in measured.read_parts())
    shares = (softmax(block.astype(np.float64), axis=-1) for block in blocks)
    draws = _sum_up(shares, measured.labels, weights)
    interval = None if confidence is None else find_percentiles(draws[1:], confidence)
    undefined = "the expected agreement is 1: the probability of the true class is 1 on all images"
    return make_pairs(draws[0], interval, np.full(draws.shape[1:], num_images), undefined=undefined)


def _sum_up(
    blocks: Iterable[Float[np.ndarray, "classifier image cls"]],
    labels: Int[np.ndarray, " image"],
    weights: Float[np.ndarray, "draw image"],
) -> Float[np.ndarray, "draw a b"]:
    """kappa_p of all pairs for every weighting of the images; blocks of images come one after the other."""
    observed: Float[np.ndarray, "draw cell"] | float = 0.0
    means: Float[np.ndarray, "draw classifier"] | float = 0.0
    start = size = num_classes = 0
    for block in blocks:
        size, num_here, num_classes = block.shape
        here = slice(start, start + num_here)
        overlap = np.einsum("aic,bic->iab", block, block, optimize=True).reshape(num_here, -1)
        observed = observed + weights[:, here] @ overlap
        means = means + weights[:, here] @ block[:, np.arange(num_here), labels[here]].T
        start += num_here
    total = weights.sum(axis=1)[:, None, None]
    agreement = np.reshape(observed, (len(weights), size, size)) / total
    first, second = np.reshape(means, (len(weights), size, 1)) / total, np.reshape(means, (len(weights), 1, size)) / total
    expected = first * second + (1 - first) * (1 - second) / (num_classes - 1)
    return divide(agreement - expected, np.where(1 - expected < _NEAR, 0.0, 1 - expected))


CAPA: Final = Similarity(
    name="capa",
    title="CAPA (agreement of probabilities, adjusted for chance)",
    lowest=-1.0,
    highest=1.0,
    is_symmetric=True,
    larger_is_more_similar=True,
    with_itself=None,
    resampling=Resampling.IMAGES,
    reference="Goel et al., ICML 2025",
    kind=LOGITS,
    compute=_compute,
)
