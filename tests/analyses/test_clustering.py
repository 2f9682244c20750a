"""Planted groups are found, whatever the order of the classifiers, and how sure K-means is is told."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from tests.analyses.planted import groups_of, planted, reordered
from zooscope.analyses.clustering import (
    assign_clusters,
    choose_by_gap,
    choose_num_clusters,
    find_clusters,
    find_eigengaps,
    find_group_gaps,
    find_partition,
    list_members,
    number_clusters,
    run_k_means,
)
from zooscope.analyses.spectral import Spectrum, find_spectral_features
from zooscope.errors import InvalidValueError


@pytest.mark.parametrize("sizes", [(5, 5, 5), (9, 6, 4, 3), (12, 10, 9, 8, 7, 6, 5, 5, 4, 3)])
@pytest.mark.parametrize("seed", range(3))
def test_planted_groups_are_found(sizes: tuple[int, ...], seed: int) -> None:
    table = planted(sizes, seed=seed)
    found = find_clusters(table, len(sizes))
    assert adjusted_rand_score(groups_of(sizes), found.labels.loc[table.index]) == 1
    assert [len(names) for names in found.members.values()] == sorted(sizes, reverse=True)
    assert found.times_met >= 10


@pytest.mark.parametrize("sizes", [(5, 5), (5, 5, 5), (9, 6, 4, 3)])
@pytest.mark.parametrize("seed", range(3))
def test_the_eigengap_finds_their_number(sizes: tuple[int, ...], seed: int) -> None:
    found = find_clusters(planted(sizes, seed=seed), "auto")
    assert found.by_eigengap
    assert found.num_clusters == len(sizes)


def test_groups_of_the_same_kind_without_noise_are_found_too() -> None:
    table = planted([4, 4, 4], noise=0)
    assert adjusted_rand_score(groups_of([4, 4, 4]), find_clusters(table, 3).labels.loc[table.index]) == 1


@settings(max_examples=10)
@given(seed=st.integers(0, 2**16), num_clusters=st.sampled_from([1, 2, 4, None]))
def test_classifiers_keep_their_cluster_in_any_order(seed: int, num_clusters: int | None) -> None:
    table = planted([4, 3, 2], noise=0.6, seed=seed % 7)
    first, again = find_clusters(table, num_clusters, seed=3), find_clusters(reordered(table, seed), num_clusters, seed=3)
    assert first.labels.to_dict() == again.labels.to_dict()
    assert (first.objective, first.restarts, first.times_met) == (again.objective, again.restarts, again.times_met)
    pd.testing.assert_frame_equal(first.find_distances(), again.find_distances(), check_exact=True)


def test_the_objective_is_that_of_scikit_learn_with_many_starts() -> None:
    table = planted([6, 5, 4], noise=0.8, seed=2)
    found = find_clusters(table, 4)
    features = find_spectral_features(table, 4)
    assert found.objective == pytest.approx(KMeans(4, n_init=500, tol=0, random_state=1).fit(features).inertia_)
    centres = features.groupby(found.labels).transform("mean")
    assert found.objective == pytest.approx(float(((features - centres) ** 2).sum().sum()))


def test_starts_go_on_until_the_best_was_met_again() -> None:
    points = np.random.default_rng(0).normal(size=(30, 2))
    found = find_partition(points, 6, seed=0)
    starts = np.random.default_rng(0).integers(2**31, size=found.restarts).tolist()
    objectives = [run_k_means(points, 6, random_state=start)[1] for start in starts]
    assert found.restarts > 100
    assert found.times_met == sum(np.isclose(objectives, min(objectives), rtol=0, atol=1e-9)) == 10
    assert found.objective == pytest.approx(min(objectives))


def test_numbers_go_by_size_then_by_name() -> None:
    labels = number_clusters(["d", "a", "c", "b", "e"], [7, 5, 5, 2, 7])
    assert labels.to_dict() == {"d": 2, "a": 1, "c": 1, "b": 3, "e": 2}
    assert list_members(labels) == {1: ("a", "c"), 2: ("d", "e"), 3: ("b",)}


def test_gaps_are_between_neighbouring_eigenvalues() -> None:
    gaps = find_eigengaps(Spectrum(np.array([0.5, 0.6, 1.3, 1.35, 1.9]), np.eye(6)[:, :5]))
    assert gaps["eigenvalue"].tolist() == [0, 0.5, 0.6, 1.3, 1.35, 1.9]
    np.testing.assert_allclose(gaps["gap"], [0.5, 0.1, 0.7, 0.05, 0.55, np.nan])
    assert choose_by_gap(gaps, 6) == 3
    assert list(find_group_gaps(gaps, 6).index) == [2, 3]  # behind an eigenvalue below 6 / 5


def test_distances_are_those_of_the_features() -> None:
    found = find_clusters(planted([3, 2]), 2)
    a, b = found.order[0], found.order[-1]
    expected = np.linalg.norm(found.features.loc[a] - found.features.loc[b])
    assert found.find_distances()[a][b] == found.find_distances()[b][a] == pytest.approx(expected)
    assert found.labels[a] == 1
    assert found.labels[b] == 2


@settings(max_examples=10)
@given(scores=st.lists(st.floats(1, 4.6), min_size=3, max_size=3, unique=True))
def test_the_two_most_similar_of_three_classifiers_are_together(scores: list[float]) -> None:
    table = pd.DataFrame(np.full((3, 3), 4.6), index=list("abc"), columns=list("abc"))
    pairs = [("a", "b"), ("b", "c"), ("a", "c")]
    for (one, other), score in zip(pairs, scores, strict=True):
        table.loc[one, other] = table.loc[other, one] = score
    first, second, third = sorted(scores)
    if min(third - second, second - first) > 0.01:
        assert find_clusters(table, 2).members[1] == max(zip(scores, pairs, strict=True))[1]


def test_two_classifiers_are_two_clusters_or_one() -> None:
    table = planted([2])
    assert find_clusters(table, 2).labels.tolist() == ([1, 2] if table.index[0] < table.index[1] else [2, 1])
    assert find_clusters(table, 1).labels.tolist() == [1, 1]
    assert find_clusters(table, "auto").labels.tolist() == [1, 1]


def test_more_clusters_than_different_classifiers_stay_empty() -> None:
    labels, objective = run_k_means(np.repeat(np.eye(2), 3, axis=0), 4, random_state=0)
    assert len(set(labels)) == 2
    assert objective == 0


@pytest.mark.parametrize("count", [0, 6])
def test_a_number_of_clusters_that_can_not_be_is_refused(count: int) -> None:
    with pytest.raises(InvalidValueError, match=f"num_clusters must be from 1 to 5, the number of classifiers: got {count}"):
        find_clusters(planted([5]), count)


def test_equal_scores_tell_no_groups_apart() -> None:
    table = planted([5], noise=0)
    with pytest.raises(InvalidValueError, match=r"all pairs have the same score, 3.8, so there are no groups"):
        find_clusters(table, 2)
    assert set(find_clusters(table, "auto").labels) == {1}
    assert sorted(find_clusters(table, 5).labels) == [1, 2, 3, 4, 5]


def test_a_pair_without_score_is_refused() -> None:
    table = planted([4])
    table.iloc[0, 1] = table.iloc[1, 0] = np.nan
    with pytest.raises(InvalidValueError, match="have no score; measure what is missing, or leave out"):
        find_clusters(table, 2)


@pytest.mark.parametrize(("sizes", "expected"), [((7, 6, 6), 3), ((7, 7, 6), 10)])
def test_there_are_ten_clusters_from_twenty_classifiers_on_and_fewer_follow_the_eigengap(
    sizes: tuple[int, ...], expected: int
) -> None:
    table = planted(sizes)
    found = find_clusters(table)
    assert found.num_clusters == choose_num_clusters(table) == expected
    assert found.by_eigengap == (expected != 10)


def test_clusters_that_can_not_be_made_are_done_without_unless_asked_for() -> None:
    nothing = planted([3], within=-1, noise=0)
    assert assign_clusters(nothing).clusters == {}
    assert assign_clusters(nothing).missing.startswith("no two classifiers have a score above 0")
    with pytest.raises(InvalidValueError, match="no two classifiers have a score above 0"):
        assign_clusters(nothing, 2)
    assert assign_clusters(planted([4, 3]), 2).clusters == find_clusters(planted([4, 3]), 2).labels.to_dict()
