from itertools import combinations

import numpy as np
import pytest

from tests.specimens import Array
from zooscope.analyses.choosing import find_smallest_set, grow_set


def likeness(seed: int, count: int = 9) -> Array:
    values = np.random.default_rng(seed).random((count, count))
    return values + values.T


def mean_of_pairs(matrix: Array, sets: Array) -> Array:
    return np.array([np.mean([matrix[pair] for pair in combinations(row, 2)]) for row in sets.tolist()])


@pytest.mark.parametrize("size", [2, 4, 9])
def test_where_they_are_few_the_smallest_of_all_is_found(size: int) -> None:
    matrix = likeness(0)
    found = find_smallest_set(lambda sets: mean_of_pairs(matrix, sets), 9, size)
    every = list(combinations(range(9), size))
    assert found.exact
    assert found.members == min(every, key=lambda each: mean_of_pairs(matrix, np.array([each]))[0])


@pytest.mark.parametrize("seed", range(10))
def test_where_they_are_many_no_exchange_of_one_member_does_better(seed: int) -> None:
    matrix = likeness(seed)
    found = find_smallest_set(lambda sets: mean_of_pairs(matrix, sets), 9, 4, most=10)
    assert not found.exact
    reached = mean_of_pairs(matrix, np.array([found.members]))[0]
    for place in range(4):
        for other in set(range(9)) - set(found.members):
            exchanged = [*found.members[:place], other, *found.members[place + 1 :]]
            assert mean_of_pairs(matrix, np.array([exchanged]))[0] >= reached
    every = np.array(list(combinations(range(9), 4)))
    assert (mean_of_pairs(matrix, every) < reached).mean() < 0.05


def test_what_is_not_known_is_chosen_last() -> None:
    matrix = np.full((5, 5), np.nan)
    matrix[np.ix_([1, 3, 4], [1, 3, 4])] = 1.0
    assert find_smallest_set(lambda sets: mean_of_pairs(matrix, sets), 5, 3).members == (1, 3, 4)
    assert find_smallest_set(lambda sets: mean_of_pairs(matrix, sets), 5, 3, most=1).members == (1, 3, 4)


def test_all_members_can_be_asked_for_when_growing_too() -> None:
    matrix = likeness(0)
    assert grow_set(lambda sets: mean_of_pairs(matrix, sets), 9, 9, starts=[3]).members == tuple(range(9))
