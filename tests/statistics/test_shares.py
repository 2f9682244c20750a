"""Intervals of shares against closed forms, and how often they hold the truth."""

import numpy as np
import pytest
from scipy import stats

from tests.specimens import Array, outcomes_of
from zooscope.errors import InvalidValueError
from zooscope.scores.sat import bound_sat
from zooscope.statistics.bootstrap import find_percentiles, resample_shares
from zooscope.statistics.shares import bound_shares, measure_shares


def images_of(once: Array, twice: Array, num_images: int) -> tuple[Array, Array]:
    """Pairs with so many images that are fooled in one direction, and in both."""
    place = np.arange(num_images)
    fooled = 2 * (place < twice[:, None]) + ((place >= twice[:, None]) & (place < (once + twice)[:, None]))
    return fooled.astype(np.int8), np.full((len(once), num_images), 2, dtype=np.int8)


def every_outcome(num_images: int, share: float, correlation: float) -> tuple[Array, Array, Array]:
    """Everything that can be measured of a pair, and how probable each is; both directions have the same share."""
    once, twice = (axis.ravel() for axis in np.meshgrid(np.arange(num_images + 1), np.arange(num_images + 1)))
    once, twice = (axis[once + twice <= num_images] for axis in (once, twice))
    both = share**2 + correlation * share * (1 - share)
    single = 2 * (share - both)
    counts = np.stack([num_images - once - twice, once, twice], axis=1)
    probability = stats.multinomial.pmf(counts, num_images, [1 - single - both, single, both])
    return *images_of(once, twice, num_images), np.asarray(probability)


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


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95])
@pytest.mark.parametrize("per_image", [1, 2])
@pytest.mark.parametrize("num_images", [1, 7, 120])
def test_where_directions_are_equal_the_ends_are_those_of_wilson_or_of_one_sided_clopper_and_pearson(
    num_images: int, per_image: int, confidence: float
) -> None:
    hits = np.arange(num_images + 1)
    fooled = per_image * (np.arange(num_images) < hits[:, None]).astype(np.int8)
    counted = np.concatenate([np.full_like(fooled, per_image), np.zeros_like(fooled)], axis=1)
    low, high = bound_shares(np.concatenate([fooled, np.zeros_like(fooled)], axis=1), counted, confidence=confidence)
    for place, count in enumerate(hits):
        wilson = stats.binomtest(int(count), num_images).proportion_ci(confidence, method="wilson")
        least, most = (
            stats.binomtest(int(count), num_images, alternative=side).proportion_ci(confidence, method="exact")
            for side in ("greater", "less")
        )
        assert low[place] == pytest.approx(max(min(wilson.low, least.low), 0), abs=1e-12)
        assert high[place] == pytest.approx(min(max(wilson.high, most.high), 1), abs=1e-12)
        assert count in (0, num_images) or low[place] < count / num_images < high[place]


def test_directions_that_are_independent_count_as_twice_as_many_images() -> None:
    # Of 400 images 36 % are fooled neither way, 48 % one way, 16 % both ways: two independent directions of 40 %.
    effective = measure_shares(*images_of(np.array([192]), np.array([64]), 400)).effective[0]
    assert effective == pytest.approx(800, rel=0.01)


def test_a_direction_that_always_fools_and_one_that_never_does_claim_no_certainty() -> None:
    (low,), (high,) = bound_shares(*images_of(np.array([50]), np.array([0]), 50))
    never = stats.binomtest(0, 50).proportion_ci(method="wilson").high
    assert never / 2 < high - low < 2 * never


@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.9])
@pytest.mark.parametrize(
    ("num_images", "share"), [(30, 0.03), (30, 0.15), (30, 0.5), (50, 0.01), (50, 0.08), (100, 0.01), (100, 0.03), (100, 0.85)]
)
def test_they_hold_the_truth_as_often_as_they_say(num_images: int, share: float, correlation: float) -> None:
    fooled, counted, probability = every_outcome(num_images, share, correlation)
    low, high = bound_shares(fooled, counted)
    held = probability[(low <= share) & (share <= high)].sum()
    few = num_images * min(share, 1 - share) < 5  # shares that can be measured are too few to hold it in exactly 95 %
    assert 0.93 <= held <= (0.99 if few else 0.97)


def test_percentiles_of_resampled_images_would_hold_it_too_rarely() -> None:
    fooled, counted, probability = every_outcome(100, 0.03, 0.4)
    low, high = find_percentiles(resample_shares(fooled, counted), 0.95)
    assert probability[(low <= 0.03) & (high >= 0.03)].sum() < 0.925


