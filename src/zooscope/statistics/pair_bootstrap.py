"""Intervals of numbers that are computed from pairs of classifiers, by resampling classifiers.

Pairs that share a classifier are not independent, so classifiers are drawn with replacement, not pairs: a classifier brings all of
its pairs, and the weight of a pair is the product of how often its two classifiers were drawn. Pairs of a classifier with itself
are left out.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from zooscope.statistics.bootstrap import find_percentiles

NUM_RESAMPLES: Final = 2000
LEAST_DEFINED: Final = 0.6  # of the draws; with fewer, those that define the number are not like the others
LEAST_SPREAD: Final = 1e-9
DECIMALS: Final = 9  # scores that differ by rounding errors are equal
FLAT: Final = 1e-9
CELLS_AT_ONCE: Final = 2_000_000

Statistic = Callable[[Float[np.ndarray, "draw pair"]], Float[np.ndarray, " draw"]]


class Ends(NamedTuple):
    """Both ends of an interval; NaN where there is none."""

    low: float
    high: float


class PairWeights(NamedTuple):
    """Draws of classifiers, as weights of pairs.

    Attributes:
        size: how many classifiers there are.
        rows: position of each pair's first classifier.
        columns: position of its second one.
        num_resamples: how many draws.
        seed: of the draws.
    """

    size: int
    rows: Int[np.ndarray, " pair"]
    columns: Int[np.ndarray, " pair"]
    num_resamples: int = NUM_RESAMPLES
    seed: int = 0

    def take(self, chosen: Bool[np.ndarray, " pair"]) -> "PairWeights":
        """The same draws, for some of the pairs."""
        return self._replace(rows=self.rows[chosen], columns=self.columns[chosen])

    def compute(self, statistic: Statistic) -> Float[np.ndarray, " draw"]:
        """A number in every draw; in the first place that of all classifiers, each once."""
        return np.concatenate([statistic(np.ones((1, len(self.rows)))), *map(statistic, self._draw())])

    def _draw(self) -> Iterator[Float[np.ndarray, "draw pair"]]:
        shares = np.full(self.size, 1 / self.size)
        times = np.random.default_rng(self.seed).multinomial(self.size, shares, size=self.num_resamples).astype(np.float64)
        at_once = max(1, CELLS_AT_ONCE // max(1, len(self.rows)))
        for start in range(0, self.num_resamples, at_once):
            block = times[start : start + at_once]
            yield block[:, self.rows] * block[:, self.columns]


def find_ends(draws: Float[np.ndarray, " draw"], confidence: float) -> Ends:
    """Percentile interval of a number over draws of classifiers.

    Returns:
        NaN if the number is undefined in more than two of five draws, or the same in all of them: classifiers are too few then.

    Raises:
        InvalidValueError: the confidence is not in (0, 1).
    """
    (low,), (high,) = find_percentiles(draws[:, None], confidence)
    if np.isfinite(draws).mean() < LEAST_DEFINED or not np.nanmax(draws) - np.nanmin(draws) > LEAST_SPREAD:
        return Ends(float("nan"), float("nan"))
    return Ends(float(low), float(high))


def compute_auc(
    likeness: Float[np.ndarray, " pair"], is_positive: Bool[np.ndarray, " pair"], weights: Float[np.ndarray, "draw pair"]
) -> Float[np.ndarray, " draw"]:
    """Area under the ROC curve: how often a positive pair is more alike than another; equal ones count half.

    Example:
        >>> likeness, is_positive = np.array([3.0, 1.0, 2.0, 1.0]), np.array([True, True, False, False])
        >>> compute_auc(likeness, is_positive, np.ones((1, 4)))
        array([0.625])

    Args:
        likeness: larger is more alike; no NaN.
        is_positive: the pairs that should be alike.
        weights: how often each pair counts.

    Returns:
        In [0, 1], 0.5 by chance; NaN where a draw lacks positive pairs or others.
    """
    if len(likeness) == 0:
        return np.full(len(weights), np.nan)
    _, group = np.unique(likeness.round(DECIMALS), return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    positive, other = (np.add.reduceat((weights * flags)[:, order], starts, axis=1) for flags in (is_positive, ~is_positive))
    wins = (positive * (np.cumsum(other, axis=1) - other / 2)).sum(axis=1)
    trials = positive.sum(axis=1) * other.sum(axis=1)
    return np.asarray(np.divide(wins, trials, out=np.full(len(weights), np.nan), where=trials > 0))


def correlate(
    x: Float[np.ndarray, " pair"], y: Float[np.ndarray, " pair"], weights: Float[np.ndarray, "draw pair"]
) -> Float[np.ndarray, " draw"]:
    """Weighted Pearson correlation in every draw.

    Example:
        >>> correlate(np.array([1.0, 2.0, 3.0]), np.array([5.0, 3.0, 1.0]), np.ones((1, 3))).round(6)
        array([-1.])

    Args:
        x: no NaN.
        y: no NaN.
        weights: how often each pair counts.

    Returns:
        NaN where fewer than two pairs count, or x or y is constant.
    """
    if len(x) == 0:
        return np.full(len(weights), np.nan)
    x, y = _standardize(x), _standardize(y)
    total, sum_x, sum_y, sum_xx, sum_yy, sum_xy = (weights @ np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)).T
    spread_x, spread_y = total * sum_xx - sum_x**2, total * sum_yy - sum_y**2
    usable = np.minimum(spread_x, spread_y) > FLAT * np.maximum(total, 1) ** 2
    product = np.where(usable, spread_x * spread_y, 1)
    return np.where(usable, np.clip((total * sum_xy - sum_x * sum_y) / np.sqrt(product), -1, 1), np.nan)


def _standardize(values: Float[np.ndarray, " pair"]) -> Float[np.ndarray, " pair"]:
    """Mean 0 and standard deviation 1; zeros where all are equal, up to rounding."""
    centred = values - values.mean()
    spread = centred.std()
    return centred / spread if spread > FLAT * max(1e-300, float(np.abs(values).max())) else np.zeros_like(values)
