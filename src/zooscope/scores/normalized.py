"""SAT divided by the source's own success, for sources that the attack fools badly.

A classifier that resists the attack made on it gives attacked images that fool others less, too: all of its SAT is low, which says
more of the attack than of similarity. Divided by how many of the same images fool the source itself, scores are comparable again.
Symmetric; larger is more similar. It can exceed log(100): a target may be fooled by images that don't fool their source.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from zooscope.scores.outcomes import PERCENT, Outcomes, find_percent
from zooscope.scores.sat import EPSILON_S, Sat, fill_both_triangles, split_pairs, take_log_score
from zooscope.statistics.bootstrap import Interval, draw_weights, find_percentiles, set_exact_ends


class _Flags(NamedTuple):
    """Some pairs (a, b), image by image: the images that count, and which of them the attacks on a and on b fool."""

    counted: Bool[np.ndarray, "pair image"]
    a_fools_b: Bool[np.ndarray, "pair image"]
    b_fools_a: Bool[np.ndarray, "pair image"]
    a_fools_a: Bool[np.ndarray, "pair image"]
    b_fools_b: Bool[np.ndarray, "pair image"]


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
    size = len(outcomes.names)
    percent, counted = np.empty(size * (size + 1) // 2), np.empty(size * (size + 1) // 2, dtype=np.int64)
    everything = np.ones((1, len(outcomes.labels)), dtype=np.float32)
    for block, flags in _iterate_blocks(outcomes):
        percent[block], counted[block] = _weigh(everything, flags)[0], flags.counted.sum(-1)
    full = fill_both_triangles(percent, size)
    return Sat(take_log_score(full, epsilon_s=epsilon_s), full, fill_both_triangles(counted, size))


def bootstrap_normalized_sat(
    outcomes: Outcomes, *, epsilon_s: float = EPSILON_S, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Intervals of the normalised SAT by bootstrap over images, for all pairs; matrices (a, b) on the scale of `Sat.score`.

    Where none or all images are fooled, the ends are those of SAT (`set_exact_ends`), divided by the same successes.
    """
    size = len(outcomes.names)
    weights = draw_weights(len(outcomes.labels), seed=seed)
    low, high = np.empty((2, size * (size + 1) // 2))
    for block, flags in _iterate_blocks(outcomes):
        ends = find_percentiles(_weigh(weights, flags), confidence)
        low[block], high[block] = _set_exact_ends(ends, flags, confidence=confidence)
    return Interval(*(take_log_score(fill_both_triangles(ends, size), epsilon_s=epsilon_s) for ends in (low, high)))


def normalize_one_sided(outcomes: Outcomes, *, epsilon_s: float = EPSILON_S) -> Float[np.ndarray, "source target"]:
    """SAT from one direction only, divided by the success of the source's attack on the source itself, on the same images."""
    size = len(outcomes.names)
    fooled, own = np.zeros((2, size, size), dtype=np.int64)
    targets = np.arange(size)
    for source in targets:
        sources = np.full(size, source)
        cells, itself = outcomes.take_cells(sources, targets), outcomes.take_cells(sources, sources)
        counted = cells.counted & itself.counted
        fooled[source], own[source] = (cells.fooled & counted).sum(-1), (itself.fooled & counted).sum(-1)
    return take_log_score(find_percent(fooled, own), epsilon_s=epsilon_s)


def _iterate_blocks(outcomes: Outcomes) -> Iterator[tuple[slice, _Flags]]:
    for block, a, b in split_pairs(len(outcomes.names)):
        yield block, _take_flags(outcomes, a, b)


def _take_flags(outcomes: Outcomes, a: Int[np.ndarray, " pair"], b: Int[np.ndarray, " pair"]) -> _Flags:
    cells = [outcomes.take_cells(sources, targets) for sources, targets in ((a, b), (b, a), (a, a), (b, b))]
    counted = np.logical_and.reduce([each.counted for each in cells])
    return _Flags(counted, *(each.fooled & counted for each in cells))


def _weigh(weights: Float32[np.ndarray, "resample image"], flags: _Flags) -> Float[np.ndarray, "resample pair"]:
    """The mean of both directions' ratios in percent; NaN where an attack fools its own source on no image drawn."""
    a_fools_b, b_fools_a, a_fools_a, b_fools_b = (weights @ each.T.astype(np.float32) for each in flags[1:])
    return np.asarray((_divide(a_fools_b, a_fools_a) + _divide(b_fools_a, b_fools_b)) / 2)


def _divide(fooled: Float32[np.ndarray, "resample pair"], own: Float32[np.ndarray, "resample pair"]) -> np.ndarray:
    return np.asarray(np.divide(PERCENT * fooled, own, out=np.full(fooled.shape, np.nan), where=own > 0))


def _set_exact_ends(interval: Interval, flags: _Flags, *, confidence: float) -> Interval:
    """The exact ends of the share of fooled images, divided by the sources' successes; other pairs keep theirs."""
    fooled, counted = flags.a_fools_b.astype(np.int8) + flags.b_fools_a, 2 * flags.counted.astype(np.int8)
    none = ~fooled.any(-1) & flags.counted.any(-1)
    every = (fooled == counted).all(-1) & flags.counted.any(-1)
    number = np.maximum(flags.counted.sum(-1), 1)
    success_of_a, success_of_b = flags.a_fools_a.sum(-1) / number, flags.b_fools_b.sum(-1) / number
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = PERCENT * (1 / success_of_a + 1 / success_of_b) / 2
        exact = set_exact_ends(Interval(np.zeros(len(none)), np.ones(len(none))), fooled, counted, confidence=confidence)
        low = np.where(every, exact.low * factor, np.where(none, 0.0, interval.low))
        high = np.where(none, exact.high * factor, interval.high)
    undefined = np.isinf(factor) | np.isnan(interval.low)
    return Interval(np.where(undefined, np.nan, low), np.where(undefined, np.nan, high))
