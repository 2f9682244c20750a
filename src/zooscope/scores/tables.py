"""Tables of two classifiers being right and wrong on the same images, and intervals of what is computed from them.

Shares of images have the intervals of `zooscope.statistics.shares`. For other numbers images are drawn with replacement. An empty
cell of a table stays empty in every draw, as if no image could ever fall in it. The interval is therefore widened to the score of a
table whose empty cell holds as many images as is compatible with finding none (Clopper and Pearson).
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from zooscope.scores.similarity import Measured, Pairs, make_pairs
from zooscope.statistics.bootstrap import Interval, draw_weights, find_percentiles, require_confidence
from zooscope.statistics.shares import Shares, bound_effective


class Tables(NamedTuple):
    """How many images both classifiers of a pair get right, only the first, only the second, or neither."""

    both: Float[np.ndarray, "*cells"]
    first: Float[np.ndarray, "*cells"]
    second: Float[np.ndarray, "*cells"]
    neither: Float[np.ndarray, "*cells"]

    @property
    def total(self) -> Float[np.ndarray, "*cells"]:
        """The number of images."""
        return np.asarray(self.both + self.first + self.second + self.neither)


Statistic = Callable[[Tables], Float[np.ndarray, "*cells"]]
POSSIBLE_WITH_ITSELF: Final = ("both", "neither")


def count_tables(right: Bool[np.ndarray, "classifier image"]) -> Tables:
    """The tables of all pairs (a, b).

    Example:
        >>> tables = count_tables(np.array([[True, True, False], [True, False, False]]))
        >>> tables.first
        array([[0., 1.],
               [0., 0.]])
    """
    flags = right.astype(np.float64)
    return _complete(flags @ flags.T, flags.sum(-1)[:, None], flags.sum(-1)[None, :], right.shape[1])


def bootstrap_tables(
    right: Bool[np.ndarray, "classifier image"], statistic: Statistic, *, confidence: float, seed: int = 0
) -> Interval:
    """Intervals of a number computed from the table of each pair; see the module's first lines.

    Raises:
        InvalidValueError: the confidence is not in (0, 1).
    """
    require_confidence(confidence)
    size, num_images = right.shape
    flags, weights = right.astype(np.float32), draw_weights(num_images, seed=seed)
    sums = (weights @ flags.T).astype(np.float64)
    low, high = np.empty((2, size, size))
    for a in range(size):
        both = ((weights * flags[a]) @ flags.T).astype(np.float64)
        low[a], high[a] = find_percentiles(statistic(_complete(both, sums[:, a, None], sums, num_images)), confidence)
    return _widen(Interval(low, high), count_tables(right), statistic, confidence=confidence)


def score_tables(measured: Measured, confidence: float | None, *, statistic: Statistic, undefined: str = "") -> Pairs:
    """A number of every pair computed from its table, with intervals.

    Args:
        measured: of which the clean predictions are taken.
        confidence: of the intervals; None leaves them out.
        statistic: gives the number; NaN where it is undefined.
        undefined: why it is.
    """
    right = measured.right
    interval = None if confidence is None else bootstrap_tables(right, statistic, confidence=confidence)
    count = np.full((len(right), len(right)), right.shape[1])
    return make_pairs(statistic(count_tables(right)), interval, count, undefined=undefined, fewest=1)


def score_shares(measured: Measured, confidence: float | None, *, statistic: Statistic, with_itself: float | None = None) -> Pairs:
    """A share of images of every pair, with intervals.

    Args:
        measured: of which the clean predictions are taken.
        confidence: of the intervals; None leaves them out.
        statistic: gives the share.
        with_itself: the share of a classifier with itself, where it is known without measuring; None where it isn't.
    """
    share = statistic(count_tables(measured.right))
    num_images, interval = measured.right.shape[1], None
    if confidence is not None:
        require_confidence(confidence)
        known = Shares(share.ravel(), np.full(share.size, float(num_images)))
        interval = Interval(*(end.reshape(share.shape) for end in bound_effective(known, confidence=confidence)))
        if with_itself is not None:
            for end in interval:
                np.fill_diagonal(end, with_itself)
    return make_pairs(share, interval, np.full(share.shape, num_images), undefined="", fewest=1)


def divide(numerator: Float[np.ndarray, "*cells"], denominator: Float[np.ndarray, "*cells"]) -> Float[np.ndarray, "*cells"]:
    """The quotient; NaN where the denominator is 0.

    Example:
        >>> divide(np.array([1.0, 0.0]), np.array([4.0, 0.0]))
        array([0.25,  nan])
    """
    return np.asarray(np.divide(numerator, denominator, out=np.full(np.shape(numerator), np.nan), where=denominator != 0))


def _complete(
    both: Float[np.ndarray, "*cells"],
    right_of_first: Float[np.ndarray, "..."],
    right_of_second: Float[np.ndarray, "..."],
    num_images: int,
) -> Tables:
    first, second = right_of_first - both, right_of_second - both
    return Tables(both, first, second, num_images - both - first - second)


def _widen(interval: Interval, tables: Tables, statistic: Statistic, *, confidence: float) -> Interval:
    """The interval, reaching to where the score would be if empty cells were not empty."""
    num_images = tables.total
    share = 1 - ((1 - confidence) / 2) ** (1 / num_images)  # of images that may fall in a cell in which none was found
    most = num_images * share / (1 - share)
    off_diagonal = ~np.eye(len(tables.both), dtype=np.bool_)
    empty = {
        name: (cell == 0) & (off_diagonal if name not in POSSIBLE_WITH_ITSELF else True) for name, cell in tables._asdict().items()
    }
    num_empty = sum(flags.astype(np.int64) for flags in empty.values())
    ways = [{name} for name in tables._fields] + [set(tables._fields)]  # one at a time; all of them, each with its part
    low, high = interval
    for way in ways:
        parts = np.maximum(num_empty, 1) if len(way) > 1 else 1
        filled = Tables(
            *(np.where(empty[name], most / parts, cell) if name in way else cell for name, cell in tables._asdict().items())
        )
        value = np.where(num_empty > 0, statistic(filled), np.nan)
        low, high = np.fmin(low, value), np.fmax(high, value)
    return Interval(low, high)
