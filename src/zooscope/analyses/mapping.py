"""Classifiers as points of a plane, similar ones near each other."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.spatial.distance import pdist
from sklearn.manifold import TSNE

from zooscope.analyses.clustering import choose_num_clusters
from zooscope.analyses.matrix import Matrix, find_order, make_square, require_contrast
from zooscope.analyses.spectral import find_flat_eigenvalue, find_matrix_spectrum, find_spectral_features, fix_signs
from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.inline.results import ShownInline

Method = Literal["tsne", "mds"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)
FEWEST_FOR_TSNE: Final = 8  # fewer have too few neighbours to keep: members of a cluster may end up at opposite ends
FAR_APART: Final = 0.8
FEWEST_FEATURES: Final = 2
WITHOUT_GROUPS: Final = 1e-6
START: Final = 1e-4  # initial spread of t-SNE's points, as its authors set it


@dataclass(frozen=True, kw_only=True, eq=False)
class Map(ShownInline):
    """Classifiers as points of a plane.

    Attributes:
        points: a row per classifier in the order of the matrix, columns `x` and `y`. Only nearness has a meaning: the axes have
            none, nor have distances between far groups in t-SNE.
        method: "tsne" or "mds".
        num_features: number of eigenvectors used.
        perplexity: of t-SNE, roughly the number of neighbours that each point keeps near; NaN for MDS.
        num_kept: of these, how many have a weight above zero: for MDS, those that separate groups.
        shown: for MDS, the share of all squared distances between the classifiers' scaled features that the plane shows. It says
            nothing of features without weight, so it is 1 if `num_kept` is at most 2. NaN for t-SNE.
    """

    points: pd.DataFrame
    method: Method
    num_features: int
    num_kept: int
    perplexity: float
    shown: float


@check_arguments
def map_classifiers(
    matrix: Matrix, *, method: Method = "tsne", num_features: int | None = None, perplexity: float | None = None, seed: int = 0
) -> Map:
    """Maps classifiers to a plane by their spectral features.

    t-SNE keeps neighbours together, but may separate groups that are connected. Classical MDS is the projection with the largest
    squared distances, and is deterministic. All eigenvectors have the same length, so that no plane would show more of them than
    any other; for MDS each is therefore scaled by the square root of the difference between N / (N - 1), the eigenvalue of
    classifiers without groups, and its own eigenvalue.

    Example:
        >>> import numpy as np
        >>> import pandas as pd
        >>> import zooscope.analyses
        >>> names = ["cnn", "cnn, seed 1", "vit", "vit, seed 1"]
        >>> sat = pd.DataFrame(np.kron([[4, 2], [2, 4]], np.ones((2, 2))), index=names, columns=names)
        >>> points = zooscope.analyses.map_classifiers(sat, method="mds").points
        >>> (points["x"] > 0).tolist()
        [True, True, False, False]

    Source: Hwang et al., ECCV 2024, Fig. 1; van der Maaten and Hinton, Visualizing data using t-SNE, 2008; Torgerson,
    Multidimensional scaling, 1952.

    Args:
        matrix: SAT of all pairs (natural log); symmetric; the diagonal is not read.
        method: "tsne" or "mds".
        num_features: how many eigenvectors, see `find_spectral_features`; None takes all for MDS, and for t-SNE, as the paper
            does, as many as there are clusters (see `choose_num_clusters`), at least two.
        perplexity: of t-SNE; by default the square root of the number of classifiers.
        seed: of t-SNE. The answer doesn't depend on the order of the classifiers.

    Raises:
        InvalidValueError: the matrix is not square, symmetric and complete, holds no score above 0, or all pairs have the same
            score; fewer than eight classifiers for t-SNE; perplexity or num_features is out of range.
        UnknownNameError: no such method.
    """
    if method not in METHODS:
        kind = "method"
        raise UnknownNameError(kind, method, METHODS, f"Maps are drawn by {' or '.join(METHODS)}.")
    scores = make_square(matrix)
    if num_features is None:
        num_features = len(scores) if method == "mds" else max(choose_num_clusters(scores), FEWEST_FEATURES)
    features = find_spectral_features(scores, num_features)
    require_contrast(scores)
    weights = _find_weights(scores, features.shape[1])
    flat, shown = run_classical_mds(features.to_numpy() * weights)
    kept = float("nan")
    if method == "tsne":
        kept = _choose_perplexity(perplexity, len(features))
        start = START * flat / max(float(flat[:, 0].std()), np.finfo(np.float64).tiny)
        learnt = TSNE(perplexity=kept, init=start, method="exact", random_state=seed)
        flat, shown = np.asarray(learnt.fit_transform(features.to_numpy()), dtype=np.float64), float("nan")
    return Map(
        points=pd.DataFrame(flat, index=features.index, columns=["x", "y"]).loc[find_order(matrix)],
        method=method,
        num_features=features.shape[1],
        num_kept=features.shape[1] if method == "tsne" else int((weights > WITHOUT_GROUPS).sum()),
        perplexity=kept,
        shown=shown,
    )


def find_spread_clusters(points: pd.DataFrame, labels: pd.Series) -> tuple[str, ...]:
    """Clusters of which two members are at opposite ends of a map: at least 0.8 of its largest distance apart.

    Example:
        >>> points = pd.DataFrame({"x": [0, 1, 9, 10], "y": 0}, index=list("abcd"))
        >>> find_spread_clusters(points, pd.Series([1, 1, 2, 2], index=list("abcd")))
        ()
        >>> find_spread_clusters(points, pd.Series([1, 2, 2, 1], index=list("abcd")))
        ('1', '2')

    Args:
        points: of a `Map`.
        labels: the cluster of every classifier.

    Returns:
        Their labels, ascending; none if there is one cluster.
    """
    own = labels.reindex(points.index)
    if own.nunique() < 2:  # noqa: PLR2004  (one cluster fills any map)
        return ()
    largest = float(pdist(points).max())
    widths = {label: float(pdist(members).max()) for label, members in points.groupby(own) if len(members) > 1}
    return tuple(str(label) for label, width in widths.items() if width >= FAR_APART * largest)


def run_classical_mds(features: Float[np.ndarray, "row column"]) -> tuple[Float[np.ndarray, "row 2"], float]:
    """Classical multidimensional scaling of Euclidean distances: the two main axes of the centred features.

    Returns:
        The points, each axis with its largest entry positive, and the share of all squared distances that they keep.
    """
    left, lengths, _ = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    points = fix_signs(left) * lengths
    plane = np.zeros((len(features), 2))
    plane[:, : min(2, points.shape[1])] = points[:, :2]
    whole = float((lengths**2).sum())
    return plane, float((plane**2).sum() / whole) if whole > 0 else float("nan")


def _find_weights(scores: pd.DataFrame, num_features: int) -> Float[np.ndarray, " feature"]:
    """How much of the similarity each eigenvector explains; equal weights if none explains any, as with two classifiers."""
    _, found = find_matrix_spectrum(scores)
    below = np.sqrt(np.maximum(find_flat_eigenvalue(len(scores)) - found.eigenvalues[:num_features], 0))
    return below if (below > WITHOUT_GROUPS).any() else np.ones_like(below)


def _choose_perplexity(asked: float | None, num_classifiers: int) -> float:
    if num_classifiers < FEWEST_FOR_TSNE:
        msg = (
            f"a map by t-SNE needs at least {FEWEST_FOR_TSNE} classifiers: got {num_classifiers}; "
            'build a tree, or take the method "mds".'
        )
        raise InvalidValueError(msg)
    perplexity = num_classifiers**0.5 if asked is None else asked
    if not 1 <= perplexity < num_classifiers:
        msg = f"perplexity must be from 1 to below {num_classifiers}, the number of classifiers: got {perplexity:g}."
        raise InvalidValueError(msg)
    return float(perplexity)
