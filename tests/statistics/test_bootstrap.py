import numpy as np
import pytest
from scipy import stats

from tests.specimens import Array
from zooscope.errors import InvalidValueError
from zooscope.statistics.bootstrap import CELLS_AT_ONCE, find_percentiles, resample_shares


def simulated(count: int, num_images: int, seed: int) -> tuple[Array, Array]:
    """How many of two directions are fooled, and how many are counted (0 or 2), each (pair, image)."""
    generator = np.random.default_rng(seed)
    easy = generator.random((count, num_images)) < 0.5
    counted = generator.random((count, num_images)) < np.where(easy, 0.9, 0.6)
    both = generator.random((2, count, num_images)) < np.where(easy, 0.7, 0.05)
    return (counted * both.sum(0)).astype(np.int8), (2 * counted).astype(np.int8)


def test_one_cell_agrees_with_scipys_percentile_bootstrap_of_the_paired_ratio() -> None:
    fooled, counted = simulated(1, 300, 5)
    low, high = find_percentiles(resample_shares(fooled, counted, num_resamples=10_000), 0.95)
    reference = stats.bootstrap(
        (fooled[0], counted[0]),
        lambda numerator, denominator, axis: numerator.sum(axis=axis) / denominator.sum(axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=10_000,
        rng=np.random.default_rng(6),
    )
    # Ends of 10,000 resamples differ by about 0.02 of the width between two seeds.
    tolerance = 0.05 * (high[0] - low[0])
    assert low[0] == pytest.approx(reference.confidence_interval.low, abs=tolerance)
    assert high[0] == pytest.approx(reference.confidence_interval.high, abs=tolerance)


def test_the_seed_decides_the_draws() -> None:
    fooled, counted = simulated(3, 100, 0)
    first, again, other = (resample_shares(fooled, counted, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_all_cells_at_once_equal_one_cell_after_the_other() -> None:
    fooled, counted = simulated(CELLS_AT_ONCE + 9, 40, 0)
    together = resample_shares(fooled, counted, num_resamples=200)
    for cell in [0, 1, 2, CELLS_AT_ONCE - 1, CELLS_AT_ONCE, CELLS_AT_ONCE + 8]:
        alone = resample_shares(fooled[cell : cell + 1], counted[cell : cell + 1], num_resamples=200)
        np.testing.assert_array_equal(alone[:, 0], together[:, cell])


def test_a_cell_that_a_resample_counts_nothing_of_is_nan_there() -> None:
    counted = np.zeros((2, 3), dtype=np.int8)
    counted[0, 0] = 1
    drawn = resample_shares(counted, counted, num_resamples=200)
    assert 0 < np.isnan(drawn[:, 0]).sum() < 200
    assert np.isnan(drawn[:, 1]).all()
    low, high = find_percentiles(drawn, 0.95)
    np.testing.assert_array_equal([low, high], [[1, np.nan], [1, np.nan]])


def test_a_confidence_outside_its_range_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"confidence must be in \(0, 1\): got 95\."):
        find_percentiles(np.zeros((3, 2)), 95.0)
