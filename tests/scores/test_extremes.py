"""The nearest and the farthest pair are told apart only if their intervals are."""

import numpy as np
import pytest
import xarray as xr

from tests.specimens import Array
from zooscope.scores.extremes import Extremes, describe_extremes, find_extremes

AXES = ("a", "b")


def matrix_of(score: Array, width: float | None = None) -> xr.DataArray:
    names = [f"c{number}" for number in range(len(score))]
    ends = {} if width is None else {"low": (AXES, score - width), "high": (AXES, score + width)}
    return xr.DataArray(score, dims=AXES, coords={"a": names, "b": names} | ends)


def line_of(*values: float) -> Array:
    """Four classifiers whose six pairs have these scores, in the order of the upper triangle."""
    score = np.full((4, 4), 9.0)
    score[np.triu_indices(4, 1)] = values
    score.T[np.triu_indices(4, 1)] = values
    return score


@pytest.mark.parametrize(("width", "as_near", "as_far", "apart"), [(0.1, 0, 0, True), (0.5, 1, 1, True), (2.5, 5, 5, False)])
def test_other_pairs_are_counted_whose_intervals_reach_the_ends(width: float, as_near: int, as_far: int, *, apart: bool) -> None:
    found = find_extremes(matrix_of(line_of(1, 2, 3, 4, 5, 6), width))
    assert found == Extremes(("c2", "c3"), ("c0", "c1"), 6, as_near, as_far, apart)


def test_the_diagonal_and_pairs_without_a_score_count_for_nothing() -> None:
    found = find_extremes(matrix_of(line_of(np.nan, 2, 3, 4, 5, np.nan), 0.1))
    assert found is not None
    assert (found.nearest, found.farthest, found.num_pairs) == (("c1", "c3"), ("c0", "c2"), 4)


def test_equal_scores_name_two_different_pairs_and_separate_none() -> None:
    found = find_extremes(matrix_of(line_of(*[3.0] * 6), 0))
    assert found is not None
    assert found.nearest != found.farthest
    assert (found.num_as_near, found.num_as_far, found.are_separable) == (5, 5, False)


def test_one_pair_has_no_ends() -> None:
    assert find_extremes(matrix_of(np.full((2, 2), 3.0), 1)) is None
    assert find_extremes(matrix_of(np.full((3, 3), np.nan), 1)) is None


def test_scores_without_intervals_say_nothing() -> None:
    found = find_extremes(matrix_of(line_of(1, 2, 3, 4, 5, 6)))
    assert found is not None
    assert found.num_as_near == -1
    assert describe_extremes(found, num_images=0, confidence=0.95) == ""


def test_a_sentence_says_how_many_are_not_separable() -> None:
    found = find_extremes(matrix_of(line_of(1, 2, 3, 4, 5, 6), 0.5))
    assert found is not None
    assert describe_extremes(found, num_images=20, confidence=0.9) == (
        "Of the 5 other pairs, 1 can't be told apart from the nearest and 1 from the farthest on these 20 images: "
        "their 90 % intervals overlap."
    )
    assert "5 other pairs, 1 can't be told apart from the farthest on" in describe_extremes(
        found._replace(num_as_near=0), num_images=20, confidence=0.9
    )
    alone = found._replace(num_as_near=0, num_as_far=0)
    assert describe_extremes(alone, num_images=20, confidence=0.9) == ""
