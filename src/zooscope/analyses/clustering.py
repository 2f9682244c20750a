"""Groups of similar classifiers: spectral clustering of a matrix of SAT."""

import warnings
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.spatial.distance import pdist, squareform
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from zooscope.analyses.matrix import Matrix, find_order, make_square, require_contrast
from zooscope.analyses.spectral import SAME, Spectrum, find_flat_eigenvalue, find_matrix_spectrum, take_group_vectors
from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError
from zooscope.inline.results import ShownInline

NumClusters = int | Literal["auto"] | None

NUM_CLUSTERS: Final = 10
FEWEST_FOR_TEN: Final = 20
FEWEST_RESTARTS: Final = 100
MOST_RESTARTS: Final = 2000
MEETINGS: Final = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Clusters(ShownInline):
    """Groups of similar classifiers.

    Attributes:
        labels: cluster number of every classifier, in the order of the matrix. 1 is the largest cluster; of equally large
            clusters, the one with the alphabetically first name comes first.
        num_clusters: how many were requested or chosen. If fewer classifiers differ, some clusters are empty.
        features: a row per classifier: its entries in as many eigenvectors as there are clusters, or fewer of fewer than eight
            classifiers.
        gaps: a row per eigenvalue, index `num_clusters` from 1: `eigenvalue`, and `gap` to the next one. A large gap after the
            Kth suggests K groups.
        by_eigengap: whether the number of clusters was chosen by the gaps.
        objective: sum of squared distances of the rows of `features` to the centres of their clusters.
        restarts: how often K-means was started.
        times_met: how many starts ended at this objective, the lowest of all. 1 means that a better partition may exist.
    """

    labels: pd.Series
    num_clusters: int
    features: pd.DataFrame
    gaps: pd.DataFrame
    by_eigengap: bool
    objective: float
    restarts: int
    times_met: int

    @property
    def members(self) -> dict[int, tuple[str, ...]]:
        """The classifiers of every cluster, alphabetically."""
        return list_members(self.labels)

    @property
    def order(self) -> tuple[str, ...]:
        """The classifiers by cluster."""
        return tuple(name for names in self.members.values() for name in names)

    def find_distances(self) -> pd.DataFrame:
        """Euclidean distances of the rows of `features`, by cluster (Fig. 4a of the paper)."""
        rows = self.features.loc[list(self.order)]
        return pd.DataFrame(squareform(pdist(rows)), index=rows.index, columns=list(self.order))


class Partition(NamedTuple):
    """What K-means found.

    Attributes:
        labels: numbers from 0, in arbitrary order.
        objective: sum of squared distances to the centres.
        restarts: how often it was started.
        times_met: how many starts ended at this objective.
    """

    labels: Int[np.ndarray, " row"]
    objective: float
    restarts: int
    times_met: int


class Assignment(NamedTuple):
    """Clusters for an analysis that also works without them.

    Attributes:
        clusters: classifier name to the number of its cluster; empty if no clusters can be made.
        missing: why there are none; empty if there are.
    """

    clusters: dict[str, int]
    missing: str


