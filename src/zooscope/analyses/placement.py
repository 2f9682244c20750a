"""Where a new classifier belongs, when only it is attacked."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError
from zooscope.inline.results import ShownInline
from zooscope.scores.outcomes import PERCENT, Outcomes, find_percent
from zooscope.scores.sat import EPSILON_S, sat, score_one_sided, take_log_score
from zooscope.statistics.bootstrap import NUM_RESAMPLES, resample_shares
from zooscope.statistics.combinations import bound_mean
from zooscope.statistics.mantel import Correlation, mantel
from zooscope.statistics.permutations import NUM_PERMUTATIONS
from zooscope.statistics.shares import bound_shares
from zooscope.statistics.trend import CONFIDENCE, Trend, fit_trend


@dataclass(frozen=True, kw_only=True, eq=False)
class Placement(ShownInline):
    """Where a classifier belongs among others.

    Attributes:
        targets: a row per target, the most alike first, index `name`: `sat` (one-sided, natural log), `percent` (attacked
            images that fool it), `count` (images that both classify correctly), `low`, `high` (of `sat`), `cluster`.
        clusters: a row per cluster, the most alike first, index `cluster`: `classifiers`, `sat` (mean one-sided SAT to its
            members), `low`, `high`, `share` (fraction of bootstrap draws in which it is the most alike).
        corrected: the same after subtracting each target's usual SAT (see `find_usual_sat`); None if none was given.
        cluster: the cluster with the largest mean; None if there are no clusters.
        share: fraction of bootstrap draws that choose the same cluster; covers the choice of images only.
        nearest_share: fraction of bootstrap draws in which the same target is the nearest.
        confidence: of the intervals.
    """

    targets: pd.DataFrame
    clusters: pd.DataFrame
    corrected: pd.DataFrame | None
    cluster: Hashable | None
    share: float
    nearest_share: float
    confidence: float


@dataclass(frozen=True, kw_only=True, eq=False)
class OneSided(ShownInline):
    """How well one direction of SAT predicts both, over the classifiers of a study.

    Attributes:
        pairs: a row per ordered pair: `source`, `target`, `score_one_sided` (the source's attack alone), `sat` (both directions).
        pearson: of the two, over ordered pairs; the test permutes classifiers.
        trend: `sat` by `score_one_sided`.
        recovered: number of classifiers that their own row of one-sided scores assigns to their own cluster.
        recovered_corrected: the same after subtracting each target's usual SAT (over the other sources).
        num_recoverable: number of classifiers whose cluster has another member.
    """

    pairs: pd.DataFrame
    pearson: Correlation
    trend: Trend
    recovered: int
    recovered_corrected: int
    num_recoverable: int


@check_arguments
def place_classifier(
    names: tuple[str, ...],
    fooled: Bool[np.ndarray, "target image"],
    counted: Bool[np.ndarray, "target image"],
    *,
    clusters: Mapping[str, Hashable] | None = None,
    usual: Mapping[str, float] | None = None,
    confidence: float = 0.95,
    epsilon_s: float = EPSILON_S,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> Placement:
    """The nearest targets and the cluster of a classifier that was attacked, from the effect of its attack on the targets.

    Source: Hwang et al., ECCV 2024, Appendix H: the direction from the known classifiers to the new one is left out, so that N
    known classifiers need not be attacked again. The paper doesn't say how a cluster is assigned; here by the largest mean
    SAT. Some targets are fooled more easily than others by any source, so every new classifier seems close to their cluster.
    The means are therefore also given after subtracting each target's usual SAT.

    Example:
        >>> import numpy as np
        >>> import zooscope.analyses
        >>> fooled = np.random.default_rng(0).random((3, 100)) < [[0.8], [0.7], [0.2]]
        >>> counted = np.ones((3, 100), dtype=bool)
        >>> clusters = {"cnn 1": "cnns", "cnn 2": "cnns", "vit": "transformers"}
        >>> found = zooscope.analyses.place_classifier(("cnn 1", "cnn 2", "vit"), fooled, counted, clusters=clusters)
        >>> found.cluster, found.share, found.targets.index.tolist()
        ('cnns', 1.0, ['cnn 1', 'cnn 2', 'vit'])

    Args:
        names: the targets.
        fooled: images on which the new classifier's attack fools each target.
        counted: images that the new classifier and the target classify correctly when clean.
        clusters: cluster by target; targets without one belong to none.
        usual: of each target, from `find_usual_sat`; treated as fixed, not resampled.
        confidence: of the intervals.
        epsilon_s: lower bound of percentages, so that the logarithm is finite.
        num_resamples: draws of images, for the shares of draws.
        seed: of the draws.

    Raises:
        InvalidValueError: there is no target that shares an image with the classifier.
    """
    percent = find_percent((fooled & counted).sum(1), counted.sum(1))
    if not np.isfinite(percent).any():
        msg = "no target shares a correctly classified image with the classifier, so it can't be placed."
        raise InvalidValueError(msg)
    outcomes = (fooled & counted).astype(np.int8), counted.astype(np.int8)
    drawn_shares = resample_shares(*outcomes, num_resamples=num_resamples, seed=seed)
    scores, drawn = take_log_score(percent, epsilon_s=epsilon_s), take_log_score(PERCENT * drawn_shares, epsilon_s=epsilon_s)
    low, high = (take_log_score(PERCENT * end, epsilon_s=epsilon_s) for end in bound_shares(*outcomes, confidence=confidence))
    known = {name: (clusters or {}).get(name) for name in names}
    targets = pd.DataFrame(
        {
            "sat": scores,
            "percent": percent,
            "count": counted.sum(1),
            "low": low,
            "high": high,
            "cluster": pd.Series(list(known.values()), dtype=object),
        }
    ).set_index(pd.Index(names, name="name"))
    targets = targets.sort_values("sat", ascending=False, kind="stable")

    def find_spread(members: Bool[np.ndarray, " target"]) -> tuple[float, float]:
        mean, (least, most) = bound_mean(
            outcomes[0][members],
            outcomes[1][members],
            confidence=confidence,
            scale=lambda share: take_log_score(PERCENT * share, epsilon_s=epsilon_s),
        )
        return float(mean[0] - least[0]), float(most[0] - mean[0])

    table = _score_clusters(known, scores, drawn, find_spread)
    return Placement(
        targets=targets,
        clusters=table,
        corrected=None if usual is None else _score_clusters(known, *_subtract_usual(usual, names, scores, drawn), find_spread),
        cluster=None if table.empty else table.index[0],
        share=float("nan") if table.empty else float(table["share"].iloc[0]),
        nearest_share=_find_share_of_largest(drawn)[names.index(targets.index[0])],
        confidence=confidence,
    )


@check_arguments
def compare_directions(
    outcomes: Outcomes,
    *,
    clusters: Mapping[str, Hashable] | None = None,
    epsilon_s: float = EPSILON_S,
    confidence: float = CONFIDENCE,
    num_permutations: int = NUM_PERMUTATIONS,
    seed: int = 0,
) -> OneSided:
    """Every classifier of a study placed as if it were new: its own attack alone against both directions.

    One direction is half of what SAT counts, so they are always correlated; the question is how closely.

    Source: Hwang et al., ECCV 2024, Figure H.1.

    Example:
        >>> import numpy as np
        >>> import zooscope.analyses
        >>> from zooscope.scores.outcomes import Outcomes
        >>> rate = np.array([[1, 0.8, 0.2], [0.8, 1, 0.2], [0.2, 0.2, 1]])
        >>> fooled = np.random.default_rng(0).random((3, 3, 100)) < rate[..., None]
        >>> outcomes = Outcomes.from_flags(("cnn 1", "cnn 2", "vit"), counted=np.ones((3, 3, 100), dtype=bool), fooled=fooled)
        >>> found = zooscope.analyses.compare_directions(outcomes, clusters={"cnn 1": 1, "cnn 2": 1, "vit": 2})
        >>> bool(found.pearson.r > 0.9), found.recovered, found.num_recoverable
        (True, 2, 2)

    Args:
        outcomes: of attacked images.
        clusters: cluster by classifier, as found with all of them.
        epsilon_s: lower bound of percentages, so that the logarithm is finite.
        confidence: of the trend's band.
        num_permutations: of the Mantel test.
        seed: of the permutations, and of the draws for the band.
    """
    names = np.array(outcomes.names, dtype=object)
    alone, both = score_one_sided(outcomes, epsilon_s=epsilon_s), sat(outcomes, epsilon_s=epsilon_s).score
    rows, columns = np.nonzero(~np.eye(len(names), dtype=bool))
    recovered = recovered_corrected = num_recoverable = 0
    for place, name in enumerate(outcomes.names):
        own = (clusters or {}).get(name)
        others = {
            other: (clusters or {}).get(other) if other != name and np.isfinite(score) else None
            for other, score in zip(outcomes.names, alone[place], strict=True)
        }
        if own is not None and own in others.values():
            num_recoverable += 1
            less = alone[place] - _average_usual(np.delete(alone, place, axis=0), np.delete(np.arange(len(names)), place))
            recovered += int(_score_clusters(others, alone[place], alone[[place]]).index[0] == own)
            corrected = _score_clusters(others, less, less[None])
            recovered_corrected += int(not corrected.empty and corrected.index[0] == own)
    return OneSided(
        pairs=pd.DataFrame(
            {"source": names[rows], "target": names[columns], "one_sided": alone[rows, columns], "sat": both[rows, columns]}
        ),
        pearson=mantel(alone, both, directed=True, num_permutations=num_permutations, seed=seed),
        trend=fit_trend(alone, both, directed=True, confidence=confidence, seed=seed),
        recovered=recovered,
        recovered_corrected=recovered_corrected,
        num_recoverable=num_recoverable,
    )


def find_usual_sat(outcomes: Outcomes, *, epsilon_s: float = EPSILON_S) -> dict[str, float]:
    """How easily each classifier is fooled by any source: mean one-sided SAT from all others; NaN if there is none."""
    alone = score_one_sided(outcomes, epsilon_s=epsilon_s)
    means = _average_usual(alone, np.arange(len(alone)))
    return {name: float(mean) for name, mean in zip(outcomes.names, means, strict=True)}


def _average_usual(alone: Float[np.ndarray, "source target"], sources: Int[np.ndarray, " source"]) -> Float[np.ndarray, " target"]:
    """Mean over the sources other than the target itself; `sources` are the positions of the rows among the targets."""
    known = np.isfinite(alone)
    known[np.arange(len(sources)), sources] = False
    number = known.sum(0)
    return np.asarray(np.divide(np.where(known, alone, 0).sum(0), number, out=np.full(len(number), np.nan), where=number > 0))


def _subtract_usual(
    usual: Mapping[str, float],
    names: tuple[str, ...],
    scores: Float[np.ndarray, " target"],
    drawn: Float[np.ndarray, "resample target"],
) -> tuple[Float[np.ndarray, " target"], Float[np.ndarray, "resample target"]]:
    means = np.array([usual.get(name, np.nan) for name in names])
    return scores - means, drawn - means


def _score_clusters(
    cluster_of: Mapping[str, Hashable | None],
    scores: Float[np.ndarray, " target"],
    drawn: Float[np.ndarray, "resample target"],
    find_spread: Callable[[Bool[np.ndarray, " target"]], tuple[float, float]] = lambda _: (float("nan"), float("nan")),
) -> pd.DataFrame:
    """Mean score of every cluster with a known score, the largest first; `find_spread` says how far its interval reaches."""
    rows, means = [], []
    for cluster in dict.fromkeys(each for each in cluster_of.values() if each is not None):
        members = np.array([each == cluster for each in cluster_of.values()]) & np.isfinite(scores)
        if not members.any():
            continue
        means.append(_average_known(drawn[:, members]))
        mean, (below, above) = scores[members].mean(), find_spread(members)
        rows.append(
            {
                "cluster": cluster,
                "classifiers": int(members.sum()),
                "sat": mean,
                "low": mean - below,
                "high": mean + above,
            }
        )
    table = pd.DataFrame(rows, columns=["cluster", "classifiers", "sat", "low", "high"])
    table["share"] = _find_share_of_largest(np.stack(means, axis=1)) if means else []
    return table.sort_values("sat", ascending=False, kind="stable").set_index("cluster")


def _average_known(values: Float[np.ndarray, "resample target"]) -> Float[np.ndarray, " resample"]:
    known = np.isfinite(values)
    number = known.sum(1)
    return np.asarray(np.divide(np.where(known, values, 0).sum(1), number, out=np.full(len(values), np.nan), where=number > 0))


def _find_share_of_largest(values: Float[np.ndarray, "resample cell"]) -> list[float]:
    """For every cell, the share of rows in which it is the largest; ties share the row equally."""
    filled = np.where(np.isfinite(values), values, -np.inf)
    largest = (filled == filled.max(1, keepdims=True)) & np.isfinite(filled)
    number = largest.sum(1, keepdims=True)
    return [float(share) for share in (largest / np.maximum(number, 1)).sum(0) / max(int((number > 0).sum()), 1)]
