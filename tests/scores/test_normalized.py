"""SAT divided by the sources' own success."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.specimens import Array, counted_in, fooled_in, outcomes_of
from zooscope.scores.normalized import bound_normalized_sat, normalize_one_sided, normalize_sat
from zooscope.scores.sat import bound_sat, sat


@st.composite
def _measured(draw: st.DrawFn) -> tuple[Array, Array]:
    """What is fooled, and what counts, of up to four classifiers on up to twelve images."""
    size, count = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    fooled, right = draw(arrays(bool, (size, size, count))), draw(arrays(bool, (size, count)))
    return fooled, right[:, None] & right[None, :]


def test_each_direction_is_divided_by_its_sources_success_on_the_same_images() -> None:
    # Of 10 images a's attack fools a on 5 and b on 2; b's fools b on 8 and a on 2; one image of a does not count in the pair.
    fooled, counted = np.zeros((2, 2, 10)), np.ones((2, 2, 10))
    fooled[0, 0, :5], fooled[0, 1, :2] = 1, 1
    fooled[1, 1, :8], fooled[1, 0, :2] = 1, 1
    found = normalize_sat(outcomes_of(fooled, counted))
    assert found.percent[0, 1] == pytest.approx(100 * (2 / 5 + 2 / 8) / 2)
    assert found.score[0, 1] == pytest.approx(np.log(100 * (2 / 5 + 2 / 8) / 2))
    counted[0, 1, 0] = 0  # then it's 1 of 4, and of b's 1 of 7
    found = normalize_sat(outcomes_of(fooled, counted))
    assert found.percent[0, 1] == pytest.approx(100 * (1 / 4 + 1 / 7) / 2)
    assert found.counted[0, 1] == 9


@given(_measured())
def test_it_is_sat_where_every_source_fools_itself_on_every_image(measured: tuple[Array, Array]) -> None:
    fooled, counted = measured
    fooled[np.arange(len(fooled)), np.arange(len(fooled))] = True
    outcomes = outcomes_of(fooled, counted)
    for normalized, plain in zip(normalize_sat(outcomes), sat(outcomes), strict=True):
        np.testing.assert_allclose(normalized, plain)


def test_its_intervals_are_those_of_sat_where_every_source_fools_itself_on_every_image() -> None:
    fooled = np.random.default_rng(0).random((4, 4, 400)) < 0.3
    fooled[np.arange(4), np.arange(4)] = True
    low, high = bound_normalized_sat(outcomes_of(fooled))
    off = ~np.eye(4, dtype=bool)
    for end, of_sat in zip((low, high), bound_sat(outcomes_of(fooled)), strict=True):
        np.testing.assert_allclose(end[off], of_sat[off], atol=0.03)  # an interval of SAT is 0.2 wide here


@given(_measured())
def test_it_is_the_quotient_written_out(measured: tuple[Array, Array]) -> None:
    outcomes = outcomes_of(*measured)
    fooled, counted = fooled_in(outcomes), counted_in(outcomes)
    found, one_sided = normalize_sat(outcomes), normalize_one_sided(outcomes)
    for a, b in np.ndindex(len(fooled), len(fooled)):
        both = counted[a, b] & counted[b, a] & counted[a, a] & counted[b, b]
        with np.errstate(divide="ignore", invalid="ignore"):
            forth = np.float64(fooled[a, b][both].sum()) / fooled[a, a][both].sum()
            back = np.float64(fooled[b, a][both].sum()) / fooled[b, b][both].sum()
        mean = 100 * (forth + back) / 2
        np.testing.assert_allclose(found.percent[a, b], mean if np.isfinite(mean) else np.nan)
        expected = np.log(max(100 * forth, 0.01)) if np.isfinite(forth) else np.nan
        np.testing.assert_allclose(one_sided[a, b], expected, atol=1e-12)


@given(_measured(), st.randoms(use_true_random=False))
def test_it_is_symmetric_and_follows_the_order_of_classifiers(measured: tuple[Array, Array], random: Random) -> None:
    outcomes = outcomes_of(*measured)
    order = np.array(random.sample(range(len(outcomes.names)), k=len(outcomes.names)))
    other = outcomes.take_classifiers(order)
    for straight, turned in zip(
        (*normalize_sat(outcomes), *bound_normalized_sat(outcomes)),
        (*normalize_sat(other), *bound_normalized_sat(other)),
        strict=True,
    ):
        np.testing.assert_array_equal(straight, straight.T)
        np.testing.assert_allclose(straight[np.ix_(order, order)], turned)


def test_an_attack_that_never_fools_its_source_has_no_score() -> None:
    fooled = np.ones((2, 2, 20))
    fooled[0, 0] = 0
    outcomes = outcomes_of(fooled)
    for matrix in (normalize_sat(outcomes).score, *bound_normalized_sat(outcomes)):
        np.testing.assert_array_equal(np.isnan(matrix), [[True, True], [True, False]])


def test_a_source_divided_by_itself_leaves_no_doubt() -> None:
    fooled = np.random.default_rng(0).random((3, 3, 50)) < 0.4
    low, high = bound_normalized_sat(outcomes_of(fooled))
    np.testing.assert_allclose(np.exp(low.diagonal()), 100)
    np.testing.assert_allclose(np.exp(high.diagonal()), 100)


def test_no_image_fooled_still_has_an_interval_with_a_width() -> None:
    fooled = np.zeros((2, 2, 30))
    fooled[0, 0, :15], fooled[1, 1] = 1, 1
    low, high = (np.exp(end) for end in bound_normalized_sat(outcomes_of(fooled)))
    assert low[0, 1] == pytest.approx(0.01)
    assert 10 < high[0, 1] < 30  # 3 / 30 is the most in one direction, 3 / 15 in the other


def test_the_interval_covers_a_known_quotient() -> None:
    # Sources that fool themselves on half of the images, others on a quarter: 50 percent after division, in all 435 pairs.
    fooled = np.random.default_rng(0).random((30, 30, 200)) < 0.25
    fooled[np.arange(30), np.arange(30)] = np.random.default_rng(1).random((30, 200)) < 0.5
    low, high = (np.exp(end[np.triu_indices(30, 1)]) for end in bound_normalized_sat(outcomes_of(fooled)))
    assert 0.90 <= ((low <= 50) & (high >= 50)).mean() <= 0.99
