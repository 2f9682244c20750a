"""Spectral features agree with scikit-learn and with closed forms, in any order of the classifiers."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse.csgraph import laplacian
from sklearn.manifold import spectral_embedding

from tests.analyses.planted import planted, reordered
from zooscope.analyses.spectral import build_adjacency, find_flat_eigenvalue, find_spectral_features, find_spectrum, fix_signs
from zooscope.errors import InvalidValueError


def weights_of(table: pd.DataFrame) -> np.ndarray:
    return build_adjacency(table.to_numpy(copy=True))


def test_weights_are_never_negative_and_nobody_is_like_himself() -> None:
    assert build_adjacency(np.array([[4.6, 2.0, -4.6], [2.0, 4.6, 0.5], [-4.6, 0.5, np.nan]])).tolist() == [
        [0, 2, 0],
        [2, 0, 0.5],
        [0, 0.5, 0],
    ]


@pytest.mark.parametrize("seed", range(3))
def test_eigenvectors_are_those_of_the_laplacian_behind_the_trivial_one(seed: int) -> None:
    weights = weights_of(planted([4, 3, 2], seed=seed))
    found = find_spectrum(weights)
    matrix = np.asarray(laplacian(weights, normed=True))
    np.testing.assert_allclose(matrix @ found.vectors, found.vectors * found.eigenvalues, atol=1e-12)
    np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(8), atol=1e-12)
    np.testing.assert_allclose(found.vectors.T @ np.sqrt(weights.sum(0)), 0, atol=1e-12)
    assert (np.diff(found.eigenvalues) >= 0).all()
    assert found.eigenvalues.mean() == pytest.approx(find_flat_eigenvalue(9))


def test_scikit_learn_finds_the_same_up_to_signs_and_degrees() -> None:
    table = planted([5, 4, 3], seed=3)
    weights = weights_of(table)
    theirs = spectral_embedding(weights, n_components=3, eigen_solver="arpack", random_state=0, drop_first=True)
    ours = find_spectral_features(table, 3).to_numpy() / np.sqrt(weights.sum(0))[:, None]
    np.testing.assert_allclose(np.abs(theirs), np.abs(ours), atol=1e-8)


def test_a_graph_in_parts_still_loses_only_the_trivial_vector() -> None:
    weights = np.kron(np.eye(3), np.ones((2, 2))) - np.eye(6)
    found = find_spectrum(weights)
    np.testing.assert_allclose(found.eigenvalues, [0, 0, 2, 2, 2], atol=1e-12)
    np.testing.assert_allclose(found.vectors.sum(0), 0, atol=1e-12)


def test_a_classifier_without_edges_stands_apart() -> None:
    weights = np.ones((4, 4)) - np.eye(4)
    weights[3] = weights[:, 3] = 0
    found = find_spectrum(weights)
    assert found.eigenvalues[0] == pytest.approx(0)
    np.testing.assert_allclose(found.vectors[:, 0], [0, 0, 0, 1], atol=1e-12)


def test_signs_are_chosen_by_the_largest_entry() -> None:
    assert fix_signs(np.array([[1.0, -1.0], [-2.0, 1.0]])).tolist() == [[-1, 1], [2, -1]]


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_features_follow_their_classifiers_in_any_order(noise: float) -> None:
    table = planted([4, 4, 4], noise=noise)
    again = reordered(table)
    features = find_spectral_features(again, 5)
    assert list(features.index) == list(again.index)
    pd.testing.assert_frame_equal(features.loc[table.index], find_spectral_features(table, 5), check_exact=True)


def test_there_are_no_more_features_than_eigenvectors() -> None:
    assert find_spectral_features(planted([2]), 10).shape == (2, 1)


def test_what_has_no_features_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="num_features must be at least 1: got 0"):
        find_spectral_features(planted([3]), 0)
    with pytest.raises(InvalidValueError, match="no two classifiers have a score above 0"):
        find_spectral_features(planted([3], within=-4.6, noise=0), 1)
