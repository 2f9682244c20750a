import numpy as np
import pytest
from scipy import stats

from tests.specimens import Array, outcomes_of
from zooscope.errors import InvalidValueError
from zooscope.scores.sat import bootstrap_sat
from zooscope.statistics.bootstrap import CELLS_AT_ONCE, bootstrap_shares, find_percentiles, resample_shares

NUM_DATA_SETS = 400
# How many of 400 intervals of exactly 95 % hold the truth, but for one experiment in a thousand.
FEWEST, MOST = (float(stats.binom.ppf(share, NUM_DATA_SETS, 0.95)) for share in (0.0005, 0.9995))


def simulated(count: int, num_images: int, seed: int) -> tuple[Array, Array]:
    """Both directions of `count` pairs: an image easy to fool one way is easy to fool the other way, too, and counts more often.

    Returns:
        How many of two directions are fooled, and how many are counted (0 or 2), each (pair, image). The truth is `TRUE_SHARE`.
    """
    generator = np.random.default_rng(seed)
    easy = generator.random((count, num_images)) < 0.5
    counted = generator.random((count, num_images)) < np.where(easy, 0.9, 0.6)
    both = generator.random((2, count, num_images)) < np.where(easy, 0.7, 0.05)
    return (counted * both.sum(0)).astype(np.int8), (2 * counted).astype(np.int8)


TRUE_SHARE = (0.5 * 0.9 * 0.7 + 0.5 * 0.6 * 0.05) / (0.5 * 0.9 + 0.5 * 0.6)


