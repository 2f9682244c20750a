"""Several similarities of the same classifiers side by side: do they agree, and which of them says most?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Bool, Float

from zooscope.analyses.matrix import Matrix, make_square
from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError
from zooscope.inline.results import ShownInline
from zooscope.statistics.bootstrap import require_confidence
from zooscope.statistics.mantel import Correlation, mantel
from zooscope.statistics.pair_bootstrap import NUM_RESAMPLES, Ends, PairWeights, Statistic, compute_auc, correlate, find_ends
from zooscope.statistics.permutations import NUM_PERMUTATIONS

FEWEST_FOR_INTERVALS: Final = 5  # classifiers; simulated intervals of four hold the truth in 84 %
CONFIDENCE: Final = 0.95

Question = Callable[[Float[np.ndarray, " pair"], Bool[np.ndarray, " pair"]], Statistic]


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking(ShownInline):
    """How well each score answers one question, and how far each two differ.

    Attributes:
        answers: a row per score, index `score`: `value`, `low`, `high`, `num_pairs` (of which there is an answer). NaN where it is
            undefined, or there is no interval.
        differences: a row per two scores: `first`, `second`, `difference` (first - second, both of the pairs that have both
            scores), `low`, `high`, `num_pairs`.
    """

    answers: pd.DataFrame
    differences: pd.DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class SimilarityComparison(ShownInline):
    """Several scores of the same classifiers, compared.

    Attributes:
        names: the classifiers, in alphabetical order.
        correlations: a row per two scores: `first`, `second`, `r` (Pearson, over pairs of classifiers), `p_mantel`, `num_pairs`.
        same_architecture: AUC: how often a pair of equal architecture is more alike than another pair.
        ensembles: Pearson correlation of likeness with the gain of ensembles of two.
        ensemble_p: of these correlations, by permuting classifiers (Mantel), by score.
        num_same: pairs of equal architecture.
        num_other: pairs of different architectures.
        confidence: of the intervals.
    """

    names: tuple[str, ...]
    correlations: pd.DataFrame
    same_architecture: Ranking
    ensembles: Ranking
    ensemble_p: dict[str, float]
    num_same: int
    num_other: int
    confidence: float


def make_likeness(score: Matrix, *, larger_is_more_similar: bool) -> pd.DataFrame:
    """A score so that it can be compared: larger is more similar, and both orders of a pair have the same value.

    Of a directed score, such as positive flips, it is the mean of both directions.

    Example:
        >>> flips = pd.DataFrame([[0, 0.25], [0.75, 0]], index=["a", "b"], columns=["a", "b"])
        >>> make_likeness(flips, larger_is_more_similar=False).loc["a", "b"].item()
        -0.5

    Args:
        score: square, names as coordinates of both dimensions or as index and columns.
        larger_is_more_similar: its direction.
    """
    table = pd.DataFrame(score.to_pandas() if isinstance(score, xr.DataArray) else score)
    mean = (table + table.T) / 2
    return mean if larger_is_more_similar else -mean


@check_arguments
def compare_similarities(
    likenesses: Mapping[str, Matrix],
    *,
    architectures: Mapping[str, str],
    gains: Matrix | None = None,
    confidence: float = CONFIDENCE,
    num_permutations: int = NUM_PERMUTATIONS,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> SimilarityComparison:
    """Correlations of several scores with each other, and how well each answers two questions.

    Which pairs have the same architecture (AUC)? Which ensembles of two gain most (correlation with their error reduction rate)?
    Every number has an interval, and so has every difference of two scores: classifiers are drawn with replacement, the same draws
    for all scores. Pairs that share a classifier are not independent, so that drawing pairs would give too narrow intervals.

    Source: Hwang et al., ECCV 2024, Sections 3 and 5.1, ask both of SAT.

    Example:
        >>> import pandas as pd
        >>> import zooscope.analyses
        >>> names = ["cnn 1", "cnn 2", "vit 1", "vit 2"]
        >>> values = [[1, 0.9, 0.2, 0.3], [0.9, 1, 0.1, 0.4], [0.2, 0.1, 1, 0.8], [0.3, 0.4, 0.8, 1]]
        >>> good = pd.DataFrame(values, index=names, columns=names)
        >>> architectures = {name: name[:3] for name in names}
        >>> found = zooscope.analyses.compare_similarities({"good": good, "bad": -good}, architectures=architectures)
        >>> found.same_architecture.answers["value"].to_dict(), round(found.correlations["r"].item(), 6)
        ({'good': 1.0, 'bad': 0.0}, -1.0)

    Args:
        likenesses: scores by name: square and symmetric, of the same classifiers, larger is more similar; see `make_likeness`.
        architectures: classifier to architecture; a classifier without one, or with an empty one, is in no pair that is told apart.
        gains: of ensembles of two; of the same classifiers. None if they are not known.
        confidence: of the intervals.
        num_permutations: of the Mantel tests.
        num_resamples: draws of classifiers.
        seed: of permutations and draws.

    Raises:
        InvalidValueError: there is no score, they are of different classifiers or not square and symmetric, or a setting is out of
            range.
    """
    require_confidence(confidence)
    if num_resamples < 1:
        msg = f"num_resamples must be at least 1: got {num_resamples}."
        raise InvalidValueError(msg)
    tables = _collect(likenesses, gains)
    names = tuple(next(iter(tables.values())).index)
    rows, columns = np.triu_indices(len(names), 1)
    scores = {name: tables[name].to_numpy()[rows, columns] for name in likenesses}
    kinds = np.array([architectures.get(name, "") for name in names], dtype=object)
    is_same, is_told = kinds[rows] == kinds[columns], (kinds[rows] != "") & (kinds[columns] != "")
    gained = np.full(len(rows), np.nan) if gains is None else tables[_GAINS].to_numpy()[rows, columns]
    weights = PairWeights(len(names), rows, columns, num_resamples, seed)
    rank = partial(_rank, scores, weights=weights, confidence=confidence)
    permuted = partial(mantel, num_permutations=num_permutations, seed=seed)
    return SimilarityComparison(
        names=names,
        correlations=_correlate_all({name: tables[name].to_numpy() for name in likenesses}, permuted),
        same_architecture=rank(lambda values, chosen: partial(compute_auc, values, is_same[chosen]), is_told),
        ensembles=rank(lambda values, chosen: partial(correlate, values, gained[chosen]), np.isfinite(gained)),
        ensemble_p={
            name: float("nan") if gains is None else permuted(tables[name].to_numpy(), tables[_GAINS].to_numpy()).p_mantel
            for name in likenesses
        },
        num_same=int((is_same & is_told).sum()),
        num_other=int((~is_same & is_told).sum()),
        confidence=confidence,
    )


_GAINS: Final = ""  # among the tables; no score has an empty name


def _collect(likenesses: Mapping[str, Matrix], gains: Matrix | None) -> dict[str, pd.DataFrame]:
    """All matrices in the alphabetical order of the classifiers."""
    tables = {name: make_square(matrix) for name, matrix in likenesses.items()}
    if not tables or _GAINS in tables:
        msg = f"comparing similarities takes at least one score, each with a name: got {list(tables)}."
        raise InvalidValueError(msg)
    if gains is not None:
        tables[_GAINS] = make_square(gains)
    (first, expected), *others = tables.items()
    for name, table in others:
        if list(table.index) != list(expected.index):
            odd = min(set(table.index) ^ set(expected.index))
            pair = f"{first} and {name or 'gains'}"
            msg = f"scores must be of the same classifiers, but {odd} is not in both {pair}; take those that are in all."
            raise InvalidValueError(msg)
    return tables


def _correlate_all(matrices: dict[str, Float[np.ndarray, "a b"]], permuted: Callable[..., Correlation]) -> pd.DataFrame:
    rows = []
    for first, second in combinations(matrices, 2):
        found = permuted(matrices[first], matrices[second])
        rows.append({"first": first, "second": second, "r": found.r, "p_mantel": found.p_mantel, "num_pairs": found.num_pairs})
    return pd.DataFrame(rows, columns=["first", "second", "r", "p_mantel", "num_pairs"])


def _rank(
    scores: dict[str, Float[np.ndarray, " pair"]],
    question: Question,
    asked: Bool[np.ndarray, " pair"],
    *,
    weights: PairWeights,
    confidence: float,
) -> Ranking:
    """The answers of all scores to a question on some of the pairs, with the same draws."""
    known = {name: asked & np.isfinite(values) for name, values in scores.items()}
    kept: dict[tuple[str, bytes], Float[np.ndarray, " draw"]] = {}

    def answer(name: str, chosen: Bool[np.ndarray, " pair"]) -> Float[np.ndarray, " draw"]:
        key = (name, chosen.tobytes())
        if key not in kept:
            kept[key] = weights.take(chosen).compute(question(scores[name][chosen], chosen))
        return kept[key]

    def describe(draws: Float[np.ndarray, " draw"], chosen: Bool[np.ndarray, " pair"]) -> tuple[float, float, float, int]:
        ends = find_ends(draws[1:], confidence) if weights.size >= FEWEST_FOR_INTERVALS else Ends(float("nan"), float("nan"))
        return (float(draws[0]), *ends, int(chosen.sum()))

    answers = {name: describe(answer(name, chosen), chosen) for name, chosen in known.items()}
    differences = []
    for first, second in combinations(scores, 2):
        both = known[first] & known[second]
        differences.append((first, second, *describe(answer(first, both) - answer(second, both), both)))
    return Ranking(
        answers=pd.DataFrame.from_dict(answers, orient="index", columns=["value", "low", "high", "num_pairs"]).rename_axis("score"),
        differences=pd.DataFrame(differences, columns=["first", "second", "difference", "low", "high", "num_pairs"]),
    )