def test_they_hold_the_truth_where_only_some_images_count() -> None:
    fooled, counted = simulated(2000, 200, 0)
    low, high = bound_shares(fooled, counted)
    assert 0.935 < ((low <= TRUE_SHARE) & (high >= TRUE_SHARE)).mean() < 0.965  # 3 standard deviations


def test_single_outcomes_would_hold_it_too_rarely_since_directions_are_correlated() -> None:
    fooled, counted = simulated(2000, 200, 0)
    share = fooled.sum(1) / counted.sum(1)
    half = 1.96 * np.sqrt(share * (1 - share) / counted.sum(1))
    assert (np.abs(share - TRUE_SHARE) <= half).mean() < 0.92


def test_intervals_of_sat_hold_the_true_scores_of_simulated_studies() -> None:
    # Three classifiers; every image has a difficulty that all outcomes share, so pairs and directions are correlated. Ten studies
    # of three classifiers are scored as one of thirty, of which the pairs within a study are looked at.
    strength = np.array([[1.0, 0.3, 0.5], [0.5, 0.9, 0.2], [0.7, 0.4, 1.0]])
    share = strength * (0.9 + 0.4) / 2
    truth, together, repeated = np.log(50 * (share + share.T)), 10, 40
    held = np.zeros((3, 3))
    for seed in range(repeated):
        generator = np.random.default_rng(seed)
        difficulty = np.where(generator.random((together, 300)) < 0.5, 0.9, 0.4).repeat(3, axis=0)
        fooled = (
            generator.random((3 * together, 3 * together, 300)) < np.tile(strength, (together, together))[..., None] * difficulty
        )
        low, high = bound_sat(outcomes_of(fooled))
        inside = (low <= np.tile(truth, (together, together))) & (np.tile(truth, (together, together)) <= high)
        held += sum(inside[first : first + 3, first : first + 3] for first in range(0, 3 * together, 3))
    # How many of 400 intervals of exactly 95 % hold the truth, but for one experiment in a thousand.
    assert (held >= stats.binom.ppf(0.0005, together * repeated, 0.95)).all()
    assert (held <= stats.binom.ppf(0.9995, together * repeated, 0.95)).all()


def test_a_cell_has_the_same_ends_alone_and_among_others_and_in_any_order_of_images() -> None:
    fooled, counted = simulated(300, 40, 0)
    together, order = bound_shares(fooled, counted), np.random.default_rng(0).permutation(40)
    for cell in (0, 7, 299):
        alone = bound_shares(fooled[[cell]][:, order], counted[[cell]][:, order])
        np.testing.assert_array_equal(np.ravel(alone), (together.low[cell], together.high[cell]))


def test_ends_are_within_0_and_1_contain_the_share_and_widen_with_confidence() -> None:
    fooled, counted, _ = every_outcome(12, 0.5, 0.0)
    share = fooled.sum(1) / counted.sum(1)
    inner: tuple[Array, Array] = share, share
    for confidence in (0.01, 0.5, 0.9, 0.95, 0.999):
        low, high = bound_shares(fooled, counted, confidence=confidence)
        assert (low >= 0).all()
        assert (high <= 1).all()
        assert (low <= inner[0] + 1e-12).all()
        assert (high >= inner[1] - 1e-12).all()
        inner = low, high


def test_exchanging_fooled_and_not_fooled_mirrors_the_interval() -> None:
    fooled, counted = simulated(50, 40, 0)
    low, high = bound_shares(fooled, counted)
    np.testing.assert_allclose(bound_shares(counted - fooled, counted), (1 - high, 1 - low), atol=1e-12)


def test_a_cell_without_a_counted_image_is_nan_and_disturbs_no_other() -> None:
    fooled, counted = simulated(3, 60, 0)
    expected = bound_shares(fooled, counted)
    fooled[1], counted[1] = 0, 0
    low, high = bound_shares(fooled, counted)
    np.testing.assert_array_equal(low, [expected.low[0], np.nan, expected.low[2]])
    np.testing.assert_array_equal(high, [expected.high[0], np.nan, expected.high[2]])


def test_images_that_count_differently_are_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"all counted images of a cell must count the same: those of cell 1 don't"):
        bound_shares(np.zeros((2, 3), dtype=np.int8), np.array([[2, 0, 2], [1, 2, 2]]))


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
        bound_shares(fooled, counted, confidence=confidence)
