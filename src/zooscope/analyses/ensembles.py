"""Ensembles of two: do classifiers that are less alike gain more from each other?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from zooscope.analyses.averaging import Average, CleanLogits, compute_metrics, find_right_ensembles
from zooscope.analyses.reductions import bound_reductions
from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError
from zooscope.inline.results import ShownInline
from zooscope.statistics.mantel import Correlation, mantel
from zooscope.statistics.permutations import NUM_PERMUTATIONS
from zooscope.statistics.trend import CONFIDENCE, Trend, fit_trend


@dataclass(frozen=True, kw_only=True, eq=False)
class PairEnsembles(ShownInline):
    """All ensembles of two classifiers, and how their gain depends on similarity.

    Attributes:
        pairs: a row per pair: `a`, `b`, `sat` (natural log), `mean_error` (of the members), `error` (top-1, of the ensemble), `err`
            (error reduction rate, 1 - error / mean_error), `err_low` and `err_high` (its interval, over images),
            `all_wrong` (images that both get wrong); all but `sat` are shares, at most 1. NaN if a pair has no SAT, or
            neither member errs.
        pearson: of SAT and ERR over the pairs.
        trend: ERR by SAT.
        average: what is averaged.
    """

    pairs: pd.DataFrame
    pearson: Correlation
    trend: Trend
    average: Average


@check_arguments
def measure_pair_ensembles(
    logits: CleanLogits,
    sat: xr.DataArray,
    *,
    average: Average = "logits",
    confidence: float = CONFIDENCE,
    num_permutations: int = NUM_PERMUTATIONS,
    seed: int = 0,
) -> PairEnsembles:
    """Every ensemble of two, its error reduction rate against the SAT of its members.

    Source: Hwang et al., ECCV 2024, Section 5.1 and Figure 5. There the band and the p value treat pairs as independent; here
    both account for pairs that share classifiers (see `zooscope.statistics.trend` and `zooscope.statistics.mantel`).

    Example:
        >>> import numpy as np
        >>> import xarray as xr
        >>> import zooscope.analyses
        >>> from zooscope.analyses.averaging import CleanLogits
        >>> values = np.float16([[[9, 0], [9, 0], [3, 0], [0, 9]], [[9, 0], [1, 0], [0, 9], [2, 0]]])
        >>> logits = CleanLogits(names=("cnn", "vit"), values=tuple(values), labels=np.array([0, 0, 1, 1]))
        >>> sat = xr.DataArray(np.full((2, 2), 3.0), dims=("a", "b"), coords={"a": ["cnn", "vit"], "b": ["cnn", "vit"]})
        >>> pair = zooscope.analyses.measure_pair_ensembles(logits, sat).pairs.loc[0]
        >>> float(pair["mean_error"]), float(pair["error"]), float(pair["err"])
        (0.25, 0.0, 1.0)

    Args:
        logits: on clean images, of at least two classifiers.
        sat: dimensions `a` and `b`; contains every classifier of the logits.
        average: of logits as in the paper, or of probabilities.
        confidence: of the intervals, and of the band of the trend line.
        num_permutations: of the Mantel test.
        seed: of the permutations, and of the draws for the band.

    Raises:
        InvalidValueError: there are fewer than two classifiers, or the matrix lacks one.
    """
    names = logits.names
    if len(names) < 2:  # noqa: PLR2004
        msg = f"ensembles need at least two classifiers: got {len(names)}."
        raise InvalidValueError(msg)
    missing = sorted(set(names) - set(sat["a"].to_numpy().tolist()))
    if missing:
        msg = f"the SAT matrix lacks {missing[0]}; measure it with the others, or leave it out."
        raise InvalidValueError(msg)
    rows, columns = np.triu_indices(len(names), 1)
    members = np.stack([rows, columns], axis=1)
    (right,) = find_right_ensembles(logits, [members], average=average)
    error, err, all_wrong = compute_metrics(logits, members, right)
    low, high = bound_reductions(logits, members, right, confidence=confidence)
    single_error = 1 - logits.right.mean(1)
    scores = sat.sel(a=list(names), b=list(names)).to_numpy().astype(np.float64)
    gains = np.full(scores.shape, np.nan)
    gains[rows, columns] = gains[columns, rows] = err
    pairs = pd.DataFrame(
        {
            "a": np.array(names, dtype=object)[rows],
            "b": np.array(names, dtype=object)[columns],
            "sat": scores[rows, columns],
            "mean_error": (single_error[rows] + single_error[columns]) / 2,
            "error": error,
            "err": err,
            "err_low": low,
            "err_high": high,
            "all_wrong": all_wrong,
        }
    )
    return PairEnsembles(
        pairs=pairs,
        pearson=mantel(scores, gains, num_permutations=num_permutations, seed=seed),
        trend=fit_trend(scores, gains, confidence=confidence, seed=seed),
        average=average,
    )
