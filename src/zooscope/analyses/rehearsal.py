"""How good a completion would have been: of a matrix that is known, all but the landmarks and a few pairs is hidden."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from zooscope.analyses.completion import ESTIMATED, Completion, complete_similarity, draw_pairs
from zooscope.analyses.matrix import Matrix, make_square
from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError
from zooscope.inline.results import ShownInline

NUM_EXTRA: Final = 200


@dataclass(frozen=True, kw_only=True, eq=False)
class Rehearsal(ShownInline):
    """A completion beside the truth.

    Attributes:
        completion: of what was not hidden.
        pairs: a row per hidden pair: `a`, `b`, `measured`, `estimated`.
        rmse: root mean squared error over these pairs, natural log.
        spearman: rank correlation over them.
        coverage: share of them that the intervals hold; NaN where there are none.
        spread: standard deviation of the measured scores: the error of who says the mean of all.
    """

    completion: Completion
    pairs: pd.DataFrame
    rmse: float
    spearman: float
    coverage: float
    spread: float


@check_arguments
def rehearse_completion(
    matrix: Matrix,
    landmarks: Sequence[str],
    *,
    one_sided: pd.DataFrame | None = None,
    clean: pd.DataFrame | None = None,
    num_extra: int = NUM_EXTRA,
    method: str | None = None,
    confidence: float = 0.9,
    seed: int = 0,
) -> Rehearsal:
    """Completes a known matrix from the similarities to landmarks and some random pairs, and compares the rest with the truth.

    Example:
        >>> import numpy as np
        >>> import pandas as pd
        >>> import zooscope.analyses
        >>> easy, names = np.random.default_rng(0).normal(size=30), [f"classifier {number}" for number in range(30)]
        >>> truth = pd.DataFrame(3 + 0.3 * (easy[:, None] + easy), index=names, columns=names)
        >>> found = zooscope.analyses.rehearse_completion(truth, names[:4], num_extra=60)
        >>> bool(found.rmse < 0.05), len(found.pairs)
        (True, 265)

    Args:
        matrix: SAT of all pairs (natural log), symmetric and complete; the diagonal is not read.
        landmarks: the classifiers that are taken for measured.
        one_sided: one-sided SAT of the landmarks, if only their attacks shall be known; see `complete_similarity`.
        clean: as for `complete_similarity`.
        num_extra: pairs without a landmark that are taken for measured, at most half of all such pairs.
        method: as for `complete_similarity`.
        confidence: of the intervals.
        seed: of the extra pairs.

    Raises:
        InvalidValueError: a pair has no score, no pair is left to compare, or as `complete_similarity`.
        UnknownNameError: there is no such landmark or method.
    """
    truth = make_square(matrix)
    names, values = list(truth.index), truth.to_numpy()
    upper = np.triu(np.ones(values.shape, dtype=bool), 1)
    if np.isnan(values[upper]).any():
        row, column = np.argwhere(upper & np.isnan(values))[0]
        msg = f"{names[row]} and {names[column]} have no score, so that nothing can be compared with it; leave one of them out."
        raise InvalidValueError(msg)
    chosen = np.isin(names, list(landmarks))
    shown = (chosen[:, None] | chosen) if one_sided is None else (chosen[:, None] & chosen)
    num_others = int((~chosen).sum())
    most = num_others * (num_others - 1) // 4
    place = {name: number for number, name in enumerate(names)}
    for a, b in draw_pairs(names, list(landmarks), min(num_extra, most), seed=seed):
        shown[place[a], place[b]] = shown[place[b], place[a]] = True
    known = truth.where(shown)
    completion = complete_similarity(
        known, landmarks, one_sided=one_sided, clean=clean, method=method, confidence=confidence, seed=seed
    )
    rows, columns = np.nonzero(upper & (completion.kinds.to_numpy() == ESTIMATED))
    if not len(rows):
        msg = "no pair is left to be estimated; take fewer landmarks."
        raise InvalidValueError(msg)
    measured, estimated = values[rows, columns], completion.scores.to_numpy()[rows, columns]
    has_order = len(rows) > 2 and np.ptp(measured) > 0 and np.ptp(estimated) > 0  # noqa: PLR2004  (a correlation)
    return Rehearsal(
        completion=completion,
        pairs=pd.DataFrame(
            {
                "a": [names[row] for row in rows],
                "b": [names[column] for column in columns],
                "measured": measured,
                "estimated": estimated,
            }
        ),
        rmse=float(np.sqrt(np.mean((measured - estimated) ** 2))),
        spearman=float(spearmanr(measured, estimated).statistic) if has_order else float("nan"),
        coverage=float(np.mean(np.abs(measured - estimated) <= completion.half_width + 1e-12))
        if np.isfinite(completion.half_width)
        else float("nan"),
        spread=float(np.std(measured)),
    )
