import sys
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from tests.specimens import Array
from zooscope.errors import InvalidValueError
from zooscope.statistics.mantel import mantel


def symmetric(size: int, seed: int) -> Array:
    """A matrix without structure."""
    values = np.random.default_rng(seed).normal(size=(size, size))
    return values + values.T


def upper(matrix: Array) -> Array:
    rows, columns = np.triu_indices(len(matrix), 1)
    return matrix[rows, columns]


@pytest.mark.parametrize("seed", range(3))
def test_r_and_the_naive_p_are_scipys_over_the_pairs(seed: int) -> None:
    first, second = symmetric(9, seed), symmetric(9, 100 + seed)
    found, expected = mantel(first, second, num_permutations=10), stats.pearsonr(upper(first), upper(second))
    assert (found.r, found.p_naive) == pytest.approx((expected.statistic, expected.pvalue))
    assert found.num_pairs == 36


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("num_unknown", [0, 4])
def test_p_is_the_share_of_permutations_with_at_least_this_correlation_counted_one_by_one(
    *, directed: bool, num_unknown: int
) -> None:
    generator = np.random.default_rng(3)
    first, second = generator.normal(size=(2, 5, 5))
    if not directed:
        first, second = first + first.T, second + second.T
    for matrix in (first, second):
        for row, column in generator.integers(0, 5, (num_unknown, 2)):
            matrix[row, column] = np.nan
            if not directed:
                matrix[column, row] = np.nan
    cells = [(row, column) for row in range(5) for column in range(5) if row < column or (directed and row != column)]

    def correlation(order: tuple[int, ...]) -> float:
        both = np.array([(first[row, column], second[order[row], order[column]]) for row, column in cells])
        both = both[np.isfinite(both).all(1)]
        return float(np.corrcoef(both.T)[0, 1]) if len(both) > 2 else np.nan

    observed = correlation((0, 1, 2, 3, 4))
    every = np.array([correlation(order) for order in permutations(range(5))])
    found = mantel(first, second, directed=directed)
    assert found.exact
    assert found.r == pytest.approx(observed)
    assert found.p_mantel == pytest.approx((np.abs(every) >= abs(observed) - 1e-9).sum() / np.isfinite(every).sum())


def test_p_is_uniform_where_nothing_is_to_be_found() -> None:
    p = [mantel(symmetric(12, seed), symmetric(12, 1000 + seed), num_permutations=199).p_mantel for seed in range(300)]
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_p_stays_honest_where_classifiers_have_effects_of_their_own_and_the_naive_one_does_not() -> None:
    # A classifier that is near to all others has a whole row of large values: 66 pairs are no 66 independent samples.
    mantel_low = naive_low = 0
    for seed in range(200):
        effects = np.random.default_rng(seed).normal(size=(2, 12))
        first, second = (effect[:, None] + effect for effect in effects)
        found = mantel(first, second, num_permutations=199, seed=seed)
        mantel_low += found.p_mantel <= 0.05
        naive_low += found.p_naive <= 0.05
    assert mantel_low <= stats.binom.ppf(0.999, 200, 0.05)
    assert naive_low > 2 * stats.binom.ppf(0.999, 200, 0.05)


def test_a_planted_relation_is_found() -> None:
    place = np.random.default_rng(0).normal(size=20)
    distance = np.abs(place[:, None] - place)
    found = mantel(distance, -distance + 0.3 * symmetric(20, 1), num_permutations=999)
    assert found.r < -0.5
    assert found.p_mantel == 1 / 1000
    assert (found.num_permutations, found.exact) == (999, False)


def test_permuting_the_classifiers_of_both_changes_nothing_that_does_not_depend_on_the_draw() -> None:
    first, second = symmetric(6, 0), symmetric(6, 1)
    order = np.random.default_rng(2).permutation(6)
    found, permuted = mantel(first, second), mantel(first[order][:, order], second[order][:, order])
    assert found.exact
    assert permuted.r == pytest.approx(found.r)
    assert permuted.p_mantel == found.p_mantel


def test_the_diagonal_is_never_read() -> None:
    first, second = symmetric(8, 0), symmetric(8, 1)
    for directed in (False, True):
        expected = mantel(first, second, directed=directed, num_permutations=99)
        spoiled = first.copy()
        np.fill_diagonal(spoiled, 1e9)
        assert mantel(spoiled, second, directed=directed, num_permutations=99) == expected
        np.fill_diagonal(spoiled, np.nan)
        assert mantel(spoiled, second, directed=directed, num_permutations=99) == expected


def test_blocks_of_permutations_give_the_same_as_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = symmetric(6, 0), symmetric(6, 1)
    expected = mantel(first, second)
    monkeypatch.setattr(sys.modules["zooscope.statistics.mantel"], "CELLS_AT_ONCE", 40)
    assert mantel(first, second) == expected


def test_the_seed_decides_the_permutations() -> None:
    first, second = symmetric(12, 0), symmetric(12, 1)
    one, again, other = (mantel(first, second, num_permutations=500, seed=seed).p_mantel for seed in (1, 1, 2))
    assert one == again != other


@pytest.mark.parametrize("size", [0, 1, 2])
def test_too_few_classifiers_have_no_correlation(size: int) -> None:
    found = mantel(symmetric(size, 0), symmetric(size, 1))
    assert np.isnan([found.r, found.p_naive, found.p_mantel]).all()
    assert found.num_permutations == 0


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_a_constant_matrix_has_no_correlation(value: float) -> None:
    found = mantel(np.full((7, 7), value), symmetric(7, 1))
    assert np.isnan([found.r, found.p_mantel]).all()


@pytest.mark.parametrize(("first", "second"), [((3, 3), (4, 4)), ((3, 4), (3, 4))])
def test_matrices_that_do_not_fit_are_refused(first: tuple[int, int], second: tuple[int, int]) -> None:
    with pytest.raises(InvalidValueError, match=r"both matrices must be square and of the same classifiers: got \(3, .\) and"):
        mantel(np.zeros(first), np.zeros(second))


def test_at_least_one_permutation_is_needed() -> None:
    with pytest.raises(InvalidValueError, match=r"num_permutations must be at least 1: got 0\."):
        mantel(symmetric(3, 0), symmetric(3, 1), num_permutations=0)
