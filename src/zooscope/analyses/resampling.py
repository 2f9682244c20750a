"""Bootstrap over images of many cells at once, draw by draw: for what is computed from several cells together."""

from typing import Final

import numpy as np
from jaxtyping import Float, Float32, Int

from zooscope.errors import InvalidValueError
from zooscope.scores.outcomes import Outcomes

NUM_RESAMPLES: Final = 1000
CELLS_AT_ONCE: Final = 512


def pair_outcomes(outcomes: Outcomes) -> tuple[Int[np.ndarray, "pair image"], Int[np.ndarray, "pair image"]]:
    """What SAT counts of every pair (upper triangle, row by row, without the diagonal), per image.

    Returns:
        In how many directions each image was fooled (0 to 2), and how many were counted (0 or 2; images measured both ways).
    """
    rows, columns = np.triu_indices(len(outcomes.names), 1)
    counted = outcomes.counted[rows, columns] & outcomes.counted[columns, rows]
    fooled = outcomes.fooled[rows, columns].astype(np.int8) + outcomes.fooled[columns, rows]
    return np.where(counted, fooled, 0).astype(np.int8), 2 * counted.astype(np.int8)


def image_weights(num_images: int, *, num_resamples: int = NUM_RESAMPLES, seed: int = 0) -> Float32[np.ndarray, "resample image"]:
    """How often each image is drawn in every resample, with replacement."""
    shares = np.full(num_images, 1 / num_images)
    return np.random.default_rng(seed).multinomial(num_images, shares, size=num_resamples).astype(np.float32)


def resampled_shares(
    fooled: Int[np.ndarray, "cell image"],
    counted: Int[np.ndarray, "cell image"],
    *,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> Float[np.ndarray, "resample cell"]:
    """sum(fooled) / sum(counted) of every cell in every resample; one draw of images serves all cells.

    Returns:
        Shares in [0, 1]; NaN where a resample counts nothing of a cell.
    """
    weights = image_weights(fooled.shape[1], num_resamples=num_resamples, seed=seed)
    result = np.full((num_resamples, len(fooled)), np.nan)
    for start in range(0, len(fooled), CELLS_AT_ONCE):
        cells = slice(start, start + CELLS_AT_ONCE)
        numerator, denominator = (weights @ values[cells].T.astype(np.float32) for values in (fooled, counted))
        np.divide(numerator, denominator, out=result[:, cells], where=denominator > 0)
    return result


def interval_of(draws: Float[np.ndarray, "*resamples_and_cells"], confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval over the resamples, the first axis; NaN doesn't count, and where all is NaN, the ends are.

    Raises:
        InvalidValueError: the confidence is not in (0, 1).
    """
    require_confidence(confidence)
    tail = (1 - confidence) / 2
    known = np.isfinite(draws).any(axis=0)
    ends = np.full((2, *draws.shape[1:]), np.nan)
    if known.any():
        ends[:, known] = np.nanquantile(draws[:, known], (tail, 1 - tail), axis=0)
    return np.asarray(ends[0]), np.asarray(ends[1])


def require_confidence(confidence: float) -> None:
    """Refuses what is no coverage.

    Raises:
        InvalidValueError: the confidence is not in (0, 1).
    """
    if not 0 < confidence < 1:
        msg = f"confidence must be in (0, 1): got {confidence:g}."
        raise InvalidValueError(msg)
