import numpy as np
import pytest
from scipy import stats

from tests.specimens import Array
from zooscope.errors import InvalidValueError
from zooscope.statistics.trend import fit_point_trend, fit_trend


def symmetric(size: int, seed: int) -> Array:
    values = np.random.default_rng(seed).normal(size=(size, size))
    return values + values.T


def test_the_line_is_scipys_through_the_pairs() -> None:
    first, second = symmetric(10, 0), symmetric(10, 1)
    rows, columns = np.triu_indices(10, 1)
    expected = stats.linregress(first[rows, columns], second[rows, columns])
    found = fit_trend(first, second)
    assert (found.slope, found.intercept) == pytest.approx((expected.slope, expected.intercept))
    np.testing.assert_allclose(found.y, expected.intercept + expected.slope * found.x)
    assert (found.x[0], found.x[-1]) == (first[rows, columns].min(), first[rows, columns].max())


def test_directed_matrices_give_both_triangles() -> None:
    first, second = np.random.default_rng(0).normal(size=(2, 6, 6))
    off = ~np.eye(6, dtype=bool)
    assert fit_trend(first, second, directed=True).slope == pytest.approx(stats.linregress(first[off], second[off]).slope)


def test_the_band_holds_the_true_line_where_classifiers_have_effects_of_their_own() -> None:
    # y = 2 - x + an effect of either classifier: independent pairs would give a band of half the width.
    held = 0
    for seed in range(150):
        generator = np.random.default_rng(seed)
        first, effect = symmetric(25, 1000 + seed), generator.normal(size=25)
        found = fit_trend(first, 2 - first + effect[:, None] + effect + 0.1 * symmetric(25, seed), num_resamples=300, seed=seed)
        truth = 2 - found.x[25]
        held += bool(found.low[25] <= truth <= found.high[25])
    # The percentile bootstrap of 25 classifiers is a little narrow; a band over pairs holds the truth in about half of these.
    assert 0.8 * 150 <= held <= 0.97 * 150


@pytest.mark.parametrize(("size", "has_band"), [(3, False), (4, True), (5, True)])
def test_too_few_classifiers_have_a_line_and_no_band(size: int, *, has_band: bool) -> None:
    found = fit_trend(symmetric(size, 0), symmetric(size, 1))
    assert np.isfinite(found.low).all() == np.isfinite(found.high).all() == has_band
    assert has_band or not np.isfinite(found.low).any()


def test_exactly_linear_pairs_have_a_band_of_no_width() -> None:
    first = symmetric(6, 0)
    found = fit_trend(first, 3 * first + 1)
    np.testing.assert_allclose(found.low, 3 * found.x + 1, atol=1e-9)
    np.testing.assert_allclose(found.high, 3 * found.x + 1, atol=1e-9)


def test_unknown_pairs_are_left_out() -> None:
    first, second = symmetric(7, 0), symmetric(7, 1)
    first[0, 1] = first[1, 0] = second[2, 3] = second[3, 2] = np.nan
    rows, columns = np.triu_indices(7, 1)
    x, y = first[rows, columns], second[rows, columns]
    known = np.isfinite(x + y)
    assert fit_trend(first, second).slope == pytest.approx(stats.linregress(x[known], y[known]).slope)


@pytest.mark.parametrize("first", [np.zeros((1, 1)), symmetric(2, 0), np.ones((5, 5)), np.full((4, 4), np.nan)])
def test_without_two_different_places_there_is_no_line(first: Array) -> None:
    found = fit_trend(first, first)
    assert np.isnan([found.slope, found.intercept]).all()
    assert len(found.x) == len(found.low) == 0


def test_a_confidence_outside_its_range_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"confidence must be in \(0, 1\): got 90\."):
        fit_trend(symmetric(4, 0), symmetric(4, 1), confidence=90.0)


@pytest.mark.parametrize("count", [3, 4, 25])
def test_the_line_through_points_is_scipys_and_its_band_holds_the_true_line_as_often_as_it_says(count: int) -> None:
    held = 0
    for seed in range(400):
        x, noise = np.random.default_rng(seed).normal(size=(2, count))
        found = fit_point_trend(x, 2 - x + noise, confidence=0.8)
        held += bool(found.low[40] <= 2 - found.x[40] <= found.high[40])
        expected = stats.linregress(x, 2 - x + noise)
        assert (found.slope, found.intercept) == pytest.approx((expected.slope, expected.intercept))
    assert stats.binomtest(held, 400, 0.8).pvalue > 0.001


def test_the_band_of_the_intercept_is_scipys_standard_error() -> None:
    x, noise = np.random.default_rng(0).normal(size=(2, 9))
    x -= x.min()  # the line begins at 0, where it is the intercept
    found, expected = fit_point_trend(x, x + noise, confidence=0.9), stats.linregress(x, x + noise)
    width = stats.t.ppf(0.95, 7) * expected.intercept_stderr
    assert (found.low[0], found.high[0]) == pytest.approx((expected.intercept - width, expected.intercept + width))


def test_two_points_have_a_line_and_no_band() -> None:
    found = fit_point_trend(np.array([0.0, 2.0]), np.array([1.0, 5.0]))
    assert found.slope == pytest.approx(2)
    assert np.isnan(found.low).all()


def test_unknown_points_are_left_out_of_the_line() -> None:
    x, y = np.array([0.0, 1, 2, np.nan, 3]), np.array([1.0, 3, np.nan, 4, 7])
    assert fit_point_trend(x, y).slope == pytest.approx(2)
    assert len(fit_point_trend(x[2:4], y[2:4]).x) == 0