@check_arguments
def find_clusters(matrix: Matrix, num_clusters: NumClusters = None, *, seed: int = 0) -> Clusters:
    """Spectral clustering: K-means on the first K eigenvectors after the trivial one.

    Of fewer than eight classifiers only those eigenvectors count that show groups, see `take_group_vectors`.

    One start of K-means seldom ends at the best partition. It is started at least 100 times, as in the paper, then until the best
    objective was reached 10 times, at most 2,000 times.

    Source: Hwang et al., ECCV 2024, Section 4.1 and Appendix C; see `find_spectral_features` for the eigenvectors. Choice of the
    number: von Luxburg, A tutorial on spectral clustering, 2007, Section 8.3.

    Example:
        >>> import numpy as np
        >>> import pandas as pd
        >>> import zooscope.analyses
        >>> names = ["cnn 1", "cnn 2", "cnn 3", "cnn 4", "vit 1", "vit 2", "vit 3"]
        >>> alike = np.array([name[:3] for name in names])
        >>> sat = np.where(alike[:, None] == alike, 4.0, 2.0) + 0.1 * np.cos(np.add.outer(range(7), range(7)))
        >>> zooscope.analyses.find_clusters(pd.DataFrame(sat, index=names, columns=names)).members
        {1: ('cnn 1', 'cnn 2', 'cnn 3', 'cnn 4'), 2: ('vit 1', 'vit 2', 'vit 3')}

    Args:
        matrix: SAT of all pairs (natural log); symmetric; the diagonal is not read.
        num_clusters: how many; "auto" takes the number with the largest gap after its eigenvalue; None takes 10 from 20
            classifiers on, and "auto" for fewer.
        seed: of the starts. The answer doesn't depend on the order of the classifiers.

    Raises:
        InvalidValueError: the matrix is not square, symmetric and complete, or holds no score above 0; or there are more clusters
            than classifiers; or all pairs have the same score, so there are no groups.
    """
    names, found = find_matrix_spectrum(matrix)
    gaps = find_eigengaps(found)
    wanted = _choose_number(num_clusters, len(names))
    chosen = choose_by_gap(gaps, len(names)) if wanted == "auto" else wanted
    if not 1 <= chosen <= len(names):
        msg = f"num_clusters must be from 1 to {len(names)}, the number of classifiers: got {chosen}."
        raise InvalidValueError(msg)
    if chosen not in (1, len(names)):
        require_contrast(make_square(matrix))
    features = take_group_vectors(found, chosen)
    partition = find_partition(features, chosen, seed=seed)
    order = find_order(matrix)
    table = pd.DataFrame(features, index=pd.Index(names, name="name"))
    return Clusters(
        labels=number_clusters(names, partition.labels.tolist()).loc[order],
        num_clusters=chosen,
        features=table.loc[order],
        gaps=gaps,
        by_eigengap=wanted == "auto",
        objective=partition.objective,
        restarts=partition.restarts,
        times_met=partition.times_met,
    )


@check_arguments
def assign_clusters(matrix: Matrix, num_clusters: NumClusters = None, *, seed: int = 0) -> Assignment:
    """The cluster of every classifier, for an analysis that continues if no clusters can be made.

    Example:
        >>> import numpy as np
        >>> import pandas as pd
        >>> import zooscope.analyses
        >>> flat = pd.DataFrame(np.full((3, 3), -4.6), index=list("abc"), columns=list("abc"))
        >>> clusters, missing = zooscope.analyses.assign_clusters(flat)
        >>> clusters, missing
        ({}, 'no two classifiers have a score above 0 (one image in a hundred), so there is no similarity to analyse.')

    Args:
        matrix: as for `find_clusters`.
        num_clusters: as for `find_clusters`.
        seed: as for `find_clusters`.

    Raises:
        InvalidValueError: the number of clusters was given and can't be made.
    """
    try:
        labels = find_clusters(matrix, num_clusters, seed=seed).labels
    except InvalidValueError as error:
        if num_clusters is not None:
            raise
        return Assignment({}, str(error))
    return Assignment({str(name): int(cluster) for name, cluster in labels.items()}, "")


def choose_num_clusters(matrix: Matrix) -> int:
    """The default number of clusters of `find_clusters`: 10 from 20 classifiers on, else by the eigengap.

    Raises:
        InvalidValueError: the matrix is not square, symmetric and complete, or holds no score above 0.
    """
    names, found = find_matrix_spectrum(matrix)
    wanted = _choose_number(None, len(names))
    return choose_by_gap(find_eigengaps(found), len(names)) if wanted == "auto" else wanted


def _choose_number(num_clusters: NumClusters, num_classifiers: int) -> int | Literal["auto"]:
    if num_clusters is not None:
        return num_clusters
    return NUM_CLUSTERS if num_classifiers >= FEWEST_FOR_TEN else "auto"


