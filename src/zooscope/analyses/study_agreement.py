"""Two studies of the same classifiers: do they agree on which pairs are similar?"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy import stats

from zooscope.analyses.matrix import Matrix, make_square
from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError
from zooscope.inline.results import ShownInline
from zooscope.statistics.mantel import Correlation, mantel
from zooscope.statistics.permutations import NUM_PERMUTATIONS
from zooscope.statistics.trend import CONFIDENCE, Trend, fit_trend

FEWEST_CLASSIFIERS: Final = 3
DECIMALS: Final = 9  # scores that differ by rounding errors have the same rank


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyAgreement(ShownInline):
    """How far two studies agree on the similarity of classifiers.

    Attributes:
        names: the classifiers in both studies, in alphabetical order.
        only_first: classifiers in the first study only, which are left out.
        only_second: classifiers in the second study only, which are left out.
        pairs: a row per pair with a score in both studies: `a`, `b`, `first`, `second`, `difference` (second - first), `residual`
            (second - the trend at first). Sorted by the size of the residual, largest first. A difference that all pairs share, as
            under a stronger attack, is in the trend and not in the residuals. The residual is NaN where there is no trend.
        unscored: a row per pair without a score in at least one of them: `a`, `b`, `first`, `second`, NaN where there is none.
        pearson: of the two scores over the pairs.
        spearman: of their ranks. `r` is Spearman's correlation.
        trend: the second score by the first.
    """

    names: tuple[str, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    pairs: pd.DataFrame
    unscored: pd.DataFrame
    pearson: Correlation
    spearman: Correlation
    trend: Trend

    @property
    def count(self) -> int:
        """Number of pairs with a score in both studies."""
        return len(self.pairs)


@check_arguments
def measure_agreement(
    first: Matrix,
    second: Matrix,
    *,
    confidence: float = CONFIDENCE,
    num_permutations: int = NUM_PERMUTATIONS,
    seed: int = 0,
) -> StudyAgreement:
    """The agreement of two matrices of scores over the same classifiers: of two attacks, two image sets, or a published matrix.

    Classifiers are matched by name. Both p values are from permuting classifiers, and the band of the trend is from resampling
    classifiers, because pairs that share a classifier are not independent. Correlations don't change if the two matrices are
    exchanged; the trend and the residuals do.

    Source: Hwang et al., ECCV 2024, Figure 2 compares SAT under attacks in this way.

    Example:
        >>> import pandas as pd
        >>> import zooscope.analyses
        >>> names = ["cnn", "mixer", "swin", "vit"]
        >>> weak = [[4.6, 2.0, 2.4, 1.8], [2.0, 4.6, 3.1, 3.3], [2.4, 3.1, 4.6, 3.0], [1.8, 3.3, 3.0, 4.6]]
        >>> first = pd.DataFrame(weak, index=names, columns=names)
        >>> found = zooscope.analyses.measure_agreement(first, 0.5 * first + 2)
        >>> found.count, round(found.pearson.r, 6), round(found.spearman.r, 6), round(found.trend.slope, 6)
        (6, 1.0, 1.0, 0.5)

    Args:
        first: square and symmetric, names as coordinates of both dimensions or as index and columns; the diagonal is not read.
        second: likewise; may have other classifiers and another order.
        confidence: of the band of the trend line.
        num_permutations: of the Mantel tests.
        seed: of the permutations, and of the draws for the band.

    Returns:
        The result; it doesn't depend on the order of the classifiers. Correlations are NaN if fewer than three pairs have both
        scores, or if all scores of one matrix are the same.

    Raises:
        InvalidValueError: fewer than three classifiers are in both matrices, one of them is not square and symmetric, or the
            confidence or the number of permutations is out of range.
    """
    tables = make_square(first), make_square(second)
    names = sorted(set(tables[0].index) & set(tables[1].index))
    if len(names) < FEWEST_CLASSIFIERS:
        shared = ", ".join(names) or f"the first has {tables[0].index[0]}, the second {tables[1].index[0]}"
        msg = (
            f"comparing two studies takes at least {FEWEST_CLASSIFIERS} classifiers that both have: got {len(names)} ({shared}); "
            "classifiers are matched by name, so give them the same names in both."
        )
        raise InvalidValueError(msg)
    scores = [table.loc[names, names].to_numpy() for table in tables]
    known = np.isfinite(scores[0]) & np.isfinite(scores[1])
    x, y = (np.where(known, values, np.nan) for values in scores)
    trend = fit_trend(x, y, confidence=confidence, seed=seed)
    return StudyAgreement(
        names=tuple(names),
        only_first=tuple(name for name in tables[0].index if name not in names),
        only_second=tuple(name for name in tables[1].index if name not in names),
        pairs=_list_pairs(names, x, y, trend),
        unscored=_list_unscored(names, scores[0], scores[1]),
        pearson=mantel(x, y, num_permutations=num_permutations, seed=seed),
        spearman=mantel(_rank(x), _rank(y), num_permutations=num_permutations, seed=seed),
        trend=trend,
    )


def _list_pairs(names: list[str], x: Float[np.ndarray, "a b"], y: Float[np.ndarray, "a b"], trend: Trend) -> pd.DataFrame:
    """Pairs with both scores, the farthest from the trend first."""
    made = _make_pairs(names, x, y).dropna()
    made["difference"] = made["second"] - made["first"]
    made["residual"] = made["second"] - (trend.intercept + trend.slope * made["first"])
    order = made["residual"].abs().round(DECIMALS).sort_values(ascending=False, kind="stable").index
    return made.loc[order].reset_index(drop=True)


def _list_unscored(names: list[str], x: Float[np.ndarray, "a b"], y: Float[np.ndarray, "a b"]) -> pd.DataFrame:
    made = _make_pairs(names, x, y)
    return made[made[["first", "second"]].isna().any(axis=1)].reset_index(drop=True)


def _make_pairs(names: list[str], x: Float[np.ndarray, "a b"], y: Float[np.ndarray, "a b"]) -> pd.DataFrame:
    rows, columns = np.triu_indices(len(names), 1)
    known = np.array(names, dtype=object)
    return pd.DataFrame({"a": known[rows], "b": known[columns], "first": x[rows, columns], "second": y[rows, columns]})


def _rank(scores: Float[np.ndarray, "a b"]) -> Float[np.ndarray, "a b"]:
    """Every pair's rank among the known pairs, ties sharing their mean rank; NaN stays."""
    rows, columns = np.triu_indices(len(scores), 1)
    ranks = np.full(scores.shape, np.nan)
    ranks[rows, columns] = stats.rankdata(scores[rows, columns].round(DECIMALS), nan_policy="omit")
    ranks[columns, rows] = ranks[rows, columns]
    return ranks
