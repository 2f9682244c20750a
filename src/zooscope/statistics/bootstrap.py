"""Confidence intervals by resampling images."""

from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import beta

from zooscope.errors import InvalidValueError

NUM_RESAMPLES: Final = 1000
CELLS_AT_ONCE: Final = 512


class Interval(NamedTuple):
    """Lower and upper ends, one per cell or in a matrix of cells."""

    low: Float[np.ndarray, "*cells"]
    high: Float[np.ndarray, "*cells"]


def share_intervals(
    fooled: Int[np.ndarray, "cell image"],
    counted: Int[np.ndarray, "cell image"],
    *,
    confidence: float = 0.95,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap intervals of sum(fooled) / sum(counted) for many cells at once.

    Images are drawn with replacement, and one draw serves all cells: cells share images, and an image brings all that was counted
    of it (both directions of a pair). Where every or no counted outcome is fooled, resampling can't see any spread; there the
    ends are those of Clopper and Pearson with the number of counted images.

    Args:
        fooled: what was fooled per image, not above `counted`.
        counted: what was counted per image, 0 where the image doesn't count.
        confidence: coverage, in (0, 1).
        num_resamples: how many draws.
        seed: of the draws.

    Returns:
        Shares in [0, 1]; NaN where nothing is counted.

    Raises:
        InvalidValueError: the confidence is not in (0, 1).
    """
    if not 0 < confidence < 1:
        msg = f"confidence must be in (0, 1): got {confidence:g}." + (
            f" For {confidence:g} % write {confidence / 100:g}." if confidence > 1 else ""
        )
        raise InvalidValueError(msg)
    num_cells, num_images = fooled.shape
    weights = (
        np.random.default_rng(seed)
        .multinomial(num_images, np.full(num_images, 1 / num_images), size=num_resamples)
        .astype(np.float32)
    )
    tail = (1 - confidence) / 2
    low, high = np.full(num_cells, np.nan), np.full(num_cells, np.nan)
    for start in range(0, num_cells, CELLS_AT_ONCE):
        cells = slice(start, start + CELLS_AT_ONCE)
        numerator = weights @ fooled[cells].T.astype(np.float32)
        denominator = weights @ counted[cells].T.astype(np.float32)
        shares = np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan, dtype=np.float64), where=denominator > 0)
        usable = denominator.any(axis=0)
        if usable.any():
            low[cells][usable], high[cells][usable] = np.nanquantile(shares[:, usable], (tail, 1 - tail), axis=0)
    num_counted = (counted > 0).sum(axis=1)
    none, every = (num_counted > 0) & (fooled.sum(axis=1) == 0), (num_counted > 0) & (fooled.sum(axis=1) == counted.sum(axis=1))
    high[none] = beta.ppf(1 - tail, 1, num_counted[none])
    low[every] = beta.ppf(tail, num_counted[every], 1)
    low[none], high[every] = 0, 1
    return Interval(low, high)
