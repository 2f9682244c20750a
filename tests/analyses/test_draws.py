from collections import Counter
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.analyses.zoo import synthetic_logits
from zooscope.analyses.averaging import measure_metrics
from zooscope.analyses.draws import draw_sets, measure_ensembles_by_cluster, measure_ensembles_by_group
from zooscope.errors import InvalidValueError

CLUSTERS = ([0, 1, 2, 3], [4, 5], [6], [7, 8, 9])
CLUSTER_OF = {place: number for number, members in enumerate(CLUSTERS) for place in members}


def every(size: int, count: int) -> set[tuple[int, ...]]:
    """All sets, by looking at all."""
    return {chosen for chosen in combinations(range(10), size) if len({CLUSTER_OF[place] for place in chosen}) == count}


@pytest.mark.parametrize("size", range(1, 7))
@pytest.mark.parametrize("count", range(1, 7))
def test_where_they_are_few_all_sets_are_taken_once(size: int, count: int) -> None:
    found = draw_sets(CLUSTERS, size, count, num_draws=1000, generator=np.random.default_rng(0))
    assert found.exact
    assert [tuple(row) for row in found.members.tolist()] == sorted(every(size, count))


@pytest.mark.parametrize(("size", "count", "num_draws"), [(4, 2, 10), (5, 3, 20), (3, 3, 5), (4, 3, 50)])
def test_drawn_sets_differ_and_come_from_as_many_clusters_as_asked_for(size: int, count: int, num_draws: int) -> None:
    found = draw_sets(CLUSTERS, size, count, num_draws=num_draws, generator=np.random.default_rng(1))
    sets = {tuple(row) for row in found.members.tolist()}
    assert not found.exact
    assert len(found.members) == len(sets) == num_draws
    assert sets <= every(size, count)


@pytest.mark.parametrize(("size", "count"), [(4, 2), (5, 3)])
def test_every_set_is_as_likely_as_every_other(size: int, count: int) -> None:
    generator = np.random.default_rng(2)
    times = Counter(
        tuple(row)
        for _ in range(1200)
        for row in draw_sets(CLUSTERS, size, count, num_draws=2, generator=generator).members.tolist()
    )
    sets = every(size, count)
    assert len(sets) > 20
    assert set(times) <= sets
    assert stats.chisquare([times[each] for each in sets]).pvalue > 0.001


def test_a_large_zoo_is_drawn_from_without_counting_all_sets() -> None:
    clusters = [list(range(start, start + 7)) for start in range(0, 70, 7)]
    found = draw_sets(clusters, 10, 5, num_draws=30, generator=np.random.default_rng(0))
    assert {len({place // 7 for place in row}) for row in found.members.tolist()} == {5}


def test_the_table_holds_means_over_the_draws() -> None:
    logits = synthetic_logits(10, num_images=60)
    clusters = {name: CLUSTER_OF[place] for place, name in enumerate(logits.names)}
    table: Any = measure_ensembles_by_cluster(logits, clusters, sizes=(2, 3), num_draws=1000)
    table = table.set_index(["num_members", "num_clusters"])
    assert table.index.tolist() == [(2, 1), (2, 2), (3, 1), (3, 2), (3, 3)]
    for size, count in [(2, 1), (2, 2), (3, 1), (3, 2), (3, 3)]:
        row = table.loc[(size, count)]
        members = np.array(sorted(every(size, count)))
        ((error, err, all_wrong),) = measure_metrics(logits, [members])
        assert (row["num_draws"], row["exact"]) == (len(members), True)
        expected = [error.mean(), error.std(), err.mean(), err.std(), all_wrong.mean(), all_wrong.std()]
        assert row[["error", "error_std", "err", "err_std", "all_wrong", "all_wrong_std"]].tolist() == pytest.approx(expected)


def test_more_clusters_err_less_where_clusters_err_alike() -> None:
    logits = synthetic_logits(12, num_images=500, num_families=4, own=0.4)
    clusters = {name: place % 4 for place, name in enumerate(logits.names)}
    table: Any = measure_ensembles_by_cluster(logits, clusters, sizes=(3,))
    assert table["error"].is_monotonic_decreasing
    assert table["all_wrong"].is_monotonic_decreasing
    assert table["err"].is_monotonic_increasing


def test_the_seed_decides_the_draws() -> None:
    logits = synthetic_logits(10, num_images=60)
    clusters = {name: CLUSTER_OF[place] for place, name in enumerate(logits.names)}
    one, again, other = (measure_ensembles_by_cluster(logits, clusters, sizes=(4,), num_draws=5, seed=seed) for seed in (1, 1, 2))
    assert one.equals(again)
    assert not one.equals(other)


def test_groups_are_drawn_from_within() -> None:
    logits = synthetic_logits(7, num_images=60)
    groups = {
        "classifier 0": "seeds",
        "classifier 2": "seeds",
        "classifier 3": "seeds",
        "classifier 5": "regimes",
        "classifier 6": "regimes",
    }
    table: Any = measure_ensembles_by_group(logits, groups, sizes=(2, 3, 4)).set_index(["num_members", "group"])
    assert table.index.tolist() == [(2, "seeds"), (3, "seeds"), (2, "regimes")]
    ((error, _, _),) = measure_metrics(logits, [np.array([[0, 2], [0, 3], [2, 3]])])
    assert table["error"][2, "seeds"] == pytest.approx(error.mean())
    assert table["num_draws"].tolist() == [comb(3, 2), 1, 1]


def test_ensembles_larger_than_the_zoo_are_left_out() -> None:
    logits = synthetic_logits(3)
    table: Any = measure_ensembles_by_cluster(logits, dict.fromkeys(logits.names, 0), sizes=(2, 4))
    assert table["num_members"].tolist() == [2]


def test_a_classifier_without_a_cluster_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"classifier 1 has no cluster; give it one, or leave it out\."):
        measure_ensembles_by_cluster(synthetic_logits(2), {"classifier 0": 1}, sizes=(2,))


def test_a_zoo_without_groups_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"no classifier has a group; give one to at least two\."):
        measure_ensembles_by_group(synthetic_logits(2), {}, sizes=(2,))


@pytest.mark.parametrize(("sizes", "num_draws"), [((0, 2), 5), ((), 5), ((2,), 0)])
def test_sizes_and_draws_are_positive(sizes: tuple[int, ...], num_draws: int) -> None:
    logits = synthetic_logits(2)
    with pytest.raises(InvalidValueError, match="an ensemble needs at least one member and one draw: got sizes"):
        measure_ensembles_by_cluster(logits, dict.fromkeys(logits.names, 0), sizes=sizes, num_draws=num_draws)
