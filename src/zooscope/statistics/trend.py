"""A straight line through points, or through pairs, with a band; pairs that share a classifier are not independent."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float
from scipy import stats

from zooscope.statistics.bootstrap import require_confidence

CONFIDENCE: Final = 0.9  # the paper's figures have bands of 90 %
NUM_RESAMPLES: Final = 2000
NUM_PLACES: Final = 50
FLAT: Final = 1e-12
LEAST_WITH_LINE: Final = 0.6  # of the draws; with three classifiers (two, if directed) all that have a line have the same one


@dataclass(frozen=True, kw_only=True, eq=False)
class Trend:
    """The least-squares line through the pairs or points, y = intercept + slope * x.

    The band is the confidence band of the line itself (of the mean of y at x), not of single pairs, which scatter far more.

    Attributes:
        slope: NaN if there are fewer than two different x.
        intercept: NaN likewise.
        x: positions from the smallest to the largest known x.
        y: the line at these positions.
        low: lower end of the band there; NaN where classifiers are too few for a band: most draws have no line then.
        high: upper end.
        confidence: of the band.
    """

    slope: float
    intercept: float
    x: Float[np.ndarray, " place"]
    y: Float[np.ndarray, " place"]
    low: Float[np.ndarray, " place"]
    high: Float[np.ndarray, " place"]
    confidence: float


def fit_trend(
    first: Float[np.ndarray, "_ _"],
    second: Float[np.ndarray, "_ _"],
    *,
    directed: bool = False,
    confidence: float = CONFIDENCE,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> Trend:
    """The line that predicts `second` from `first`, with a bootstrap band.

    Classifiers are drawn with replacement, not pairs: a classifier brings all of its pairs, and the weight of a pair is
    the product of how often its two classifiers were drawn. Pairs of a classifier with itself are left out.

    Example:
        >>> generator = np.random.default_rng(0)
        >>> first = generator.random((6, 6))
        >>> line = fit_trend(first, 2 * first + 1)
        >>> round(line.slope, 6), round(line.intercept, 6)
        (2.0, 1.0)

    Args:
        first: x; square, the diagonal is ignored, pairs with NaN are left out.
        second: y; of the same classifiers in the same order.
        directed: whether both triangles count; otherwise only the upper one is read.
        confidence: of the band, in (0, 1).
        num_resamples: draws of classifiers.
        seed: of the draws.

    Returns:
        The line; all numbers are NaN, and there are no positions, if fewer than two different x are known.

    Raises:
        InvalidValueError: the confidence is not in (0, 1).
    """
    require_confidence(confidence)
    size = len(first)
    rows, columns = np.nonzero(~np.eye(size, dtype=bool)) if directed else np.triu_indices(size, 1)
    known = np.isfinite(first[rows, columns]) & np.isfinite(second[rows, columns])
    rows, columns = rows[known], columns[known]
    x, y = first[rows, columns], second[rows, columns]
    if not _has_line(x):
        return _make_no_trend(confidence)
    middle = x.mean()
    times = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=num_resamples).astype(np.float64)
    (slope,), (height,) = _fit_lines(np.ones((1, len(x))), x - middle, y)
    slopes, heights = _fit_lines(times[:, rows] * times[:, columns], x - middle, y)
    places = np.linspace(x.min(), x.max(), NUM_PLACES)
    drawn = heights[:, None] + slopes[:, None] * (places - middle)
    drawn = drawn[np.isfinite(drawn).all(1)]
    tail = (1 - confidence) / 2
    has_band = len(drawn) >= LEAST_WITH_LINE * num_resamples
    low, high = np.quantile(drawn, (tail, 1 - tail), axis=0) if has_band else np.full((2, NUM_PLACES), np.nan)
    return Trend(
        slope=float(slope),
        intercept=float(height - slope * middle),
        x=places,
        y=height + slope * (places - middle),
        low=low,
        high=high,
        confidence=confidence,
    )


def fit_point_trend(x: Float[np.ndarray, " point"], y: Float[np.ndarray, " point"], *, confidence: float = CONFIDENCE) -> Trend:
    """The line that predicts y from x over independent points, with the band of normal errors.

    At each x the band is t * s * sqrt(1 / n + (x - mean)^2 / sum of squares), with n - 2 degrees of freedom: exact for any number
    of points, if the errors are normal and of one size.

    Example:
        >>> line = fit_point_trend(np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.0, 3.0, 5.0, 7.0]))
        >>> round(line.slope, 6), round(line.intercept, 6)
        (2.0, 1.0)

    Args:
        x: points where it or y is NaN are left out.
        y: of the same points.
        confidence: of the band, in (0, 1).

    Returns:
        The line; all numbers are NaN, and there are no positions, if fewer than two different x are known. Two points have no band.

    Raises:
        InvalidValueError: the confidence is not in (0, 1).
    """
    require_confidence(confidence)
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if not _has_line(x):
        return _make_no_trend(confidence)
    middle, freedom = x.mean(), len(x) - 2
    (slope,), (height,) = _fit_lines(np.ones((1, len(x))), x - middle, y)
    places = np.linspace(x.min(), x.max(), NUM_PLACES)
    line = height + slope * (places - middle)
    width = np.full(NUM_PLACES, np.nan)
    if freedom:
        error = np.sqrt(np.sum((y - height - slope * (x - middle)) ** 2) / freedom)
        spread = np.sqrt(1 / len(x) + (places - middle) ** 2 / np.sum((x - middle) ** 2))
        width = stats.t.ppf((1 + confidence) / 2, freedom) * error * spread
    return Trend(
        slope=float(slope),
        intercept=float(height - slope * middle),
        x=places,
        y=line,
        low=line - width,
        high=line + width,
        confidence=confidence,
    )


def _has_line(x: Float[np.ndarray, " pair"]) -> bool:
    return len(x) >= 2 and bool(np.ptp(x) > FLAT * max(1.0, np.abs(x).max()))  # noqa: PLR2004


def _make_no_trend(confidence: float) -> Trend:
    none = np.empty(0)
    return Trend(slope=float("nan"), intercept=float("nan"), x=none, y=none, low=none, high=none, confidence=confidence)


def _fit_lines(
    weights: Float[np.ndarray, "draw pair"], x: Float[np.ndarray, " pair"], y: Float[np.ndarray, " pair"]
) -> tuple[Float[np.ndarray, " draw"], Float[np.ndarray, " draw"]]:
    """Slope and intercept of the weighted least-squares line of every draw; NaN if a draw has only one x."""
    total, sum_x, sum_y, sum_xx, sum_xy = (weights @ np.stack([np.ones_like(x), x, y, x * x, x * y], axis=1)).T
    spread = total * sum_xx - sum_x**2
    usable = spread > FLAT * np.maximum(total, 1) ** 2 * np.ptp(x) ** 2
    slope = np.divide(total * sum_xy - sum_x * sum_y, spread, out=np.full(len(total), np.nan), where=usable)
    height = np.divide(sum_y - slope * sum_x, total, out=np.full(len(total), np.nan), where=usable)
    return slope, height
