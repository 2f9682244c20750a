"""Classifiers as points: the eigenvectors of the graph that connects similar classifiers."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.sparse.csgraph import laplacian

from zooscope.analyses.matrix import Matrix, find_order, keep_complete, make_square
from zooscope.errors import InvalidValueError

BEYOND: Final = 3.0  # eigenvalues of the normalised Laplacian end at 2
SAME: Final = 1e-9  # eigenvalues and objectives of sums of squares that differ by less are the same
FEW: Final = 8  # classifiers below which as many eigenvectors as clusters are nearly all there are, those without meaning included


class Spectrum(NamedTuple):
    """Eigenvectors of the symmetric normalised Laplacian after the trivial one.

    Attributes:
        eigenvalues: ascending, one fewer than there are classifiers.
        vectors: of length one, in columns.
    """

    eigenvalues: Float[np.ndarray, " vector"]
    vectors: Float[np.ndarray, "classifier vector"]


def build_adjacency(scores: Float[np.ndarray, "a b"]) -> Float[np.ndarray, "a b"]:
    """Weights of the graph's edges: SAT (natural log), with 0 on the diagonal and instead of negative values.

    Weights can't be negative, but SAT is negative if less than one image in a hundred is fooled; such classifiers are not
    connected. In the paper's matrix all scores are between 1.8 and 4.2, so none is cut.
    """
    weights = np.maximum(scores, 0)
    np.fill_diagonal(weights, 0)
    return np.asarray(weights)


def find_spectrum(weights: Float[np.ndarray, "a b"]) -> Spectrum:
    """All eigenvectors of I - D^(-1/2) A D^(-1/2) but the trivial one, D^(1/2) 1, whose eigenvalue is 0.

    The trivial one is shifted to a large eigenvalue instead of dropping the first: in a disconnected graph 0 has several
    eigenvectors, and a solver mixes them. The sign of each vector is fixed: its largest entry is positive. A classifier without
    edges has an eigenvector of its own, with eigenvalue 0.

    Args:
        weights: symmetric, not negative, 0 on the diagonal.
    """
    normalized, scale = laplacian(weights, normed=True, return_diag=True)
    trivial = np.where(weights.any(axis=1), scale, 0.0)
    trivial /= max(float(np.linalg.norm(trivial)), np.finfo(np.float64).tiny)
    values, vectors = np.linalg.eigh(np.asarray(normalized) + BEYOND * np.outer(trivial, trivial))
    return Spectrum(values[:-1], fix_signs(vectors[:, :-1]))


def find_flat_eigenvalue(num_classifiers: int) -> float:
    """N / (N - 1): every eigenvalue but the trivial one if all pairs have the same score, and their mean for any scores."""
    return num_classifiers / (num_classifiers - 1)


def take_group_vectors(found: Spectrum, num_clusters: int) -> Float[np.ndarray, "classifier vector"]:
    """As many first eigenvectors as there are clusters; of fewer than eight classifiers, only those that show groups.

    Those have eigenvalues below N / (N - 1). With three classifiers and two clusters there is one of them: the other eigenvector,
    which K-means would count as much, separates the most similar pair.
    """
    num_classifiers = len(found.vectors)
    if num_classifiers >= FEW:
        return found.vectors[:, :num_clusters]
    num_telling = int((found.eigenvalues < find_flat_eigenvalue(num_classifiers) - SAME).sum())
    return found.vectors[:, : min(num_clusters, max(num_telling, 1))]


def fix_signs(vectors: Float[np.ndarray, "row column"]) -> Float[np.ndarray, "row column"]:
    """The same columns or their negatives: the largest entry of each (of equally large ones, the first) is positive."""
    size = np.abs(vectors)
    largest = (size > size.max(axis=0, initial=0) - 1e-9).argmax(axis=0)  # equal entries differ by rounding errors
    return vectors * np.where(np.take_along_axis(vectors, largest[None], axis=0) < 0, -1.0, 1.0)


def find_matrix_spectrum(matrix: Matrix) -> tuple[tuple[str, ...], Spectrum]:
    """The spectrum of a matrix of SAT, and the names of its rows in alphabetical order.

    Raises:
        InvalidValueError: the matrix is not square, symmetric and complete, or holds no score above 0.
    """
    scores = keep_complete(make_square(matrix))
    weights = build_adjacency(scores.to_numpy(copy=True))
    if not np.nan_to_num(weights).any():
        msg = "no two classifiers have a score above 0 (one image in a hundred), so there is no similarity to analyse."
        raise InvalidValueError(msg)
    return tuple(scores.index), find_spectrum(weights)


def find_spectral_features(matrix: Matrix, num_features: int = 10) -> pd.DataFrame:
    """Each classifier's entries in the first eigenvectors after the trivial one, ascending by eigenvalue; not normalised by row.

    Source: Hwang et al., ECCV 2024, Section 4.1 and Appendix C: the "K largest eigenvectors" of the normalised Laplacian of SAT,
    after Ng, Jordan and Weiss (2001). Theirs are the K largest of D^(-1/2) A D^(-1/2): those of the smallest eigenvalues of the
    Laplacian I - D^(-1/2) A D^(-1/2). Ng et al. keep the trivial one and scale rows to length one. Here both are left out: the
    trivial one is nearly constant and separates nothing, and scaling a row loses the classifier's distance from the centre.

    Example:
        >>> import numpy as np, pandas as pd
        >>> names = ["cnn", "cnn, seed 1", "vit", "vit, seed 1"]
        >>> sat = pd.DataFrame(np.kron([[4, 2], [2, 4]], np.ones((2, 2))), index=names, columns=names)
        >>> find_spectral_features(sat, 1)[0].round(3).tolist()
        [0.5, 0.5, -0.5, -0.5]

    Args:
        matrix: SAT of all pairs (natural log); symmetric; the diagonal is not read.
        num_features: number of eigenvectors; all if there are fewer.

    Returns:
        A row per classifier, in the order of the matrix; columns 0, 1, ...

    Raises:
        InvalidValueError: the matrix is not square, symmetric and complete, or holds no score above 0; or num_features is not
            positive.
    """
    if num_features < 1:
        msg = f"num_features must be at least 1: got {num_features}."
        raise InvalidValueError(msg)
    names, found = find_matrix_spectrum(matrix)
    table = pd.DataFrame(found.vectors[:, :num_features], index=pd.Index(names, name="name"))
    return table.loc[find_order(matrix)]
