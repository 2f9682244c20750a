"""Intervals of the error reduction rate: how it would vary with other images."""

from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int

from zooscope.analyses.averaging import CleanLogits
from zooscope.statistics.bootstrap import NUM_RESAMPLES, Interval, find_percentiles, resample_shares
from zooscope.statistics.combinations import bound_combinations

LEAST_SPREAD: Final = 1e-6  # resampled shares are float32
SMALLEST: Final = 1e-9  # stands for an error of 0, whose logarithm is infinite


def bound_reductions(
    logits: CleanLogits,
    members: Int[np.ndarray, "ensemble member"],
    right: Bool[np.ndarray, "ensemble image"],
    *,
    confidence: float,
) -> Interval:
    """Interval of every ensemble's error reduction rate, over images.

    1 - ERR is the ensemble's error over the mean error of its members, two shares on the same images; their logarithms are
    subtracted. An ensemble errs only where a member errs, so that 1 - ERR is at most the number of members.

    Args:
        logits: of all classifiers.
        members: positions of classifiers, a row per ensemble.
        right: which images each ensemble gets right.
        confidence: coverage, in (0, 1).

    Returns:
        Shares, at most 1; NaN where no member errs.

    Raises:
        InvalidValueError: the confidence is not in (0, 1).
    """
    wrong, erring = _count_errors(logits, members, right)
    count = members.shape[1]
    low, high = np.empty((2, len(members)))
    for place, fooled in enumerate(zip(wrong, erring, strict=True)):
        ends = bound_combinations(
            np.stack(fooled), np.full((2, len(fooled[0])), count), np.array([[1, -1]]), confidence=confidence, scale=_take_log
        ).interval
        low[place], high[place] = 1 - np.minimum(np.exp([ends.high[0], ends.low[0]]), count)
    errs = erring.any(axis=1)
    return Interval(np.where(errs, low, np.nan), np.where(errs, np.where(wrong.any(axis=1), high, 1), np.nan))


def bootstrap_mean_reduction(
    logits: CleanLogits,
    members: Int[np.ndarray, "ensemble member"],
    right: Bool[np.ndarray, "ensemble image"],
    *,
    confidence: float,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of the mean error reduction rate of several ensembles, over images; a single one as in `bound_reductions`.

    Returns:
        Both ends; NaN if no member errs, or if resampling finds no spread.
    """
    if len(members) == 1:
        single = bound_reductions(logits, members, right, confidence=confidence)
        return float(single.low[0]), float(single.high[0])
    shares = resample_shares(*_count_errors(logits, members, right), num_resamples=num_resamples, seed=seed)
    known = np.isfinite(shares)
    mean = np.divide(np.where(known, shares, 0).sum(1), known.sum(1), out=np.full(len(shares), np.nan), where=known.any(1))
    low, high = find_percentiles(1 - mean[:, None], confidence)
    return (float(low[0]), float(high[0])) if high[0] - low[0] > LEAST_SPREAD else (float("nan"), float("nan"))


def _count_errors(
    logits: CleanLogits, members: Int[np.ndarray, "ensemble member"], right: Bool[np.ndarray, "ensemble image"]
) -> tuple[Int[np.ndarray, "ensemble image"], Int[np.ndarray, "ensemble image"]]:
    """Members times (the ensemble errs), and the number of members that err."""
    kind = np.int8 if members.shape[1] <= np.iinfo(np.int8).max else np.int64
    alone, erring = (~logits.right).astype(kind), np.zeros(right.shape, dtype=kind)
    for column in members.T:
        erring += alone[column]
    return members.shape[1] * (~right).astype(kind), erring


def _take_log(share: Float[np.ndarray, " cell"]) -> Float[np.ndarray, " cell"]:
    return np.asarray(np.log(np.maximum(share, SMALLEST)))
