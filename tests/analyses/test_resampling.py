import numpy as np
import pytest

from tests.specimens import outcomes_of
from zooscope.analyses.resampling import interval_of, pair_outcomes, resampled_shares
from zooscope.errors import InvalidValueError
from zooscope.statistics.bootstrap import share_intervals


def test_its_quantiles_are_the_intervals_of_the_scores() -> None:
    generator = np.random.default_rng(0)
    counted = (2 * (generator.random((20, 80)) < 0.8)).astype(np.int8)
    fooled = np.minimum(counted, generator.integers(0, 3, (20, 80)).astype(np.int8))
    expected = share_intervals(fooled, counted, confidence=0.9, seed=3)
    np.testing.assert_allclose(interval_of(resampled_shares(fooled, counted, seed=3), 0.9), expected)


def test_what_a_pair_counts_is_what_sat_counts() -> None:
    generator = np.random.default_rng(1)
    outcomes = outcomes_of(generator.random((4, 4, 30)) < 0.4, generator.random((4, 4, 30)) < 0.8)
    fooled, counted = pair_outcomes(outcomes)
    place = 0
    for a in range(4):
        for b in range(a + 1, 4):
            both = outcomes.counted[a, b] & outcomes.counted[b, a]
            np.testing.assert_array_equal(counted[place], 2 * both)
            np.testing.assert_array_equal(fooled[place], (outcomes.fooled[a, b] * 1 + outcomes.fooled[b, a]) * both)
            place += 1
    assert place == len(fooled)


def test_a_cell_that_a_resample_counts_nothing_of_is_nan_there() -> None:
    counted = np.zeros((2, 3), dtype=np.int8)
    counted[0, 0] = 1
    drawn = resampled_shares(counted, counted, num_resamples=200)
    assert 0 < np.isnan(drawn[:, 0]).sum() < 200
    assert np.isnan(drawn[:, 1]).all()
    low, high = interval_of(drawn, 0.95)
    np.testing.assert_array_equal([low, high], [[1, np.nan], [1, np.nan]])


def test_a_confidence_outside_its_range_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"confidence must be in \(0, 1\): got 95\."):
        interval_of(np.zeros((3, 2)), 95.0)
