"""Correlation of two variables over independent points, tested by permuting the points."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float
from scipy import stats

from zooscope.statistics.permutations import (
    NUM_PERMUTATIONS,
    TIE,
    are_all_taken,
    correlate_rows,
    draw_orders,
    require_permutations,
)

AT_ONCE: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class PointCorrelation:
    """Pearson correlation over points, with p values.

    Attributes:
        r: Pearson correlation; NaN where there are fewer than three points or one variable is constant.
        p: p value of the t test with count - 2 degrees of freedom, two-sided; it assumes normal variables.
        p_permuted: p value from permuting the points, two-sided; it assumes no distribution.
        count: points known in both variables.
        num_permutations: permutations behind `p_permuted`.
        exact: whether these are all permutations; then `p_permuted` is exact, not an estimate.
    """

    r: float
    p: float
    p_permuted: float
    count: int
    num_permutations: int
    exact: bool


def correlate_points(
    x: Float[np.ndarray, " point"],
    y: Float[np.ndarray, " point"],
    *,
    num_permutations: int = NUM_PERMUTATIONS,
    seed: int = 0,
) -> PointCorrelation:
    """The correlation of two variables over independent points.

    The observed order counts as one of the drawn permutations (the +1 of Phipson and Smyth, 2010), so p is never 0. If there are no
    more permutations than requested, each is taken once and p is exact.

    Example:
        >>> found = correlate_points(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 3.0, 2.0, 4.0]))
        >>> round(found.r, 6), round(found.p, 6), found.count, found.exact
        (0.8, 0.2, 4, True)
        >>> round(found.p_permuted, 6)  # 8 of 24 orders
        0.333333

    Args:
        x: points where it or y is NaN are left out.
        y: of the same points.
        num_permutations: number of permutations drawn.
        seed: of the permutations.

    Raises:
        InvalidValueError: num_permutations is not positive.
    """
    require_permutations(num_permutations)
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    r = float(correlate_rows(x, y[None])[0][0])
    if np.isnan(r):
        none = float("nan")
        return PointCorrelation(r=none, p=none, p_permuted=none, count=len(x), num_permutations=0, exact=False)
    exact = are_all_taken(len(x), num_permutations)
    at_least, total = (0, 0) if exact else (1, 1)
    for orders in draw_orders(len(x), num_permutations, seed=seed, exact=exact, at_once=AT_ONCE):
        permuted, _ = correlate_rows(x, y[orders])
        total += len(permuted)
        at_least += int((np.abs(permuted) >= abs(r) - TIE).sum())
    return PointCorrelation(
        r=r,
        p=float(stats.pearsonr(x, y).pvalue),
        p_permuted=at_least / total,
        count=len(x),
        num_permutations=total - (not exact),
        exact=exact,
    )
