"""Intervals of the error reduction rate: how it would vary with other images."""

from typing import Final

import numpy as np
from jaxtyping import Bool, Int

from zooscope.analyses.averaging import CleanLogits
from zooscope.statistics.bootstrap import NUM_RESAMPLES, Interval, find_percentiles, resample_shares, set_exact_ends

LEAST_SPREAD: Final = 1e-6  # resampled shares are float32


def bootstrap_reductions(
    logits: CleanLogits,
    members: Int[np.ndarray, "ensemble member"],
    right: Bool[np.ndarray, "ensemble image"],
    *,
    confidence: float,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Interval of every ensemble's error reduction rate, by bootstrap over images.

    1 - ERR is a ratio of sums over images: members times (the ensemble errs), over the number of members that err. If it is 0 on
    every image, or 1 on every image on which a member errs, resampling finds no spread; then the ends are those of Clopper and
    Pearson for the images on which a member errs.

    Args:
        logits: of all classifiers.
        members: positions of classifiers, a row per ensemble.
        right: which images each ensemble gets right.
        confidence: coverage, in (0, 1).
        num_resamples: number of draws.
        seed: of the draws.

    Returns:
        Shares, at most 1; NaN where no member errs.

    Raises:
        InvalidValueError: the confidence is not in (0, 1).
    """
    wrong, erring = _count_errors(logits, members, right)
    low, high = find_percentiles(resample_shares(wrong, erring, num_resamples=num_resamples, seed=seed), confidence)
    exact = set_exact_ends(Interval(low, high), wrong, erring, confidence=confidence)
    same = (wrong == 0).all(axis=1) | (wrong == erring).all(axis=1)
    return Interval(1 - np.where(same, exact.high, high), 1 - np.where(same, exact.low, low))


def bootstrap_mean_reduction(
    logits: CleanLogits,
    members: Int[np.ndarray, "ensemble member"],
    right: Bool[np.ndarray, "ensemble image"],
    *,
    confidence: float,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of the mean error reduction rate of several ensembles, over images; a single one as in `bootstrap_reductions`.

    Returns:
        Both ends; NaN if no member errs, or if resampling finds no spread.
    """
    if len(members) == 1:
        single = bootstrap_reductions(logits, members, right, confidence=confidence, num_resamples=num_resamples, seed=seed)
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
