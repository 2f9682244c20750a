"""Similar classifiers are near each other on the map, wherever they stood in the matrix."""

import inspect

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from tests.analyses.planted import groups_of, planted, reordered
from zooscope.analyses.clustering import choose_num_clusters
from zooscope.analyses.mapping import METHODS, Method, find_spread_clusters, map_classifiers, run_classical_mds
from zooscope.analyses.spectral import find_flat_eigenvalue, find_matrix_spectrum
from zooscope.errors import InvalidValueError, UnknownNameError

SIZES = (8, 7, 6)


@pytest.mark.parametrize("method", METHODS)
def test_neighbours_are_of_the_same_group(method: Method) -> None:
    table = planted(SIZES)
    found = map_classifiers(table, method=method, num_features=3)
    nearest = NearestNeighbors(n_neighbors=2).fit(found.points).kneighbors(return_distance=False)[:, 0]
    assert list(found.points.index) == list(table.index)
    assert (groups_of(SIZES)[nearest] == groups_of(SIZES)).all()


@pytest.mark.parametrize("method", METHODS)
def test_classifiers_keep_their_place_in_any_order(method: Method) -> None:
    table = planted(SIZES, noise=0.4)
    again = map_classifiers(reordered(table), method=method, seed=2).points
    pd.testing.assert_frame_equal(again.loc[table.index], map_classifiers(table, method=method, seed=2).points, check_exact=True)


def test_the_seed_matters_to_t_sne_alone() -> None:
    table = planted(SIZES, noise=0.4)
    assert map_classifiers(table, method="mds", seed=0).points.equals(map_classifiers(table, method="mds", seed=1).points)
    assert map_classifiers(table, seed=0).points.equals(map_classifiers(table, seed=0).points)


@given(seed=st.integers(0, 1000), shape=st.tuples(st.integers(3, 12), st.integers(2, 6)))
def test_classical_mds_is_the_eigenvectors_of_the_doubly_centred_distances(seed: int, shape: tuple[int, int]) -> None:
    features = np.random.default_rng(seed).normal(size=shape)
    centre = np.eye(shape[0]) - 1 / shape[0]
    values, vectors = np.linalg.eigh(-0.5 * centre @ squareform(pdist(features)) ** 2 @ centre)
    expected = vectors[:, :-3:-1] * np.sqrt(values[:-3:-1].clip(0))
    points, shown = run_classical_mds(features)
    np.testing.assert_allclose(np.abs(points), np.abs(expected), atol=1e-8)
    assert shown == pytest.approx(values[-2:].sum() / values.sum())
    np.testing.assert_allclose(np.abs(points), np.abs(PCA(2).fit_transform(features)), atol=1e-8)


def test_mds_scales_eigenvectors_by_what_they_tell() -> None:
    table = planted(SIZES)
    names, found = find_matrix_spectrum(table)
    weights = np.sqrt(np.maximum(find_flat_eigenvalue(len(names)) - found.eigenvalues, 0))
    expected, shown = run_classical_mds(found.vectors * weights)
    mapped = map_classifiers(table, method="mds", num_features=100)
    np.testing.assert_allclose(mapped.points.loc[list(names)], expected)
    assert mapped.shown == pytest.approx(shown)
    assert mapped.shown > 0.7  # two directions tell three groups apart
    assert mapped.num_features == len(names) - 1


def test_a_line_has_no_second_axis() -> None:
    points, shown = run_classical_mds(np.array([[0.0], [1.0], [5.0]]))
    np.testing.assert_allclose(points, [[-2, 0], [-1, 0], [3, 0]], atol=1e-12)
    assert shown == pytest.approx(1)
    assert np.isnan(run_classical_mds(np.ones((3, 2)))[1])


def test_two_classifiers_are_two_points() -> None:
    points = map_classifiers(planted([2]), method="mds").points
    assert points["x"].tolist()[0] == pytest.approx(-points["x"].tolist()[1])
    assert points["x"].iloc[0] != 0
    assert points["y"].tolist() == [0, 0]


def test_eight_classifiers_are_enough_for_t_sne() -> None:
    found = map_classifiers(planted([4, 4]))
    assert found.perplexity == pytest.approx(8**0.5)
    assert np.isfinite(found.points).all(axis=None)
    with pytest.raises(
        InvalidValueError, match=r't-SNE needs at least 8 classifiers: got 7; build a tree, or take the method "mds"'
    ):
        map_classifiers(planted([4, 3]))


def test_directions_that_separate_groups_are_counted() -> None:
    for sizes in ([2], [2, 1], [3, 2, 2]):
        table = planted(sizes)
        names, found = find_matrix_spectrum(table)
        separate = int((found.eigenvalues < find_flat_eigenvalue(len(names)) - 1e-9).sum())
        mapped = map_classifiers(table, method="mds")
        assert mapped.num_kept == (separate or mapped.num_features)
        if mapped.num_kept <= 2:
            assert mapped.shown == pytest.approx(1)  # of what was kept, so it says nothing


def test_members_at_opposite_ends_are_found() -> None:
    names = list("abcdef")
    points = pd.DataFrame({"x": [0.0, 1, 2, 8, 9, 10], "y": 0.0}, index=names)
    assert find_spread_clusters(points, pd.Series([1, 1, 1, 2, 2, 2], index=names)) == ()
    assert find_spread_clusters(points, pd.Series([1, 1, 2, 2, 2, 1], index=names)) == ("1",)
    assert find_spread_clusters(points, pd.Series(1, index=names)) == ()
    assert find_spread_clusters(points, pd.Series(range(6), index=names)) == ()
    assert find_spread_clusters(map_classifiers(planted([5, 4]), method="mds").points, pd.Series(dtype=int)) == ()


@pytest.mark.parametrize("perplexity", [0.5, 21])
def test_a_perplexity_that_can_not_be_is_refused(perplexity: float) -> None:
    with pytest.raises(
        InvalidValueError, match=f"perplexity must be from 1 to below 21, the number of classifiers: got {perplexity:g}"
    ):
        map_classifiers(planted(SIZES), perplexity=perplexity)


def test_a_method_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown method 'umap'. Maps are drawn by tsne or mds"):
        inspect.unwrap(map_classifiers)(planted(SIZES), method="umap")  # past the tests' type checker


def test_equal_scores_have_no_map() -> None:
    with pytest.raises(InvalidValueError, match="all pairs have the same score"):
        map_classifiers(planted([5], noise=0))


def test_a_map_takes_as_many_features_as_there_are_clusters_and_all_of_them_for_mds() -> None:
    three_groups, no_group = planted([5, 5, 5]), planted([4, 4], within=3, between=3)
    assert map_classifiers(three_groups).num_features == choose_num_clusters(three_groups) == 3
    assert map_classifiers(no_group).num_features == max(choose_num_clusters(no_group), 2)
    assert map_classifiers(three_groups, method="mds").num_features == 14
