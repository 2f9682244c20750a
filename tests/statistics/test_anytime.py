"""Confidence sequences against closed forms, and how often they are wrong at any of many looks."""

from itertools import permutations

import numpy as np
import pytest
from scipy import optimize, stats

from tests.specimens import Array
from zooscope.errors import InvalidValueError
from zooscope.statistics.anytime import LEAST, bound_anytime, count_runs_deviation, weigh_evidence
from zooscope.statistics.bootstrap import Interval
from zooscope.statistics.shares import bound_shares

VALUES = np.array([0.0, 0.5, 1.0])
NUM_STUDIES = 400
MOST_WRONG = stats.binom.ppf(0.9995, NUM_STUDIES, 0.05)  # where exactly 5 % are wrong


def simulate(share: float, *, num_blocks: int = 20, size: int = 50, seed: int = 0) -> Array:
    """How many of each block's images are fooled in no direction, in one, in both; directions are correlated by 0.4."""
    both = share**2 + 0.4 * share * (1 - share)
    return np.random.default_rng(seed).multinomial(
        size, [1 - 2 * share + both, 2 * (share - both), both], (NUM_STUDIES, num_blocks)
    )


def find_wrong(counts: Array, share: float, *, aim: float = 0.05) -> int:
    """Of how many studies the interval at the last look, the intersection of all, doesn't hold the truth."""
    low, high = bound_anytime(counts, VALUES, aim=aim)
    return int(((low > share) | (high < share)).sum())


@pytest.mark.parametrize("aim", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.95])
def test_they_hold_the_truth_at_all_looks_at_once_as_often_as_they_say(share: float, aim: float) -> None:
    assert find_wrong(simulate(share), share, aim=aim) <= MOST_WRONG


def test_ordinary_intervals_don_t() -> None:
    counts, wrong = np.cumsum(simulate(0.3), axis=1), np.zeros(NUM_STUDIES, dtype=bool)
    for look in range(counts.shape[1]):
        images = [np.repeat([0, 1, 2], numbers) for numbers in counts[:, look]]
        low, high = bound_shares(np.array(images), np.full((NUM_STUDIES, len(images[0])), 2))
        wrong |= (low > 0.3) | (high < 0.3)
    assert wrong.sum() > 2 * MOST_WRONG


def test_they_hold_the_truth_of_stratified_images_whose_classes_differ() -> None:
    # Every block holds five images of each of ten classes; half of them are fooled nearly always, the others nearly never.
    shares, generator = np.where(np.arange(50) < 25, 0.9, 0.1), np.random.default_rng(0)
    levels = (generator.random((2, NUM_STUDIES, 20, 50)) < shares).sum(axis=0)
    assert find_wrong(np.stack([(levels == level).sum(axis=2) for level in range(3)], axis=2), 0.5) <= MOST_WRONG


@pytest.mark.parametrize(("number", "aim"), [(20, 0.05), (200, 0.05), (200, 0.005)])
def test_where_nothing_is_fooled_the_upper_end_solves_the_bet_on_zeros(number: int, aim: float) -> None:
    def capital(m: float) -> float:
        q = max(m - aim, LEAST * m)
        return float(number * np.log((1 - q) / (1 - m)) - np.log(40))

    (low,), (high,) = bound_anytime(np.array([[[number, 0, 0]]]), VALUES, aim=aim)
    assert low == 0
    assert high == pytest.approx(optimize.brentq(capital, 1e-9, 1 - 1e-9), abs=1e-9)


def test_near_the_width_aimed_at_they_take_less_than_twice_the_images_of_an_ordinary_interval() -> None:
    low, high = bound_anytime(simulate(0.3, num_blocks=40), VALUES, aim=0.025)
    variance = 0.3 * 0.7 * 1.4 / 2
    assert np.median(high - low) < 2 * 1.96 * np.sqrt(2 * variance / 2000)


