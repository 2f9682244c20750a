"""Classifiers as leaves of a tree: hierarchical clustering, for few of them, and to order many."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.cluster.hierarchy import dendrogram, leaves_list, linkage
from scipy.spatial.distance import squareform

from zooscope.analyses.matrix import Matrix, keep_complete, make_square
from zooscope.arguments import check_arguments
from zooscope.inline.results import ShownInline
from zooscope.scores.sat import RANGE


class ClusterOrder(NamedTuple):
    """Positions in the order of the leaves, and the forks of the tree above them.

    Attributes:
        order: positions in the matrix, leaf by leaf.
        branches: four points (place among the leaves, distance) per fork, from one child's end over the fork to the other's.
    """

    order: tuple[int, ...]
    branches: tuple[tuple[tuple[float, float], ...], ...]


class Fork(NamedTuple):
    """Two groups that are joined.

    Attributes:
        left: the classifiers of one.
        right: those of the other.
        sat: mean SAT of all pairs between them, natural log.
    """

    left: tuple[str, ...]
    right: tuple[str, ...]
    sat: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Tree(ShownInline):
    """Classifiers, joined from the most similar on.

    Attributes:
        names: in the order of the leaves.
        forks: the most similar groups first, one fewer than there are classifiers.
        branches: how to draw it: four points (place among the leaves, SAT) per fork.
    """

    names: tuple[str, ...]
    forks: tuple[Fork, ...]
    branches: tuple[tuple[tuple[float, float], ...], ...]


@check_arguments
def build_tree(matrix: Matrix) -> Tree:
    """Hierarchical clustering of SAT by average linkage: of all groups, the two with the largest mean SAT are joined next.

    It needs no plane, so it suits few classifiers, too. The fork above two classifiers has the mean SAT of their groups,
    not their own.

    Example:
        >>> import pandas as pd, zooscope.analyses
        >>> sat = pd.DataFrame([[4.6, 3.9, 2.0], [3.9, 4.6, 2.4], [2.0, 2.4, 4.6]], index=list("xyz"), columns=list("xyz"))
        >>> [(*fork.left, *fork.right, round(fork.sat, 3)) for fork in zooscope.analyses.build_tree(sat).forks]
        [('y', 'x', 3.9), ('z', 'y', 'x', 2.2)]

    Source: Sokal and Michener, A statistical method for evaluating systematic relationships, 1958 (average linkage); Bar-Joseph et
    al., Fast optimal leaf ordering for hierarchical clustering, 2001 (the order of the leaves).

    Args:
        matrix: SAT of all pairs (natural log); symmetric; the diagonal is not read.

    Raises:
        InvalidValueError: the matrix is not square, symmetric and complete.
    """
    scores = keep_complete(make_square(matrix))
    names, merges = list(scores.index), _link(scores.to_numpy())
    groups: list[tuple[str, ...]] = [(name,) for name in names]
    forks = []
    for left, right, distance, _ in merges:
        forks.append(Fork(groups[int(left)], groups[int(right)], RANGE[1] - float(distance)))
        groups.append((*groups[int(left)], *groups[int(right)]))
    order, branches = _arrange(merges)
    return Tree(
        names=tuple(names[place] for place in order),
        forks=tuple(forks),
        branches=tuple(tuple((place, RANGE[1] - distance) for place, distance in fork) for fork in branches),
    )


def order_by_cluster(score: Float[np.ndarray, "a b"]) -> ClusterOrder:
    """Hierarchical clustering (average linkage) of a symmetric matrix of scores, leaves ordered so that neighbours are similar.

    A pair without a score counts as unlike as the least similar pair.
    """
    return ClusterOrder((0,), ()) if len(score) == 1 else _arrange(_link(score))


def _link(score: Float[np.ndarray, "a b"]) -> Float[np.ndarray, "fork 4"]:
    """SciPy's linkage of the distances below the largest SAT."""
    distance = RANGE[1] - score
    np.fill_diagonal(distance, np.nan)
    known = distance[~np.isnan(distance)]
    distance = np.nan_to_num(np.maximum(distance, 0), nan=float(known.max()) if len(known) else 1.0)
    np.fill_diagonal(distance, 0)
    return np.asarray(linkage(squareform(distance, checks=False), method="average", optimal_ordering=True))


def _arrange(merges: Float[np.ndarray, "fork 4"]) -> ClusterOrder:
    drawn = dendrogram(merges, no_plot=True)
    # SciPy puts leaf number i at 5 + 10 i.
    forks = [
        tuple(((float(x) - 5) / 10, float(y)) for x, y in zip(xs, ys, strict=True))
        for xs, ys in zip(drawn["icoord"], drawn["dcoord"], strict=True)
    ]
    return ClusterOrder(tuple(int(leaf) for leaf in leaves_list(merges)), tuple(forks))