def find_eigengaps(found: Spectrum) -> pd.DataFrame:
    """Every eigenvalue, the trivial one first, and the gap to the next; NaN after the last."""
    values = np.concatenate([[0.0], found.eigenvalues])
    index = pd.RangeIndex(1, len(values) + 1, name="num_clusters")
    return pd.DataFrame({"eigenvalue": values, "gap": np.append(np.diff(values), np.nan)}, index=index)


def find_group_gaps(gaps: pd.DataFrame, num_classifiers: int) -> pd.Series:
    """The gaps that `choose_by_gap` chooses from; none if there is no group."""
    tells = (gaps.index > 1) & (gaps["eigenvalue"] < find_flat_eigenvalue(num_classifiers) - SAME)
    return gaps.loc[tells, "gap"].dropna()


def choose_by_gap(gaps: pd.DataFrame, num_classifiers: int) -> int:
    """The number of clusters from 2 on with the largest gap after its eigenvalue; 1 if there is no group.

    Eigenvectors of groups have eigenvalues below N / (N - 1): all eigenvalues have this value if every pair has the same score,
    and it is their mean in any matrix (the trivial one excluded). Gaps after larger eigenvalues say nothing about groups. The
    first gap is always large, since nearly every classifier is connected to every other, and would always give 1.
    """
    candidates = find_group_gaps(gaps, num_classifiers)
    return int(candidates.index[int(candidates.argmax())]) if len(candidates) else 1


def find_partition(features: Float[np.ndarray, "row column"], num_clusters: int, *, seed: int) -> Partition:
    """K-means, started until the best objective was reached several times."""
    best = Partition(np.zeros(len(features), dtype=np.int32), np.inf, 0, 0)
    generator = np.random.default_rng(seed)
    with use_one_thread():
        while best.restarts < FEWEST_RESTARTS or (best.times_met < MEETINGS and best.restarts < MOST_RESTARTS):
            labels, objective = run_k_means(features, num_clusters, random_state=int(generator.integers(2**31)))
            best = best._replace(restarts=best.restarts + 1)
            if abs(objective - best.objective) <= SAME:
                best = best._replace(times_met=best.times_met + 1)
            elif objective < best.objective:
                best = Partition(labels, objective, best.restarts, 1)
    return best


def use_one_thread() -> AbstractContextManager[object]:
    """Computes on one thread: many short runs of K-means spend their time waiting for others, most of all on a busy machine."""
    limits: AbstractContextManager[object] = threadpool_limits(limits=1)
    return limits


def run_k_means(
    features: Float[np.ndarray, "row column"],
    num_clusters: int,
    **settings: Any,  # noqa: ANN401  (scikit-learn's)
) -> tuple[Int[np.ndarray, " row"], float]:
    """K-means until convergence, so that equal partitions have equal objectives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different rows than clusters: some stay empty
        fitted = KMeans(num_clusters, **{"n_init": 1, "tol": 0, "max_iter": 1000} | settings).fit(features)
    return np.asarray(fitted.labels_), float(fitted.inertia_)


def number_clusters(names: Iterable[str], labels: Iterable[int]) -> pd.Series:
    """Labels numbered from 1 by size, then by the alphabetically first name."""
    given = pd.Series(list(labels), index=pd.Index(list(names), name="name"))
    groups = [sorted(group.index) for _, group in given.groupby(given)]
    groups.sort(key=lambda group: (-len(group), group[0]))
    numbers = {name: number for number, group in enumerate(groups, start=1) for name in group}
    return pd.Series(numbers, name="cluster").rename_axis("name").loc[given.index]


def list_members(labels: pd.Series) -> dict[int, tuple[str, ...]]:
    """The classifiers of every cluster, alphabetically; clusters ascending."""
    return {int(number): tuple(sorted(map(str, labels.index[labels == number]))) for number in np.unique(labels.to_numpy())}
