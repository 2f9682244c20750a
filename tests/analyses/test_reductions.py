"""Intervals of the error reduction rate, against closed forms and repeated experiments."""

import numpy as np
import pytest
from scipy import stats

from tests.analyses.zoo import logits_of, synthetic_logits
from tests.specimens import Array
from zooscope.analyses.averaging import CleanLogits, find_right_ensembles
from zooscope.analyses.reductions import bootstrap_mean_reduction, bound_reductions

PAIR = np.array([[0, 1]])


def logits_with(wrong: Array, sure: Array) -> CleanLogits:
    """Two classes; the more confident one decides."""
    right, wrong_way = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    values = np.where(wrong[..., None], wrong_way, right) * sure[..., None]
    return logits_of(values, np.zeros(wrong.shape[1]))


def rights_of(logits: CleanLogits, members: Array = PAIR) -> Array:
    return find_right_ensembles(logits, [members])[0]


def test_an_interval_covers_the_true_reduction_as_often_as_it_says() -> None:
    # Each errs on 30 %, independently; where they differ, the right one is the surer in 3 of 4 cases: ERR = 1 - 0.195 / 0.3.
    truth, held = 1 - (0.3 * 0.3 + 2 * 0.3 * 0.7 * 0.25) / 0.3, 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        wrong = generator.random((2, 300)) < 0.3
        loses = generator.random(300) < 0.25
        logits = logits_with(wrong, np.where(wrong == loses, 3.0, 2.0))
        low, high = bound_reductions(logits, PAIR, rights_of(logits), confidence=0.9)
        held += bool(low[0] <= truth <= high[0])
    assert 168 <= held <= 192  # 180 of 200, three standard deviations


def test_an_ensemble_without_an_error_may_have_some_on_other_images() -> None:
    wrong = np.zeros((2, 40), dtype=bool)
    wrong[0, :6], wrong[1, 6:10] = True, True
    logits = logits_with(wrong, np.where(wrong, 1.0, 2.0))
    low, high = bound_reductions(logits, PAIR, rights_of(logits), confidence=0.9)
    assert high[0] == 1
    most = stats.binomtest(0, 40).proportion_ci(0.9, method="wilson").high  # of images on which the ensemble errs
    assert low[0] == pytest.approx(1 - most / 0.125, rel=0.02)


def test_members_that_err_alike_may_still_differ_on_other_images() -> None:
    wrong = np.tile(np.arange(40) < 10, (2, 1))
    logits = logits_with(wrong, np.ones((2, 40)))
    low, high = bound_reductions(logits, PAIR, rights_of(logits), confidence=0.9)
    assert low[0] < 0 < high[0]
    assert 0.5 < (high[0] - low[0]) / stats.binomtest(0, 10).proportion_ci(0.9, method="exact").high < 1.5


def test_a_reduction_is_not_below_what_members_can_reach() -> None:
    # The one error of a member is the ensemble's, too: twice the mean error of its members, and nothing is worse than that.
    wrong = np.zeros((2, 40), dtype=bool)
    wrong[0, 0] = True
    logits = logits_with(wrong, np.where(wrong, 2.0, 1.0))
    low, high = bound_reductions(logits, PAIR, rights_of(logits), confidence=0.9)
    assert low[0] == -1
    assert high[0] > 0


def test_without_errors_there_is_no_interval() -> None:
    logits = logits_with(np.zeros((2, 40), dtype=bool), np.ones((2, 40)))
    assert np.isnan(bound_reductions(logits, PAIR, rights_of(logits), confidence=0.9)).all()
    assert np.isnan(
        bootstrap_mean_reduction(logits, np.tile(PAIR, (2, 1)), rights_of(logits, np.tile(PAIR, (2, 1))), confidence=0.9)
    ).all()


def test_the_mean_of_equal_ensembles_has_about_the_interval_of_one_and_that_of_one_is_its_own() -> None:
    logits = synthetic_logits(3, num_images=200)
    one = bound_reductions(logits, PAIR, rights_of(logits), confidence=0.9)
    twice = np.tile(PAIR, (2, 1))
    width = one.high[0] - one.low[0]
    assert bootstrap_mean_reduction(logits, twice, rights_of(logits, twice), confidence=0.9) == pytest.approx(
        (one.low[0], one.high[0]), abs=0.1 * width
    )
    assert bootstrap_mean_reduction(logits, PAIR, rights_of(logits), confidence=0.9) == pytest.approx((one.low[0], one.high[0]))
