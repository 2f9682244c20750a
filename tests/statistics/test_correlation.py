from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from tests.specimens import Array
from zooscope.errors import InvalidValueError
from zooscope.statistics.correlation import correlate_points


def points(count: int, seed: int) -> tuple[Array, Array]:
    x, y = np.random.default_rng(seed).normal(size=(2, count))
    return x, y


@pytest.mark.parametrize("count", [3, 7, 25])
def test_r_and_p_are_those_of_a_regression_line(count: int) -> None:
    x, y = points(count, count)
    found, expected = correlate_points(x, y, num_permutations=9), stats.linregress(x, y)
    assert (found.r, found.p) == pytest.approx((expected.rvalue, expected.pvalue))
    assert found.count == count


def test_p_permuted_is_the_share_of_orders_with_at_least_this_correlation_counted_one_by_one() -> None:
    x, y = points(6, 0)
    every = [abs(np.corrcoef(x, y[list(order)])[0, 1]) for order in permutations(range(6))]
    found = correlate_points(x, y)
    assert (found.exact, found.num_permutations) == (True, 720)
    assert found.p_permuted == pytest.approx(np.mean(np.array(every) >= abs(np.corrcoef(x, y)[0, 1]) - 1e-9))


def test_drawn_orders_estimate_the_share_of_all() -> None:
    x, y = points(7, 1)
    exact, drawn = correlate_points(x, y), correlate_points(x, y, num_permutations=4000, seed=3)
    assert (exact.num_permutations, drawn.num_permutations, drawn.exact) == (5040, 4000, False)
    error = np.sqrt(exact.p_permuted * (1 - exact.p_permuted) / 4000)
    assert abs(drawn.p_permuted - exact.p_permuted) < 4 * error
    assert drawn == correlate_points(x, y, num_permutations=4000, seed=3)


def test_p_permuted_is_uniform_where_nothing_is_to_be_found() -> None:
    p = [correlate_points(*points(12, seed), num_permutations=199).p_permuted for seed in range(300)]
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_unknown_points_are_left_out() -> None:
    x, y = points(9, 0)
    assert correlate_points(np.append(x, [np.nan, 1.0]), np.append(y, [2.0, np.nan])) == correlate_points(x, y)


@pytest.mark.parametrize(
    ("x", "y"), [([1.0, 2.0], [2.0, 1.0]), ([], []), ([0.1] * 5, [1.0, 2, 3, 4, 5]), ([1.0, 2, np.nan], [1.0] * 3)]
)
def test_too_few_points_and_constants_have_no_correlation(x: list[float], y: list[float]) -> None:
    found = correlate_points(np.array(x), np.array(y))
    assert np.isnan([found.r, found.p, found.p_permuted]).all()
    assert found.num_permutations == 0


def test_at_least_one_permutation_is_needed() -> None:
    with pytest.raises(InvalidValueError, match=r"num_permutations must be at least 1: got 0\."):
        correlate_points(np.zeros(3), np.zeros(3), num_permutations=0)
