"""Intervals of differences and means against closed forms, and how often they hold the truth."""

from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

from tests.specimens import Array
from zooscope.errors import InvalidValueError
from zooscope.statistics.bootstrap import find_percentiles, resample_shares
from zooscope.statistics.combinations import Combined, Scale, bound_combinations
from zooscope.statistics.shares import bound_shares


class Counts(NamedTuple):
    """What is fooled and counted of several cells, each (cell, image)."""

    fooled: Array
    counted: Array


def subtract(first: Counts, second: Counts, *, scale: Scale = lambda share: share, confidence: float = 0.95) -> Combined:
    """Differences of the first cell of both, of the second cell of both, and so on."""
    size = len(first.fooled)
    fooled, counted = (np.concatenate(both) for both in zip(first, second, strict=True))
    return bound_combinations(fooled, counted, np.hstack([np.eye(size), -np.eye(size)]), scale=scale, confidence=confidence)


def take_log(share: Array) -> Array:
    return np.asarray(np.log(np.maximum(share, 1e-4)))


def simulate(num_cells: int, num_images: int, shares: tuple[float, float], *, effect: float, seed: int) -> tuple[Counts, Counts]:
    """Two pairs of classifiers on the same images, which have an effect on both directions of both pairs."""
    generator = np.random.default_rng(seed)
    common = generator.normal(size=(num_cells, num_images))
    pairs = []
    for share in shares:
        own = generator.normal(size=(2, num_cells, num_images))
        fooled = np.sqrt(effect) * common + np.sqrt(1 - effect) * own < stats.norm.ppf(share)
        pairs.append(Counts(fooled.sum(0).astype(np.int8), np.full((num_cells, num_images), 2, dtype=np.int8)))
    return pairs[0], pairs[1]


def test_of_different_images_the_ends_are_newcombes() -> None:
    # Newcombe, Interval Estimation for the Difference between Independent Proportions, 1998, method 10: 56 of 70 and 48 of 80.
    place = np.arange(150)[None]
    first = Counts((place < 56).astype(np.int8), (place < 70).astype(np.int8))
    second = Counts(((place >= 70) & (place < 118)).astype(np.int8), (place >= 70).astype(np.int8))
    found = subtract(first, second)
    assert found.value[0] == pytest.approx(0.2)
    assert np.ravel(found.interval) == pytest.approx([0.0524, 0.3339], abs=1e-4)


def test_of_the_same_images_the_ends_are_newcombes_of_paired_shares() -> None:
    # Both on 2000 images, only the first on 1200, only the second on 200, neither on 1600: phi by its formula for a table of four.
    place = np.arange(5000)[None]
    first, second = (place < 3200).astype(np.int8), ((place < 2000) | (place >= 4800)).astype(np.int8)
    phi = (20 * 16 - 12 * 2) / np.sqrt(32 * 18 * 22 * 28)
    one, two = (stats.binomtest(hits, 5000).proportion_ci(method="wilson") for hits in (3200, 2200))
    below, above = 0.64 - one.low, two.high - 0.44
    half = np.sqrt(below**2 - 2 * phi * below * above + above**2)
    found = subtract(Counts(first, np.ones_like(first)), Counts(second, np.ones_like(second)))
    assert 0.2 - found.interval.low[0] == pytest.approx(half, rel=1e-3)  # the three images that are added don't matter


def test_shares_that_are_fooled_alike_may_still_differ_by_the_images_that_were_not_met() -> None:
    place = np.arange(40)[None]
    first = Counts((place < 20).astype(np.int8), np.ones((1, 40), dtype=np.int8))
    found = subtract(first, first)
    assert found.value[0] == 0
    unmet = stats.binomtest(0, 40).proportion_ci(method="exact").high  # at most so often does only one of both fool
    assert 0.5 * unmet < found.interval.high[0] < 1.5 * unmet
    assert found.interval.low[0] == pytest.approx(-found.interval.high[0])


def test_exchanging_both_mirrors_the_interval() -> None:
    first, second = simulate(20, 60, (0.3, 0.1), effect=0.4, seed=0)
    there, back = (subtract(*both, scale=take_log) for both in ((first, second), (second, first)))
    np.testing.assert_allclose(there.interval, (-back.interval.high, -back.interval.low))
    np.testing.assert_allclose(there.value, -back.value)
    assert (there.interval.low <= there.value).all()
    assert (there.value <= there.interval.high).all()