def test_more_blocks_only_narrow_them_and_exchanging_zeros_and_ones_mirrors_them() -> None:
    counts = simulate(0.2)[:50]
    before = Interval(np.zeros(50), np.ones(50))
    for number in range(1, 6):
        low, high = bound_anytime(counts[:, :number], VALUES, aim=0.1)
        assert ((low >= before.low) & (high <= before.high) & (low < high)).all()
        before = Interval(low, high)
    mirrored = bound_anytime(counts[:, :5, ::-1], VALUES, aim=0.1)
    np.testing.assert_allclose(mirrored, (1 - before.high, 1 - before.low), atol=1e-9)


def test_where_nothing_is_counted_everything_is_possible() -> None:
    low, high = bound_anytime(np.zeros((1, 3, 3), dtype=np.int64), VALUES, aim=0.1)
    assert (low[0], high[0]) == pytest.approx((0, 1))


@pytest.mark.parametrize(
    ("values", "aim", "confidence", "message"),
    [
        ([0.0, 1.0], 0.5, 0.95, r"aim in \(0, 1/2\): got 0 to 1, and 0\.5"),
        ([0.0, 2.0], 0.1, 0.95, r"values must be in \[0, 1\]"),
        ([0.0, 1.0], 0.1, 1.0, r"confidence must be in \(0, 1\)"),
    ],
)
def test_what_is_out_of_range_is_refused(values: list[float], aim: float, confidence: float, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        bound_anytime(np.zeros((1, 1, 2), dtype=np.int64), np.array(values), aim=aim, confidence=confidence)


# The test of two means


def simulate_two(first: float, second: float, counted: tuple[float, float], *, num_blocks: int = 20, seed: int = 0) -> Array:
    """Joint counts of two means of the same images, of which each counts others; fooled images that they share."""
    generator, shape = np.random.default_rng(seed), (NUM_STUDIES, num_blocks, 50)
    common = generator.random(shape)
    places = []
    for share, known in zip((first, second), counted, strict=True):
        levels = (common < share).astype(int) + (generator.random(shape) < share)
        places.append(np.where(generator.random(shape) < known, levels + 1, 0))
    joint = 4 * places[0] + places[1]
    return np.stack([(joint == place).sum(axis=2) for place in range(16)], axis=2).reshape(*shape[:2], 4, 4)


@pytest.mark.parametrize(("share", "counted"), [(0.05, (0.9, 0.8)), (0.4, (0.9, 0.3)), (0.4, (0.3, 0.9)), (0.9, (0.5, 0.5))])
def test_equal_means_are_told_apart_as_rarely_as_promised_whichever_images_count(
    share: float, counted: tuple[float, float]
) -> None:
    bounds = Interval(np.full(NUM_STUDIES, max(share - 0.1, 0)), np.full(NUM_STUDIES, min(share + 0.1, 1)))
    evidence = weigh_evidence(simulate_two(share, share, counted), VALUES, bounds)
    assert (evidence >= np.log(20)).sum() <= MOST_WRONG


def test_a_larger_mean_is_found_and_a_smaller_one_is_not_taken_for_it() -> None:
    bounds = Interval(np.full(NUM_STUDIES, 0.1), np.full(NUM_STUDIES, 0.6))
    assert (weigh_evidence(simulate_two(0.5, 0.3, (0.9, 0.8)), VALUES, bounds) >= np.log(20)).mean() > 0.99
    assert (weigh_evidence(simulate_two(0.3, 0.5, (0.9, 0.8)), VALUES, bounds) >= np.log(20)).sum() == 0


# The order of labels


def test_over_all_orders_runs_deviate_by_0_on_average_and_by_1_standard_deviation() -> None:
    found = [count_runs_deviation(np.array(order)) for order in permutations([0, 0, 0, 1, 1, 2, 2])]
    assert np.mean(found) == pytest.approx(0, abs=1e-9)
    assert np.std(found) == pytest.approx(1)


def test_sorted_labels_have_far_fewer_runs_and_one_class_deviates_by_nothing() -> None:
    assert count_runs_deviation(np.repeat(np.arange(500), 4)) < -30
    assert count_runs_deviation(np.repeat([0, 1], 20)) < -5
    assert count_runs_deviation(np.zeros(9, dtype=np.int64)) == count_runs_deviation(np.arange(9)) == 0
