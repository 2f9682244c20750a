"""Correlation of two matrices over the same classifiers, tested by permuting classifiers."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError
from zooscope.statistics.permutations import (
    NUM_PERMUTATIONS,
    TIE,
    are_all_taken,
    correlate_rows,
    draw_orders,
    require_permutations,
)

CELLS_AT_ONCE: Final = 2_000_000


@dataclass(frozen=True, kw_only=True)
class Correlation:
    """Pearson correlation of two matrices' pairs, with p values.

    Attributes:
        r: Pearson correlation; NaN where there are fewer than three pairs or one of the matrices is constant.
        p_naive: p value that treats pairs as independent samples, two-sided. They are not: every classifier is in many pairs. It is
            far too small; it is given because the paper gives it.
        p_mantel: p value from permuting the classifiers of one matrix, two-sided.
        num_pairs: pairs known in both matrices.
        num_permutations: permutations behind `p_mantel`.
        exact: whether these are all permutations; then `p_mantel` is exact, not an estimate.
    """

    r: float
    p_naive: float
    p_mantel: float
    num_pairs: int
    num_permutations: int
    exact: bool


@check_arguments
def mantel(
    first: Float[np.ndarray, "_ _"],
    second: Float[np.ndarray, "_ _"],
    *,
    directed: bool = False,
    num_permutations: int = NUM_PERMUTATIONS,
    seed: int = 0,
) -> Correlation:
    """Mantel test: are two matrices over the same classifiers correlated?

    Rows and columns of one matrix are permuted together, so every classifier keeps all of its pairs; only the names of the
    classifiers are permuted. The observed matrix counts as one of the permutations (the +1 of Phipson and Smyth, 2010),
    so p is never 0. If there are no more permutations than requested, each is taken once and p is exact.

    Source: Mantel, The detection of disease clustering and a generalized regression approach, Cancer Research 1967.

    Example:
        >>> import numpy as np
        >>> from zooscope.analyses import mantel
        >>> place = np.arange(8.0)
        >>> distance = np.abs(place[:, None] - place)
        >>> found = mantel(distance, distance**2)
        >>> bool(found.r > 0.9), found.num_pairs, bool(found.p_mantel < 0.001)
        (True, 28, True)

    Args:
        first: square; the diagonal is ignored, pairs with NaN are left out.
        second: of the same classifiers in the same order.
        directed: whether both triangles count; otherwise the matrices are symmetric and the upper triangle is read.
        num_permutations: number of permutations drawn.
        seed: of the permutations.

    Raises:
        InvalidValueError: the matrices are not square and of one size, or num_permutations is not positive.
    """
    _require_usable(first, second, num_permutations)
    size = len(first)
    rows, columns = np.nonzero(~np.eye(size, dtype=bool)) if directed else np.triu_indices(size, 1)
    pairs = _Pairs(rows, columns)
    fixed, moving = first[rows, columns], np.asarray(second, dtype=np.float64)
    r, count = correlate_rows(fixed, moving[rows, columns][None])
    exact = are_all_taken(size, num_permutations)
    known = np.isfinite(fixed) & np.isfinite(moving[rows, columns])
    if np.isnan(r[0]):
        return Correlation(
            r=float("nan"), p_naive=float("nan"), p_mantel=float("nan"), num_pairs=int(count[0]), num_permutations=0, exact=False
        )
    at_least, total = (0, 0) if exact else (1, 1)
    for orders in draw_orders(size, num_permutations, seed=seed, exact=exact, at_once=max(1, CELLS_AT_ONCE // len(rows))):
        permuted, _ = correlate_rows(fixed, moving[orders[:, pairs.rows], orders[:, pairs.columns]])
        defined = np.isfinite(permuted)
        total += int(defined.sum())
        at_least += int((np.abs(permuted[defined]) >= abs(r[0]) - TIE).sum())
    return Correlation(
        r=float(r[0]),
        p_naive=float(stats.pearsonr(fixed[known], moving[rows, columns][known]).pvalue),
        p_mantel=at_least / total,
        num_pairs=int(count[0]),
        num_permutations=total - (not exact),
        exact=exact,
    )


class _Pairs(NamedTuple):
    rows: Int[np.ndarray, " pair"]
    columns: Int[np.ndarray, " pair"]


def _require_usable(first: np.ndarray, second: np.ndarray, num_permutations: int) -> None:
    if first.ndim != 2 or first.shape != second.shape or len(set(first.shape)) != 1:  # noqa: PLR2004
        msg = (
            f"both matrices must be square and of the same classifiers: got {first.shape} and {second.shape}; "
            "take the same classifiers of both."
        )
        raise InvalidValueError(msg)
    require_permutations(num_permutations)
