"""How much clusters depend on the choice of images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from sklearn.metrics import adjusted_rand_score

from zooscope.analyses.clustering import Clusters, run_k_means, use_one_thread
from zooscope.analyses.spectral import FEW, build_adjacency, find_spectrum, take_group_vectors
from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError
from zooscope.inline.results import ShownInline
from zooscope.records.predictions import Predictions
from zooscope.scores.outcomes import PAIRS_AT_ONCE, PERCENT, find_outcomes, find_percent
from zooscope.scores.sat import EPSILON_S, take_log_score
from zooscope.statistics.bootstrap import draw_weights, weigh_shares

NUM_DRAWS: Final = 200
RESTARTS: Final = 10
STABLE: Final = 0.75
DISSOLVED: Final = 0.5

Verdict = Literal["stable", "unsure", "noise"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ClusterStability(ShownInline):
    """How well clusters are reproduced when images are resampled with replacement.

    Attributes:
        co_assignment: share of draws in which two classifiers are in one cluster; names as index and columns, by cluster.
        clusters: a row per cluster, index `cluster`: `size`; `together`, the mean share of draws in which two of its members are in
            one cluster (NaN for a cluster of one); `jaccard`, the mean over draws of the Jaccard index with the most similar
            cluster, members of both over members of either (1 if it is unchanged every time); `exact`, the share of draws in
            which it is unchanged; `verdict`, as of `judge_stability`, empty if there is one cluster or one for each classifier,
            since resampling can't change these.
        adjusted_rand: mean over draws of the adjusted Rand index of the whole partition: 1 for the same, 0 for chance.
        num_draws: number of draws.
    """

    co_assignment: pd.DataFrame
    clusters: pd.DataFrame
    adjusted_rand: float
    num_draws: int


@check_arguments
def measure_cluster_stability(
    found: Clusters, predictions: Predictions, *, num_draws: int = NUM_DRAWS, epsilon_s: float = EPSILON_S, seed: int = 0
) -> ClusterStability:
    """Clusters the classifiers again on images drawn with replacement, into the same number of clusters.

    In each draw K-means is started 10 times at random and once from the given clusters, and the best of the eleven is taken, so
    that a draw differs because of its images, not because K-means ended at a poor partition.

    Source: Hennig, Cluster-wise assessment of cluster stability, 2007 (Jaccard).

    Example:
        >>> import numpy as np
        >>> import zooscope.analyses
        >>> from zooscope.records.predictions import Predictions
        >>> from zooscope.scores.matrices import make_sat_matrix
        >>> family, image = np.array([0, 0, 0, 1, 1]), np.arange(50)
        >>> rate = np.where(family[:, None] == family, 0.95, 0.05)[..., None]
        >>> names = ("cnn 1", "cnn 2", "cnn 3", "vit 1", "vit 2")
        >>> predictions = Predictions(
        ...     names=names,
        ...     sources=names,
        ...     image_ids=tuple(map(str, image)),
        ...     labels=np.zeros(50, dtype=np.int32),
        ...     clean=np.zeros((5, 50), dtype=np.int32),
        ...     transfer=(np.random.default_rng(0).random((5, 5, 50)) < rate).astype(np.int32),
        ...     transforms=("resize 224",) * 5,
        ... )
        >>> found = zooscope.analyses.find_clusters(make_sat_matrix(predictions, confidence=None))
        >>> stability = zooscope.analyses.measure_cluster_stability(found, predictions, num_draws=20)
        >>> bool(stability.adjusted_rand > 0.8)
        True

    Args:
        found: clusters of the SAT of these predictions, of all classifiers or some.
        predictions: of the study.
        num_draws: number of draws.
        epsilon_s: as for the SAT.
        seed: of the draws, and of the starts.

    Raises:
        InvalidValueError: num_draws is not positive, or the predictions lack a classifier.
    """
    if num_draws < 1:
        msg = f"num_draws must be at least 1: got {num_draws}."
        raise InvalidValueError(msg)
    names = sorted(map(str, found.labels.index))
    lacking = [name for name in names if name not in predictions.names]
    if lacking:
        msg = f"the predictions don't contain {lacking[0]}; take clusters and predictions of the same study."
        raise InvalidValueError(msg)
    own = found.labels.loc[names].to_numpy(dtype=np.int64)
    scores = _score_draws(predictions, names, num_draws, epsilon_s, seed)
    starts = np.random.default_rng(seed).integers(2**31, size=num_draws)
    drawn = np.stack(
        [_recluster(draw, own, found.num_clusters, random_state=int(start)) for draw, start in zip(scores, starts, strict=True)]
    )
    together = sum(np.equal.outer(labels, labels).astype(np.int64) for labels in drawn) / num_draws
    order = list(found.order)
    return ClusterStability(
        co_assignment=pd.DataFrame(together, index=pd.Index(names, name="name"), columns=names).loc[order, order],
        clusters=_describe_clusters(own, drawn, together),
        adjusted_rand=float(np.mean([adjusted_rand_score(own, labels) for labels in drawn])),
        num_draws=num_draws,
    )


def judge_stability(jaccard: float, *, num_classifiers: int) -> Verdict:
    """What a mean Jaccard index says of a cluster.

    From 0.75 on it is "stable". Above 0.5 it is "unsure": there is a pattern, but which classifiers belong to it is doubtful. Else
    it is "noise": with other images it dissolves. Fewer than eight classifiers can be grouped in so few ways that chance often
    gives the same groups: of these no cluster is called stable.

    Source: Hennig, Cluster-wise assessment of cluster stability, 2007, for 0.5; the manual of his `clusterboot` (R, fpc) for 0.75.

    Example:
        >>> [judge_stability(jaccard, num_classifiers=12) for jaccard in (0.9, 0.6, 0.4)]
        ['stable', 'unsure', 'noise']
        >>> judge_stability(0.9, num_classifiers=3)
        'unsure'
    """
    if jaccard >= STABLE and num_classifiers >= FEW:
        return "stable"
    return "unsure" if jaccard > DISSOLVED else "noise"


def _score_draws(
    predictions: Predictions, names: Sequence[str], num_draws: int, epsilon_s: float, seed: int
) -> Iterator[Float[np.ndarray, "a b"]]:
    """SAT of one draw after the other. A pair that shares no image in a draw keeps its score on all images.

    Images are looked at some pairs at a time: those of all pairs together would take more memory than the study itself.
    """
    outcomes = find_outcomes(predictions)
    places = np.array([predictions.names.index(name) for name in names])
    weights = draw_weights(len(predictions.labels), num_resamples=num_draws, seed=seed)
    rows, columns = np.triu_indices(len(names), 1)
    shares = np.empty((num_draws, len(rows)))
    for start in range(0, len(rows), PAIRS_AT_ONCE):
        block = slice(start, start + PAIRS_AT_ONCE)
        fooled, counted = outcomes.take_pairs(places[rows[block]], places[columns[block]])
        overall = find_percent(fooled.sum(axis=1, dtype=np.int64), counted.sum(axis=1, dtype=np.int64)) / PERCENT
        drawn = weigh_shares(weights, fooled, counted)
        shares[:, block] = np.where(np.isnan(drawn), overall, drawn)
    for draw in shares:
        matrix = np.zeros((len(names), len(names)))
        matrix[rows, columns] = matrix[columns, rows] = take_log_score(PERCENT * draw, epsilon_s=epsilon_s)
        yield matrix


def _recluster(
    scores: Float[np.ndarray, "a b"], own: Int[np.ndarray, " classifier"], num_clusters: int, *, random_state: int
) -> Int[np.ndarray, " classifier"]:
    weights = build_adjacency(scores)
    if not weights.any():  # no classifier is similar to another
        return np.arange(len(own))
    features = take_group_vectors(find_spectrum(weights), num_clusters)
    centres = np.stack([features[own == number].mean(axis=0) for number in np.unique(own)])
    with use_one_thread():
        found = [run_k_means(features, num_clusters, n_init=RESTARTS, random_state=random_state)]
        if len(centres) == num_clusters:  # no cluster is empty
            found.insert(0, run_k_means(features, num_clusters, init=centres))
    labels, _ = min(found, key=lambda result: result[1])
    return labels.astype(np.int64)


def _describe_clusters(
    own: Int[np.ndarray, " classifier"],
    drawn: Int[np.ndarray, "draw classifier"],
    together: Float[np.ndarray, "classifier classifier"],
) -> pd.DataFrame:
    rows = {}
    can_change = 1 < len(np.unique(own)) < len(own)
    for number in np.unique(own):
        inside = own == number
        pairs = together[np.ix_(inside, inside)][np.triu_indices(inside.sum(), 1)]
        likeness = np.array([_find_best_jaccard(inside, labels) for labels in drawn])
        rows[int(number)] = {
            "size": int(inside.sum()),
            "together": float(pairs.mean()) if len(pairs) else float("nan"),
            "jaccard": float(likeness.mean()),
            "exact": float((likeness == 1).mean()),
            "verdict": judge_stability(float(likeness.mean()), num_classifiers=len(own)) if can_change else "",
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("cluster")


def _find_best_jaccard(inside: Bool[np.ndarray, " classifier"], labels: Int[np.ndarray, " classifier"]) -> float:
    """Jaccard index with the most similar cluster of a draw, which must share a member."""
    others = [labels == label for label in np.unique(labels[inside])]
    return max(float((inside & other).sum() / (inside | other).sum()) for other in others)
