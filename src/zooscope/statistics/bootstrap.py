"""Confidence intervals by resampling images, for numbers computed from several shares.

Images are drawn with replacement, and all cells use the same draws: cells share images, and each drawn image brings all of its
counts (both directions of a pair). Intervals of single shares are in `shares.py`.
"""

from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int

from zooscope.errors import InvalidValueError

NUM_RESAMPLES: Final = 1000
CELLS_AT_ONCE: Final = 512


class Interval(NamedTuple):
    """Lower and upper ends, one per cell or in a matrix of cells."""

    low: Float[np.ndarray, "*cells"]
    high: Float[np.ndarray, "*cells"]


def resample_shares(
    fooled: Int[np.ndarray, "cell image"],
    counted: Int[np.ndarray, "cell image"],
    *,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> Float[np.ndarray, "resample cell"]:
    """sum(fooled) / sum(counted) of every cell in every resample: for numbers computed from several cells.

    Returns:
        Shares in [0, 1]; NaN where a resample has no counted image of a cell. The draws are those of `draw_weights`.
    """
    weights = draw_weights(fooled.shape[1], num_resamples=num_resamples, seed=seed)
    result = np.empty((num_resamples, len(fooled)))
    for start in range(0, len(fooled), CELLS_AT_ONCE):
        cells = slice(start, start + CELLS_AT_ONCE)
        result[:, cells] = weigh_shares(weights, fooled[cells], counted[cells])
    return result


def weigh_shares(
    weights: Float32[np.ndarray, "resample image"], fooled: Int[np.ndarray, "cell image"], counted: Int[np.ndarray, "cell image"]
) -> Float[np.ndarray, "resample cell"]:
    """What `resample_shares` gives, for some cells at a time and draws that all of them share."""
    numerator, denominator = (weights @ values.T.astype(np.float32) for values in (fooled, counted))
    return np.asarray(np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0))


def draw_weights(num_images: int, *, num_resamples: int = NUM_RESAMPLES, seed: int = 0) -> Float32[np.ndarray, "resample image"]:
    """How often each image is drawn in every resample, with replacement."""
    shares = np.full(num_images, 1 / num_images)
    return np.random.default_rng(seed).multinomial(num_images, shares, size=num_resamples).astype(np.float32)


def draw_with_original(
    num_images: int, *, is_alone: bool = False, num_resamples: int = NUM_RESAMPLES, seed: int = 0
) -> Float[np.ndarray, "draw image"]:
    """The images as they are, each once, in the first row; below it the resamples, unless the first row is to be alone."""
    original = np.ones((1, num_images))
    drawn = [] if is_alone else [draw_weights(num_images, num_resamples=num_resamples, seed=seed)]
    return np.concatenate([original, *drawn])


def find_percentiles(draws: Float[np.ndarray, "*resamples_and_cells"], confidence: float) -> Interval:
    """Percentile interval over the resamples, the first axis. NaNs are ignored; where all values are NaN, both ends are NaN.

    Raises:
        InvalidValueError: the confidence is not in (0, 1).
    """
    require_confidence(confidence)
    tail = (1 - confidence) / 2
    known = np.isfinite(draws).any(axis=0)
    ends = np.full((2, *draws.shape[1:]), np.nan)
    if known.any():
        quantile = np.nanquantile if np.isnan(draws).any() else np.quantile  # the latter is many times faster
        ends[:, known] = quantile(draws[:, known], (tail, 1 - tail), axis=0)
    return Interval(np.asarray(ends[0]), np.asarray(ends[1]))


def require_confidence(confidence: float) -> None:
    """Rejects a confidence that is not in (0, 1).

    Raises:
        InvalidValueError: it isn't.
    """
    if not 0 < confidence < 1:
        msg = f"confidence must be in (0, 1): got {confidence:g}." + (
            f" For {confidence:g} % write {confidence / 100:g}." if confidence > 1 else ""
        )
        raise InvalidValueError(msg)