def test_a_share_that_is_known_for_sure_leaves_the_interval_of_the_other() -> None:
    first, _ = simulate(5, 60, (0.3, 0.3), effect=0.4, seed=0)
    none = Counts(np.zeros_like(first.fooled), first.counted)
    found = subtract(first, none, scale=lambda share: np.where(share < 0.08, 0.0, share))
    np.testing.assert_allclose(found.interval, bound_shares(*first), atol=1e-12)


@pytest.mark.parametrize("effect", [0.0, 0.6])
@pytest.mark.parametrize(("num_images", "shares"), [(30, (0.3, 0.3)), (50, (0.15, 0.1)), (100, (0.4, 0.05)), (300, (0.03, 0.03))])
def test_intervals_of_logarithms_hold_the_true_difference_as_often_as_they_say(
    num_images: int, shares: tuple[float, float], effect: float
) -> None:
    low, high = subtract(*simulate(1000, num_images, shares, effect=effect, seed=1), scale=take_log).interval
    truth = np.log(shares[0] / shares[1])
    assert 0.92 < ((low <= truth) & (truth <= high)).mean() < 0.98


def test_percentiles_of_resampled_images_would_hold_it_too_rarely() -> None:
    pairs = simulate(400, 50, (0.4, 0.04), effect=0.6, seed=1)
    low, high = find_percentiles(np.subtract(*(take_log(resample_shares(*pair)) for pair in pairs)), 0.95)
    assert ((low <= np.log(10)) & (np.log(10) <= high)).mean() < 0.91


def test_without_a_counted_image_there_is_no_difference() -> None:
    first, second = simulate(2, 20, (0.3, 0.3), effect=0.4, seed=0)
    second.counted[0] = second.fooled[0] = 0
    found = subtract(first, second)
    assert np.isnan([found.value[0], found.interval.low[0], found.interval.high[0]]).all()
    assert np.isfinite([found.value[1], found.interval.low[1], found.interval.high[1]]).all()


def test_a_confidence_outside_its_range_is_refused() -> None:
    first, second = simulate(1, 20, (0.3, 0.3), effect=0.4, seed=0)
    with pytest.raises(InvalidValueError, match=r"confidence must be in \(0, 1\): got 95\."):
        subtract(first, second, confidence=95.0)


def test_the_mean_of_one_share_has_its_own_interval_and_so_has_the_mean_of_equal_ones() -> None:
    (fooled, counted), _ = simulate(2, 40, (0.3, 0.3), effect=0.4, seed=0)
    found = bound_combinations(fooled[[0, 0, 1]], counted[[0, 0, 1]], np.array([[0, 0, 1], [0.5, 0.5, 0]]))
    np.testing.assert_allclose(found.interval, [ends[[1, 0]] for ends in bound_shares(fooled, counted)], atol=1e-12)


def test_the_mean_of_independent_shares_is_narrower_by_the_root_of_their_number() -> None:
    place = np.arange(400)
    counted = (place // 100 == np.arange(4)[:, None]).astype(np.int8)
    fooled = counted * (place % 2).astype(np.int8)
    one, four = (bound_combinations(fooled, counted, weights).interval for weights in (np.eye(4)[:1], np.full((1, 4), 0.25)))
    assert (four.high - four.low)[0] == pytest.approx((one.high - one.low)[0] / 2)


@pytest.mark.parametrize("share", [0.15, 0.5])
def test_intervals_of_a_mean_of_logarithms_hold_it_as_often_as_they_say(share: float) -> None:
    together = [simulate(800, 60, (share, share), effect=0.5, seed=seed) for seed in range(2)]
    fooled, counted = (np.concatenate([pair[part] for pairs in together for pair in pairs]) for part in (0, 1))
    found = bound_combinations(fooled, counted, np.tile(np.eye(800) / 4, 4), scale=take_log)
    assert 0.93 < ((found.interval.low <= np.log(share)) & (np.log(share) <= found.interval.high)).mean() < 0.98
