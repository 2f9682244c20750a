from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.specimens import Array, counted_in, fooled_in, outcomes_of
from zooscope.errors import InvalidValueError
from zooscope.scores.outcomes import Outcomes
from zooscope.scores.sat import LARGER_IS_MORE_SIMILAR, RANGE, SYMMETRIC, bound_sat, sat, score_one_sided, take_log_score


@st.composite
def _measured(draw: st.DrawFn) -> tuple[Array, Array]:
    """What is fooled, and what counts, of up to four classifiers on up to twelve images."""
    size, count = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    fooled, right = draw(arrays(bool, (size, size, count))), draw(arrays(bool, (size, count)))
    return fooled, right[:, None] & right[None, :]


def reordered(outcomes: Outcomes, order: Array) -> Outcomes:
    return Outcomes.from_flags(
        tuple(outcomes.names[place] for place in order),
        counted=counted_in(outcomes)[order][:, order],
        fooled=fooled_in(outcomes)[order][:, order],
    )


def test_the_score_is_equation_1_written_out_for_one_pair() -> None:
    # 5 shared images; b errs on 2 of those attacked through a, a on 1 of those attacked through b: 100 * 3 / (2 * 5) = 30.
    counted = np.zeros((2, 2, 6))
    counted[..., :5] = 1
    fooled = np.zeros((2, 2, 6))
    fooled[0, 1, :2] = fooled[1, 0, 4] = fooled[0, 1, 5] = 1
    result = sat(outcomes_of(fooled, counted))
    assert result.percent[0, 1] == 30
    assert result.score[0, 1] == pytest.approx(np.log(30), rel=1e-15)
    assert result.counted[0, 1] == 5


def test_the_diagonal_is_what_was_measured_of_the_source_on_itself() -> None:
    fooled = np.zeros((2, 2, 4))
    fooled[0, 0], fooled[1, 1, :3] = 1, 1
    np.testing.assert_allclose(sat(outcomes_of(fooled)).percent.diagonal(), [100, 75])


def test_only_images_measured_in_both_directions_enter_a_pair() -> None:
    counted, fooled = np.ones((2, 2, 4)), np.zeros((2, 2, 4))
    counted[1, 0, 2:] = 0
    fooled[0, 1, [0, 2, 3]] = 1
    result = sat(outcomes_of(fooled, counted))
    assert result.counted[0, 1] == 2
    assert result.percent[0, 1] == 25


def test_a_pair_without_a_shared_image_is_nan_in_score_and_interval() -> None:
    counted = np.ones((2, 2, 4))
    counted[0, 1] = counted[1, 0] = 0
    outcomes = outcomes_of(np.ones((2, 2, 4)), counted)
    for matrix in (sat(outcomes).score, *bound_sat(outcomes)):
        np.testing.assert_array_equal(np.isnan(matrix), [[False, True], [True, False]])


@given(_measured())
def test_the_score_is_symmetric_as_the_module_says(measured: tuple[Array, Array]) -> None:
    outcomes = outcomes_of(*measured)
    assert SYMMETRIC
    for matrix in (*sat(outcomes), *bound_sat(outcomes)):
        np.testing.assert_array_equal(matrix, matrix.T)


@given(_measured(), st.floats(1e-6, 100))
def test_the_score_lies_between_log_epsilon_s_and_log_100(measured: tuple[Array, Array], epsilon_s: float) -> None:
    outcomes = outcomes_of(*measured)
    for matrix in (sat(outcomes, epsilon_s=epsilon_s).score, *bound_sat(outcomes, epsilon_s=epsilon_s)):
        known = matrix[~np.isnan(matrix)]
        assert (known >= np.log(epsilon_s)).all()
        assert (known <= np.log(100)).all()
    np.testing.assert_allclose(RANGE, (np.log(0.01), np.log(100)))


@given(_measured(), st.randoms(use_true_random=False))
def test_another_order_of_classifiers_reorders_the_matrix(measured: tuple[Array, Array], random: Random) -> None:
    outcomes = outcomes_of(*measured)
    order = np.array(random.sample(range(len(outcomes.names)), k=len(outcomes.names)))
    other = reordered(outcomes, order)
    straight, turned = ((*sat(each), *bound_sat(each), score_one_sided(each)) for each in (outcomes, other))
    for before, after in zip(straight, turned, strict=True):
        np.testing.assert_array_equal(before[order][:, order], after)


@given(_measured(), st.randoms(use_true_random=False))
def test_another_order_of_images_changes_nothing(measured: tuple[Array, Array], random: Random) -> None:
    outcomes = outcomes_of(*measured)
    count = counted_in(outcomes).shape[-1]
    order = np.array(random.sample(range(count), k=count))
    turned = Outcomes.from_flags(outcomes.names, counted=counted_in(outcomes)[..., order], fooled=fooled_in(outcomes)[..., order])
    for before, after in zip(sat(outcomes), sat(turned), strict=True):
        np.testing.assert_array_equal(before, after)


@given(_measured())
def test_one_more_fooled_image_raises_the_score_of_its_pair_alone(measured: tuple[Array, Array]) -> None:
    outcomes = outcomes_of(*measured)
    assert LARGER_IS_MORE_SIMILAR
    spots = np.argwhere(counted_in(outcomes) & ~fooled_in(outcomes))
    if not len(spots):
        return
    source, target, image = spots[0]
    fooled = fooled_in(outcomes).copy()
    fooled[source, target, image] = True
    before, after = (
        sat(outcomes).percent,
        sat(Outcomes.from_flags(outcomes.names, counted=counted_in(outcomes), fooled=fooled)).percent,
    )
    assert after[source, target] > before[source, target]
    before[source, target] = before[target, source] = after[source, target]
    np.testing.assert_array_equal(before, after)


def test_one_sided_scores_are_the_logarithms_of_one_direction() -> None:
    fooled = np.zeros((2, 2, 4))
    fooled[0, 1, :3], fooled[1, 0, :1], fooled[0, 0] = 1, 1, 1
    np.testing.assert_allclose(score_one_sided(outcomes_of(fooled)), np.log(np.array([[100, 75], [25, 0.01]])))


def test_the_mean_of_both_directions_gives_sat_when_both_count_the_same_images() -> None:
    outcomes = outcomes_of(np.random.default_rng(0).random((4, 4, 30)) < 0.4)
    percent = np.exp(score_one_sided(outcomes))
    np.testing.assert_allclose(sat(outcomes).percent, (percent + percent.T) / 2)


@pytest.mark.parametrize("epsilon_s", [0.0, -1.0, 101.0, float("nan")])
def test_epsilon_s_outside_its_range_is_refused(epsilon_s: float) -> None:
    with pytest.raises(InvalidValueError, match=rf"epsilon_s must be in \(0, 100\] \(percent\): got {epsilon_s:g}\."):
        take_log_score(np.array([1.0]), epsilon_s=epsilon_s)


def test_an_interval_holds_the_score_and_narrows_with_lower_confidence() -> None:
    outcomes = outcomes_of(np.random.default_rng(0).random((4, 4, 200)) < 0.3)
    score, wide, narrow = sat(outcomes).score, bound_sat(outcomes, confidence=0.99), bound_sat(outcomes, confidence=0.5)
    assert (wide.low < narrow.low).all()
    assert (narrow.low < score).all()
    assert (score < narrow.high).all()
    assert (narrow.high < wide.high).all()
