"""What stays valid although one looks after every shard: intervals of SAT's percentages, and which nearest neighbours are certain.

Source: as of `zooscope.statistics.anytime`.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from jaxtyping import Bool, Int

from zooscope.scores.outcomes import PAIRS_AT_ONCE, PERCENT, Outcomes
from zooscope.statistics.anytime import bound_anytime, weigh_evidence
from zooscope.statistics.bootstrap import Interval, require_confidence

VALUES: Final = np.array([0.0, 0.5, 1.0])  # of an image that is fooled in neither direction, in one, in both
AIM: Final = 0.1  # half the width of the intervals that a test of the order starts from
SHARE_OF_BOUNDS: Final = 0.1  # of the probability of an error, that these intervals take


def bound_percent_anytime(outcomes: Outcomes, shards: Sequence[range], *, points: float, confidence: float = 0.95) -> Interval:
    """Intervals of the percentage behind every pair's SAT, valid after every shard at once.

    Each holds the truth of its pair at all times with at least this confidence; of many pairs, some may not.

    Example:
        >>> fooled = np.random.default_rng(0).random((2, 2, 400)) < 0.3
        >>> outcomes = Outcomes.from_flags(("a", "b"), counted=np.ones_like(fooled), fooled=fooled)
        >>> shards = [range(start, start + 100) for start in range(0, 400, 100)]
        >>> low, high = bound_percent_anytime(outcomes, shards, points=10)
        >>> bool(low[0, 1] < 30 < high[0, 1]), bool(high[0, 1] - low[0, 1] < 10)
        (True, True)

    Args:
        outcomes: of attacked images; shards that are not in `shards` don't count.
        shards: positions of the images of each, from the first on.
        points: the width, in percentage points, at which the intervals are to be narrowest; chosen before one looks.
        confidence: of each interval, in (0, 1).

    Returns:
        Matrices (a, b), in percent; 0 to 100 where no image counts, and on the diagonal.

    Raises:
        InvalidValueError: points are not in (0, 100), or the confidence is not in (0, 1).
    """
    size = len(outcomes.names)
    low, high = np.zeros((size, size)), np.full((size, size), PERCENT)
    for rows, columns in _split_pairs(size):
        found = bound_anytime(
            _count_values(outcomes, rows, columns, shards), VALUES, aim=points / (2 * PERCENT), confidence=confidence
        )
        low[rows, columns] = low[columns, rows] = PERCENT * found.low
        high[rows, columns] = high[columns, rows] = PERCENT * found.high
    return Interval(low, high)


def find_certain_nearest(
    outcomes: Outcomes, shards: Sequence[range], *, confidence: float = 0.95
) -> Bool[np.ndarray, " classifier"]:
    """Which classifiers' nearest neighbour is certain, whenever one looks.

    Of each classifier the nearest so far is tested against all others. With at least this confidence, all that are ever found
    certain are right: the probability of an error is shared among classifiers, and among the rivals of each (Bonferroni).

    Example:
        >>> rate = np.array([[1, 0.8, 0.2], [0.8, 1, 0.5], [0.2, 0.5, 1]])
        >>> fooled = np.random.default_rng(0).random((3, 3, 300)) < rate[..., None]
        >>> outcomes = Outcomes.from_flags(("a", "b", "c"), counted=np.ones_like(fooled), fooled=fooled)
        >>> find_certain_nearest(outcomes, [range(100), range(100, 200), range(200, 300)])
        array([ True,  True,  True])

    Args:
        outcomes: of attacked images; shards that are not in `shards` don't count.
        shards: positions of the images of each, from the first on.
        confidence: of all together, in (0, 1).

    Raises:
        InvalidValueError: the confidence is not in (0, 1).
    """
    require_confidence(confidence)
    size = len(outcomes.names)
    alpha = (1 - confidence) / max(size, 1)
    return np.array([_is_certain(outcomes, place, shards, alpha) for place in range(size)], dtype=bool)


def _is_certain(outcomes: Outcomes, place: int, shards: Sequence[range], alpha: float) -> bool:
    others = np.delete(np.arange(len(outcomes.names)), place)
    counts = _count_values(outcomes, np.full(len(others), place), others, shards)
    totals = counts.sum(axis=1)
    if not totals.any(axis=1).all():
        return False  # a pair without a counted image may have any score
    if len(others) == 1:
        return True
    nearest = int(np.argmax(totals @ VALUES / totals.sum(axis=1)))
    rivals = np.delete(np.arange(len(others)), nearest)
    bounds = bound_anytime(counts[rivals], VALUES, aim=AIM, confidence=1 - SHARE_OF_BOUNDS * alpha)
    joint = _count_jointly(outcomes, place, int(others[nearest]), others[rivals], shards)
    evidence = weigh_evidence(joint, VALUES, bounds)
    # Any of the others may have been taken for the nearest instead of the true one: as many errors as there are rivals.
    return bool((evidence >= np.log(len(rivals) / ((1 - SHARE_OF_BOUNDS) * alpha))).all())


def _count_values(
    outcomes: Outcomes, rows: Int[np.ndarray, " pair"], columns: Int[np.ndarray, " pair"], shards: Sequence[range]
) -> Int[np.ndarray, "pair shard value"]:
    """How many counted images of every shard have each of `VALUES`."""
    fooled, counted = outcomes.take_pairs(rows, columns)
    levels = [(fooled == level) & (counted > 0) for level in range(len(VALUES))]
    return np.stack([np.stack([level[:, _slice(shard)].sum(axis=1) for shard in shards], axis=1) for level in levels], axis=2)


def _count_jointly(
    outcomes: Outcomes, place: int, nearest: int, rivals: Int[np.ndarray, " rival"], shards: Sequence[range]
) -> Int[np.ndarray, "rival shard first second"]:
    """How many images of every shard have each pair of values with the nearest and with each rival; 0 is not counted."""
    fooled, counted = outcomes.take_pairs(np.full(1 + len(rivals), place), np.array([nearest, *rivals]))
    states = np.where(counted > 0, fooled.astype(np.int64) + 1, 0)
    size = 1 + len(VALUES)
    both = size * states[0] + states[1:] + size**2 * np.arange(len(rivals))[:, None]
    found = [np.bincount(both[:, _slice(shard)].ravel(), minlength=size**2 * len(rivals)) for shard in shards]
    return np.stack(found, axis=1).reshape(len(rivals), size, size, len(shards)).transpose(0, 3, 1, 2)


def _slice(shard: range) -> slice:
    return slice(shard.start, shard.stop)


def _split_pairs(size: int) -> Iterator[tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]]]:
    """All pairs of different classifiers, a block at a time."""
    rows, columns = np.triu_indices(size, 1)
    for start in range(0, len(rows), PAIRS_AT_ONCE):
        block = slice(start, start + PAIRS_AT_ONCE)
        yield rows[block], columns[block]
