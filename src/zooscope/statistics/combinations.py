"""Confidence intervals of sums and differences of shares that are measured on the same images.

MOVER, the method of variance estimates recovery: the distance from each share to the ends of its own interval says how uncertain it
is on that side, and the correlations of the shares over images say how much of this they have in common. It holds on any scale on
which shares are combined, such as their logarithms, and needs no draws. Percentiles of resampled images hold the truth too rarely
where few images are fooled, see `benchmarks/interval_coverage.py`.

Two shares of which the same images are fooled would be equal for sure. So that their difference doesn't claim certainty,
correlations are also computed as if each share had three images more that the others don't have; the wider interval counts.

Source: Newcombe, Improved Confidence Intervals for the Difference between Binomial Proportions Based on Paired Data, Statistics in
Medicine 17 (1998), for differences of shares. Zou and Donner, Construction of Confidence Limits about Effect Measures: A General
Approach, Statistics in Medicine 27 (2008), for other scales. Sums of several terms are combined in the same way.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float, Real

from zooscope.statistics.bootstrap import Interval, require_confidence
from zooscope.statistics.shares import bound_effective, measure_shares

CELLS_AT_ONCE: Final = 512
NUM_APART: Final = 3
Scale = Callable[[Float[np.ndarray, " cell"]], Float[np.ndarray, " cell"]]


class Combined(NamedTuple):
    """Combinations of shares, and their intervals."""

    value: Float[np.ndarray, " combination"]
    interval: Interval


def bound_combinations(
    fooled: Real[np.ndarray, "cell image"],
    counted: Real[np.ndarray, "cell image"],
    weights: Real[np.ndarray, "combination cell"],
    *,
    confidence: float = 0.95,
    scale: Scale = lambda share: share,
) -> Combined:
    """sum(weight * scale(share)) over the cells of every combination, with intervals; see the module's first lines.

    Example:
        >>> fooled = (np.arange(50) < np.array([[30], [20]])).astype(np.int8)
        >>> weights = np.array([[1, -1], [0.5, 0.5]])  # the difference of two shares, and their mean
        >>> found = bound_combinations(fooled, np.ones_like(fooled), weights)
        >>> found.value.round(2), found.interval.low.round(2), found.interval.high.round(2)
        (array([0.2, 0.5]), array([0.08, 0.38]), array([0.31, 0.62]))

    Args:
        fooled: as in `bound_shares`; all cells are of the same images, of which each may count others.
        counted: as there.
        weights: of each cell in each combination.
        confidence: coverage, in (0, 1).
        scale: increasing function of a share in [0, 1], with finite values, such as its logarithm cut below at a smallest share.

    Returns:
        Sums on that scale; NaN where a cell with a weight counts no image.

    Raises:
        InvalidValueError: the confidence is not in (0, 1), or the counted images of a cell count differently.
    """
    require_confidence(confidence)
    shares = measure_shares(fooled, counted)
    ends = bound_effective(shares, confidence=confidence)
    low, value, high = (np.asarray(scale(each)) for each in (ends.low, shares.share, ends.high))
    below, above = (np.where(weights != 0, weights * distance, 0.0) for distance in (value - low, high - value))
    down, up = np.where(weights > 0, below, above), np.where(weights > 0, above, below)
    spreads = _find_lengths(np.concatenate([down, up]), fooled, counted, shares.share)
    total = np.where(weights != 0, weights * value, 0.0).sum(axis=1)
    return Combined(total, Interval(total - spreads[: len(weights)], total + spreads[len(weights) :]))


def bound_mean(
    fooled: Real[np.ndarray, "cell image"],
    counted: Real[np.ndarray, "cell image"],
    *,
    confidence: float = 0.95,
    scale: Scale = lambda share: share,
) -> Combined:
    """The mean of scale(share) over all cells, as the only combination; arguments and errors are those of `bound_combinations`."""
    weights = np.full((1, len(fooled)), 1 / len(fooled))
    return bound_combinations(fooled, counted, weights, confidence=confidence, scale=scale)


def _find_lengths(
    parts: Float[np.ndarray, "combination cell"],
    fooled: Real[np.ndarray, "cell image"],
    counted: Real[np.ndarray, "cell image"],
    share: Float[np.ndarray, " cell"],
) -> Float[np.ndarray, " combination"]:
    """sqrt(sum over cells i and j of part i * part j * correlation of i and j): the length of a sum of vectors over images.

    With the images as they are, and with a few more that no two cells share; the longer counts.
    """
    vectors, apart = np.zeros((2, len(parts), fooled.shape[1])), np.zeros((2, len(parts)))
    for start in range(0, len(fooled), CELLS_AT_ONCE):
        cells = slice(start, start + CELLS_AT_ONCE)
        here = np.nan_to_num(share[cells])
        residuals = fooled[cells] - here[:, None] * counted[cells]
        squares = (residuals**2).sum(axis=1)
        squares[squares <= np.finfo(np.float64).eps * fooled.shape[1]] = 0  # all images are alike
        more = here * (1 - here) * counted[cells].max(axis=1, initial=0).astype(np.float64) ** 2
        for place, number in enumerate((0, NUM_APART)):
            whole = squares + number * more
            factor = np.divide(1, np.sqrt(whole), out=np.zeros(len(whole)), where=squares > 0)
            vectors[place] += np.where(squares > 0, parts[:, cells] * factor, 0) @ residuals
            apart[place] += (parts[:, cells] ** 2 * (1 - squares * factor**2)).sum(axis=1)
    return np.asarray(np.sqrt((vectors**2).sum(axis=2) + apart).max(axis=0))
