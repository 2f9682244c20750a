"""SAT divided by the source's own success, for sources that the attack fools badly.

A classifier that resists the attack made on it gives attacked images that fool others less, too: all of its SAT is low, which says
more of the attack than of similarity. Divided by how many of the same images fool the source itself, scores are comparable again.
Symmetric; larger is more similar. It can exceed log(100): a target may be fooled by images that don't fool their source.
"""

from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from zooscope.scores.outcomes import PERCENT, Outcomes, find_percent
from zooscope.scores.sat import EPSILON_S, Sat, count_attacked_pairs, fill_pairs, split_pairs, take_log_score
from zooscope.statistics.bootstrap import Interval, require_confidence
from zooscope.statistics.combinations import bound_combinations

PAIRS_AT_ONCE: Final = 32  # the intervals of a block take a matrix of its pairs by its cells


class _Direction(NamedTuple):
    """Some pairs in one direction, image by image: counted images that fool the target, and those that fool their source."""

    target: Bool[np.ndarray, "pair image"]
    source: Bool[np.ndarray, "pair image"]

    def divide(self) -> Float[np.ndarray, " pair"]:
        """How many fool the target per one that fools the source; NaN where none does."""
        return find_percent(self.target.sum(-1), self.source.sum(-1)) / PERCENT


def normalize_sat(outcomes: Outcomes, *, epsilon_s: float = EPSILON_S) -> Sat:
    """SAT of all pairs, each direction divided by the success of the source's attack on the source itself, on the same images.

    Example:
        >>> import numpy as np
        >>> counted = np.ones((2, 2, 4), dtype=bool)
        >>> fooled = np.array([[[1, 1, 0, 0], [1, 0, 0, 0]], [[1, 1, 0, 0], [1, 1, 1, 1]]], dtype=bool)
        >>> normalize_sat(Outcomes.from_flags(("a", "b"), counted=counted, fooled=fooled)).percent
        array([[100.,  50.],
               [ 50., 100.]])

    Args:
        outcomes: of attacked images.
        epsilon_s: lower bound of percentages, so that the logarithm is finite, positive.

    Returns:
        As `sat`; NaN also where an attack fools its own source on none of the pair's images. On the diagonal 100 percent.

    Raises:
        InvalidValueError: epsilon_s is not in (0, 100].
    """
    number = count_attacked_pairs(outcomes)
    percent, num_counted = np.empty(number), np.empty(number, dtype=np.int64)
    for block, a, b in split_pairs(outcomes):
        (forth, back), counted = _take_directions(outcomes, a, b)
        percent[block], num_counted[block] = PERCENT * (forth.divide() + back.divide()) / 2, counted.sum(-1)
    full = fill_pairs(percent, outcomes, np.nan)
    return Sat(take_log_score(full, epsilon_s=epsilon_s), full, fill_pairs(num_counted, outcomes, 0))


def bound_normalized_sat(outcomes: Outcomes, *, epsilon_s: float = EPSILON_S, confidence: float = 0.95) -> Interval:
    """Intervals of the normalised SAT over images, for all pairs; matrices (a, b) on the scale of `Sat.score`.

    Each direction is a quotient of two shares of the same images, that is, a difference of their logarithms; the mean of both
    directions is combined in the same way (see `zooscope.statistics.combinations`).
    """
    require_confidence(confidence)
    low, high = np.empty((2, count_attacked_pairs(outcomes)))
    for block, a, b in split_pairs(outcomes, at_once=PAIRS_AT_ONCE):
        directions, counted = _take_directions(outcomes, a, b)
        ends = _bound_means(directions, counted, confidence=confidence, smallest=epsilon_s / PERCENT)
        itself = (a == b) & directions[0].source.any(-1)  # a source divided by itself is 1 on any images
        low[block], high[block] = (np.where(itself, 1, end) for end in ends)
    return Interval(*(take_log_score(PERCENT * fill_pairs(ends, outcomes, np.nan), epsilon_s=epsilon_s) for ends in (low, high)))


def normalize_one_sided(outcomes: Outcomes, *, epsilon_s: float = EPSILON_S) -> Float[np.ndarray, "source target"]:
    """SAT from one direction only, divided by the success of the source's attack on the source itself, on the same images."""
    size = len(outcomes.names)
    fooled, own = np.zeros((2, size, size), dtype=np.int64)
    targets = np.arange(size)
    for source in outcomes.attacked:
        sources = np.full(size, source)
        cells, itself = outcomes.take_cells(sources, targets), outcomes.take_cells(sources, sources)
        counted = cells.counted & itself.counted
        fooled[source], own[source] = (cells.fooled & counted).sum(-1), (itself.fooled & counted).sum(-1)
    return take_log_score(find_percent(fooled, own), epsilon_s=epsilon_s)


def _take_directions(
    outcomes: Outcomes, a: Int[np.ndarray, " pair"], b: Int[np.ndarray, " pair"]
) -> tuple[tuple[_Direction, _Direction], Bool[np.ndarray, "pair image"]]:
    """Both directions of some pairs, and the images that count in all that they take."""
    forth, back, of_a, of_b = (outcomes.take_cells(*cells) for cells in ((a, b), (b, a), (a, a), (b, b)))
    counted = forth.counted & back.counted & of_a.counted & of_b.counted
    return (
        _Direction(forth.fooled & counted, of_a.fooled & counted),
        _Direction(back.fooled & counted, of_b.fooled & counted),
    ), counted


def _bound_means(
    directions: tuple[_Direction, _Direction],
    counted: Bool[np.ndarray, "pair image"],
    *,
    confidence: float,
    smallest: float,
) -> Interval:
    """Intervals of the mean of both quotients."""
    quotients = [direction.divide() for direction in directions]
    ends = [_bound_quotients(direction, counted, confidence=confidence, smallest=smallest) for direction in directions]
    correlation = _correlate(
        *(each.target - quotient[:, None] * each.source for each, quotient in zip(directions, quotients, strict=True))
    )

    def combine(first: Float[np.ndarray, " pair"], second: Float[np.ndarray, " pair"]) -> Float[np.ndarray, " pair"]:
        return np.asarray(np.sqrt(np.maximum(first**2 + second**2 + 2 * correlation * first * second, 0)) / 2)

    mean = (quotients[0] + quotients[1]) / 2
    below, above = (
        combine(*(np.abs(quotient - np.asarray(each[end])) for quotient, each in zip(quotients, ends, strict=True)))
        for end in (0, 1)
    )
    return Interval(mean - below, mean + above)


def _bound_quotients(
    direction: _Direction, counted: Bool[np.ndarray, "pair image"], *, confidence: float, smallest: float
) -> Interval:
    """Intervals of the quotients of one direction; from 0 where no image fools the target."""
    number = len(counted)
    found = bound_combinations(
        np.concatenate(direction).astype(np.int8),
        np.concatenate([counted, counted]).astype(np.int8),
        np.concatenate([np.eye(number), -np.eye(number)], axis=1),
        confidence=confidence,
        scale=lambda share: np.log(np.maximum(share, smallest)),
    )
    low, high = np.exp(found.interval)
    return Interval(np.where(direction.target.any(-1), low, 0), high)


def _correlate(first: Float[np.ndarray, "pair image"], second: Float[np.ndarray, "pair image"]) -> Float[np.ndarray, " pair"]:
    """Correlation over images; 0 where one of both doesn't vary."""
    norms = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    return np.asarray(np.divide((first * second).sum(-1), norms, out=np.zeros(len(first)), where=norms > 0))
