"""Which pairs and nearest neighbours are known well enough, whenever one looks."""

import numpy as np
import pytest
from scipy import stats

from tests.specimens import Array
from zooscope.scores.anytime import VALUES, bound_percent_anytime, find_certain_nearest
from zooscope.scores.outcomes import Outcomes
from zooscope.scores.sat import sat
from zooscope.statistics.anytime import bound_anytime

NAMES = ("a", "b", "c", "d")
SHARDS = tuple(range(start, start + 100) for start in range(0, 400, 100))


def simulate(rates: Array, seed: int = 0, *, right: float = 0.8) -> Outcomes:
    """Classifiers that fool each other at these rates on 400 images, of which each gets others right."""
    generator = np.random.default_rng(seed)
    correct = generator.random((4, 400)) < right
    counted = correct[:, None] & correct[None]
    return Outcomes.from_flags(NAMES, counted=counted, fooled=counted & (generator.random((4, 4, 400)) < rates[..., None]))


EQUAL = np.full((4, 4), 0.4)
PAIRED = np.kron(np.eye(2), np.full((2, 2), 0.6)) + 0.2


def test_intervals_are_those_of_the_images_that_a_pair_counts_in_percent() -> None:
    outcomes = simulate(PAIRED)
    low, high = bound_percent_anytime(outcomes, SHARDS, points=10)
    pairs = outcomes.take_pairs(np.array([1]), np.array([2]))
    counts = np.array([[[(pairs.fooled[0, s][pairs.counted[0, s] > 0] == n).sum() for n in range(3)] for s in map(list, SHARDS)]])
    expected = bound_anytime(counts, VALUES, aim=0.05)
    assert (low[1, 2], high[2, 1]) == pytest.approx((100 * expected.low[0], 100 * expected.high[0]))
    percent = sat(outcomes).percent
    upper = np.triu_indices(4, 1)
    assert ((low < percent) & (percent < high))[upper].all()
    assert (high - low)[upper].max() < 20


@pytest.mark.parametrize("order", [(2, 0, 3, 1), (3, 2, 1, 0)])
def test_another_order_of_classifiers_permutes_the_result(order: tuple[int, ...]) -> None:
    outcomes, places = simulate(np.triu(PAIRED) / 2 + np.tril(PAIRED)), np.array(order)
    turned = outcomes.take_classifiers(places)
    here, there = (bound_percent_anytime(one, SHARDS, points=10) for one in (outcomes, turned))
    np.testing.assert_array_equal(there.low, here.low[np.ix_(places, places)])
    np.testing.assert_array_equal(find_certain_nearest(turned, SHARDS), find_certain_nearest(outcomes, SHARDS)[places])


def test_images_of_later_shards_don_t_count() -> None:
    outcomes = simulate(PAIRED)
    few, first = SHARDS[:2], outcomes.take_images(np.arange(200))
    np.testing.assert_array_equal(bound_percent_anytime(outcomes, few, points=10), bound_percent_anytime(first, few, points=10))
    np.testing.assert_array_equal(find_certain_nearest(outcomes, few), find_certain_nearest(first, few))


def test_a_nearest_that_is_much_nearer_is_certain_and_it_takes_some_images() -> None:
    outcomes = simulate(PAIRED)
    assert find_certain_nearest(outcomes, SHARDS).all()
    assert not find_certain_nearest(outcomes, [range(10)]).any()


def test_equally_near_ones_are_hardly_ever_told_apart_though_one_looks_after_every_shard() -> None:
    wrong = 0
    for seed in range(24):
        outcomes = simulate(EQUAL, seed)
        wrong += any(find_certain_nearest(outcomes, SHARDS[:look], confidence=0.8).any() for look in (2, 3, 4))
    assert wrong <= stats.binom.ppf(0.9995, 24, 0.2)


def test_of_two_classifiers_each_is_the_nearest_of_the_other_once_an_image_counts() -> None:
    outcomes = simulate(EQUAL).take_classifiers(np.array([0, 1]))
    assert find_certain_nearest(outcomes, SHARDS[:1]).all()


def test_where_a_pair_counts_no_image_nothing_is_known() -> None:
    outcomes = simulate(PAIRED)
    outcomes.predicted[0, 1] = -1
    low, high = bound_percent_anytime(outcomes, SHARDS, points=10)
    assert (low[0, 1], high[0, 1]) == pytest.approx((0, 100))
    assert find_certain_nearest(outcomes, SHARDS).tolist() == [False, False, True, True]
