"""The tree of classifiers, against its definition."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from tests.analyses.planted import groups_of, planted, reordered
from zooscope.analyses.tree import build_tree, order_by_cluster
from zooscope.errors import InvalidValueError


def test_every_fork_is_the_mean_over_all_pairs_between_its_groups_and_the_largest_left() -> None:
    table = planted([3, 2, 2], noise=0.4)
    tree = build_tree(table)
    left: set[tuple[str, ...]] = {(name,) for name in table.index}
    for fork in tree.forks:
        means = {(a, b): table.loc[list(a), list(b)].to_numpy().mean() for a in left for b in left if a != b}
        assert fork.sat == pytest.approx(max(means.values()))
        assert fork.sat == pytest.approx(means[fork.left, fork.right])
        left = left - {fork.left, fork.right} | {(*fork.left, *fork.right)}
    assert len(left) == 1


def test_planted_groups_are_joined_before_anything_else() -> None:
    sizes = (3, 2, 2)
    table = planted(sizes)
    family = dict(zip(table.index, groups_of(sizes), strict=True))
    forks = build_tree(table).forks
    within = [len({family[name] for name in (*fork.left, *fork.right)}) == 1 for fork in forks]
    assert within == [True] * 4 + [False] * 2
    places = [family[name] for name in build_tree(table).names]
    assert sum(a != b for a, b in pairwise(places)) == 2  # each group in one piece


def test_branches_end_at_leaves_or_forks() -> None:
    table = planted([3, 2, 2])
    tree = build_tree(table)
    tops = {round(fork.sat, 9) for fork in tree.forks}
    assert sorted(round(branch[1][1], 9) for branch in tree.branches) == sorted(round(fork.sat, 9) for fork in tree.forks)
    for start, one, two, end in tree.branches:
        assert one[1] == two[1]
        assert (start[0], end[0]) == (one[0], two[0])
        for place, height in (start, end):
            assert round(height, 9) in tops or (place == int(place) and height == pytest.approx(np.log(100)))


def test_the_order_of_the_classifiers_does_not_matter() -> None:
    table = planted([3, 2, 2])
    once, again = build_tree(table), build_tree(reordered(table))
    assert (once.names, once.forks, once.branches) == (again.names, again.forks, again.branches)


def test_two_classifiers_are_one_fork() -> None:
    table = pd.DataFrame([[4.6, -3.0], [-3.0, 4.6]], index=["a", "b"], columns=["a", "b"])
    (fork,) = build_tree(table).forks
    assert {*fork.left, *fork.right} == {"a", "b"}
    assert fork.sat == pytest.approx(-3)


def test_a_pair_without_a_score_is_refused() -> None:
    table = planted([3])
    table.iloc[0, 1] = table.iloc[1, 0] = np.nan
    with pytest.raises(InvalidValueError, match="have no score; measure what is missing, or leave out"):
        build_tree(table)


def test_leaves_are_ordered_so_that_neighbours_are_alike() -> None:
    # Points on a line, shuffled: the one right order is that of the line, in either direction.
    places = np.random.default_rng(0).permutation(12).astype(float)
    order, branches = order_by_cluster(4.6 - 0.1 * np.abs(places[:, None] - places[None, :]))
    ranks = rankdata(places[list(order)])
    assert list(ranks) in [sorted(ranks), sorted(ranks, reverse=True)]
    assert len(branches) == len(places) - 1


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pairs_without_scores_are_ordered_all_the_same(size: int) -> None:
    assert sorted(order_by_cluster(np.full((size, size), np.nan)).order) == list(range(size))