def test_intervals_cover_the_truth_of_a_single_direction_as_often_as_they_say() -> None:
    generator = np.random.default_rng(1)
    held = 0
    for seed in range(NUM_DATA_SETS // 20):
        counted = generator.random((20, 200)) < 0.8
        low, high = bootstrap_shares(
            (counted & (generator.random((20, 200)) < 0.3)).astype(np.int8), counted.astype(np.int8), seed=seed
        )
        held += int(((low <= 0.3) & (high >= 0.3)).sum())
    assert FEWEST <= held <= MOST


def test_intervals_cover_the_truth_of_two_correlated_directions_and_single_outcomes_would_not() -> None:
    held = held_by_single_outcomes = 0
    for seed in range(NUM_DATA_SETS // 20):
        fooled, counted = simulated(20, 200, seed)
        low, high = bootstrap_shares(fooled, counted, seed=seed)
        held += int(((low <= TRUE_SHARE) & (high >= TRUE_SHARE)).sum())
        share = fooled.sum(1) / counted.sum(1)
        half = 1.96 * np.sqrt(share * (1 - share) / counted.sum(1))
        held_by_single_outcomes += int((np.abs(share - TRUE_SHARE) <= half).sum())
    assert FEWEST <= held <= MOST
    assert held_by_single_outcomes < FEWEST


def test_intervals_of_sat_cover_the_true_scores_of_simulated_studies() -> None:
    # Three classifiers; every image has a difficulty that all outcomes share, so pairs and directions are correlated. Ten studies
    # of three classifiers are scored as one of thirty, of which the pairs within a study are looked at.
    strength = np.array([[1.0, 0.3, 0.5], [0.5, 0.9, 0.2], [0.7, 0.4, 1.0]])
    share = strength * (0.9 + 0.4) / 2
    truth, together = np.log(50 * (share + share.T)), 10
    held = np.zeros((3, 3))
    for seed in range(NUM_DATA_SETS // together):
        generator = np.random.default_rng(seed)
        difficulty = np.where(generator.random((together, 300)) < 0.5, 0.9, 0.4).repeat(3, axis=0)
        fooled = (
            generator.random((3 * together, 3 * together, 300)) < np.tile(strength, (together, together))[..., None] * difficulty
        )
        low, high = bootstrap_sat(outcomes_of(fooled), seed=seed)
        inside = (low <= np.tile(truth, (together, together))) & (np.tile(truth, (together, together)) <= high)
        held += sum(inside[first : first + 3, first : first + 3] for first in range(0, 3 * together, 3))
    assert (held >= FEWEST).all()
    assert (held <= MOST).all()


def test_one_cell_agrees_with_scipys_percentile_bootstrap_of_the_paired_ratio() -> None:
    fooled, counted = simulated(1, 300, 5)
    low, high = bootstrap_shares(fooled, counted, num_resamples=10_000)
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
    first, again, other = (bootstrap_shares(fooled, counted, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_all_cells_at_once_equal_one_cell_after_the_other() -> None:
    fooled, counted = simulated(CELLS_AT_ONCE + 9, 40, 0)
    together = bootstrap_shares(fooled, counted, num_resamples=200)
    for cell in [0, 1, 2, CELLS_AT_ONCE - 1, CELLS_AT_ONCE, CELLS_AT_ONCE + 8]:
        alone = bootstrap_shares(fooled[cell : cell + 1], counted[cell : cell + 1], num_resamples=200)
        np.testing.assert_array_equal(np.ravel(alone), (together.low[cell], together.high[cell]))


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize("num_counted", [1, 7, 120])
@pytest.mark.parametrize("per_image", [1, 2])
def test_where_none_or_all_are_fooled_the_ends_are_those_of_clopper_and_pearson(
    confidence: float, num_counted: int, per_image: int
) -> None:
    counted = np.zeros((2, 120), dtype=np.int8)
    counted[:, :num_counted] = per_image
    fooled = counted * np.array([[0], [1]], dtype=np.int8)
    low, high = bootstrap_shares(fooled, counted, confidence=confidence)
    for cell, successes in enumerate((0, num_counted)):
        exact = stats.binomtest(successes, num_counted).proportion_ci(confidence, method="exact")
        assert (low[cell], high[cell]) == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_a_cell_without_a_counted_image_is_nan_and_disturbs_no_other() -> None:
    fooled, counted = simulated(3, 60, 0)
    expected = bootstrap_shares(fooled, counted)
    fooled[1], counted[1] = 0, 0
    low, high = bootstrap_shares(fooled, counted)
    np.testing.assert_array_equal(low, [expected.low[0], np.nan, expected.low[2]])
    np.testing.assert_array_equal(high, [expected.high[0], np.nan, expected.high[2]])


@pytest.mark.parametrize(
    ("confidence", "message"),
    [
        (95.0, r"confidence must be in \(0, 1\): got 95\. For 95 % write 0\.95\."),
        (0.0, r"confidence must be in \(0, 1\): got 0\.$"),
        (1.0, r"confidence must be in \(0, 1\): got 1\.$"),
        (float("nan"), r"confidence must be in \(0, 1\): got nan\.$"),
    ],
)
def test_a_confidence_outside_its_range_is_refused(confidence: float, message: str) -> None:
    fooled, counted = simulated(1, 10, 0)
    with pytest.raises(InvalidValueError, match=message):
        bootstrap_shares(fooled, counted, confidence=confidence)


def test_quantiles_of_the_resamples_are_the_intervals() -> None:
    generator = np.random.default_rng(0)
    counted = (2 * (generator.random((20, 80)) < 0.8)).astype(np.int8)
    fooled = np.minimum(counted, generator.integers(0, 3, (20, 80)).astype(np.int8))
    expected = bootstrap_shares(fooled, counted, confidence=0.9, seed=3)
    np.testing.assert_allclose(find_percentiles(resample_shares(fooled, counted, seed=3), 0.9), expected)


def test_a_cell_that_a_resample_counts_nothing_of_is_nan_there() -> None:
    counted = np.zeros((2, 3), dtype=np.int8)
    counted[0, 0] = 1
    drawn = resample_shares(counted, counted, num_resamples=200)
    assert 0 < np.isnan(drawn[:, 0]).sum() < 200
    assert np.isnan(drawn[:, 1]).all()
    low, high = find_percentiles(drawn, 0.95)
    np.testing.assert_array_equal([low, high], [[1, np.nan], [1, np.nan]])


def test_a_confidence_outside_its_range_is_refused_for_draws_too() -> None:
    with pytest.raises(InvalidValueError, match=r"confidence must be in \(0, 1\): got 95\."):
        find_percentiles(np.zeros((3, 2)), 95.0)
