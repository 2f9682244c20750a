"""Agreement of decision regions: the share of points on planes through three images on which two classifiers say the same class.

For every triplet of images, the share of the points on its plane with the same predicted class; then the mean over triplets. In
[0, 1], symmetric, larger is more similar, 1 with itself; unrelated good classifiers agree far above 0. Points on which a classifier
says no class, because its logits are NaN or infinite, are left out.

Intervals by bootstrap over triplets: the points of one plane depend on each other.

Source: Somepalli et al., Can Neural Nets Learn the Same Model Twice?, CVPR 2022.
"""

from typing import Final

import numpy as np
from jaxtyping import Float, Int

from zooscope.records.kinds import PLANES
from zooscope.scores.similarity import Measured, Pairs, Resampling, Similarity, make_pairs
from zooscope.scores.tables import divide
from zooscope.statistics.bootstrap import draw_with_original, find_percentiles

NUM_TRIPLETS: Final = 500
NUM_POINTS: Final = 2500
_NOTHING: Final = -1


def agreement(predicted: Int[np.ndarray, "classifier triplet point"]) -> Float[np.ndarray, "a b"]:
    """The share of points with the same predicted class, mean over triplets, of all pairs; NaN where no point counts.

    Example:
        >>> agreement(np.array([[[0, 0, 1, 1]], [[0, 1, 1, 1]]]))
        array([[1.  , 0.75],
               [0.75, 1.  ]])

    Args:
        predicted: classes; points where one is negative don't count.
    """
    shares = _compute_shares(predicted)
    known = ~np.isnan(shares)
    return divide(np.where(known, shares, 0).sum(axis=0), known.sum(axis=0).astype(np.float64))


def _score(measured: Measured, confidence: float | None) -> Pairs:
    blocks = []
    for part in measured.read_parts():
        shape = next(iter(part.values())).shape
        blocks.append(_compute_shares(np.stack([part.get(name, np.full(shape, _NOTHING)) for name in measured.names])))
    shares = np.concatenate(blocks)
    size = len(measured.names)
    known = ~np.isnan(shares)
    weights = draw_with_original(len(shares), is_alone=confidence is None)
    flat = (np.where(known, shares, 0).reshape(len(shares), -1), known.astype(np.float64).reshape(len(shares), -1))
    draws = divide(*(weights @ each for each in flat)).reshape(-1, size, size)
    interval = None if confidence is None else find_percentiles(draws[1:], confidence)
    undefined = "no triplet is measured of both, with a predicted class"
    return make_pairs(draws[0], interval, known.sum(axis=0), undefined=undefined)


def _compute_shares(predicted: Int[np.ndarray, "classifier triplet point"]) -> Float[np.ndarray, "triplet a b"]:
    """The share of each triplet for each pair; NaN where no point counts."""
    says = predicted >= 0
    result = np.empty((predicted.shape[1], len(predicted), len(predicted)))
    for place, own in enumerate(predicted):
        counts = says & says[place]
        same = ((predicted == own) & counts).sum(axis=-1)
        result[:, place] = divide(same.astype(np.float64), counts.sum(axis=-1).astype(np.float64)).T
    return result


AGREEMENT: Final = Similarity(
    name="agreement",
    title="agreement of decision regions on planes",
    lowest=0.0,
    highest=1.0,
    is_symmetric=True,
    larger_is_more_similar=True,
    with_itself=1.0,
    passes=NUM_TRIPLETS * NUM_POINTS,
    resampling=Resampling.TRIPLETS,
    reference="Somepalli et al., CVPR 2022",
    kind=PLANES,
    also=PLANES,
    compute=_score,
)
