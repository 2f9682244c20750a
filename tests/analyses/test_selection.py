from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.analyses.zoo import logits_of, synthetic_logits
from tests.specimens import Array, counted_in, fooled_in, outcomes_of
from zooscope.analyses.averaging import CleanLogits, measure_metrics
from zooscope.analyses.selection import METHODS, average_pairs, select_ensemble
from zooscope.errors import InvalidValueError
from zooscope.scores.outcomes import Outcomes
from zooscope.scores.sat import sat
from zooscope.statistics.halves import split_halves


def families(count: int = 9, num_images: int = 400, num_families: int = 3) -> tuple[CleanLogits, Outcomes]:
    """Classifiers that err alike within a family and fool each other there."""
    logits = synthetic_logits(count, num_images=num_images, num_families=num_families, own=0.4)
    family = np.arange(count) % num_families
    share = np.where(family[:, None] == family, 0.8, 0.2)
    fooled = np.random.default_rng(1).random((count, count, num_images)) < share[..., None]
    return logits, outcomes_of(fooled)


def part(logits: CleanLogits, outcomes: Outcomes, images: Array) -> tuple[CleanLogits, Outcomes]:
    return logits.take_images(images), Outcomes.from_flags(
        outcomes.names, counted=counted_in(outcomes)[..., images], fooled=fooled_in(outcomes)[..., images]
    )


def test_the_most_diverse_has_the_smallest_mean_sat_on_the_choosing_half() -> None:
    logits, outcomes = families()
    found: Any = select_ensemble(logits, outcomes, size=3).chosen
    _, choosing = part(logits, outcomes, split_halves(logits.labels).choosing)
    scores = sat(choosing).score
    best = min(combinations(range(9), 3), key=lambda each: np.mean([scores[pair] for pair in combinations(each, 2)]))
    assert found.loc["most diverse", "members"] == tuple(logits.names[place] for place in best)
    assert found.loc["most diverse", "exact"]
    assert {place % 3 for place in best} == {0, 1, 2}


def test_greedy_has_the_smallest_error_on_the_choosing_half_where_all_can_be_measured() -> None:
    logits, outcomes = families()
    choosing, _ = part(logits, outcomes, split_halves(logits.labels).choosing)
    ((error, _, _),) = measure_metrics(choosing, [np.array(list(combinations(range(9), 3)))])
    found: Any = select_ensemble(logits, outcomes, size=3).chosen
    assert found.loc["greedy", "choosing_error"] == pytest.approx(error.min())
    assert found.loc["greedy", "exact"]


def test_what_is_reported_is_measured_on_the_other_half() -> None:
    logits, outcomes = families()
    found: Any = select_ensemble(logits, outcomes, size=3)
    reporting, _ = part(logits, outcomes, split_halves(logits.labels).reporting)
    single = (~reporting.right).mean(1)
    for method in METHODS:
        row = found.chosen.loc[method]
        places = [logits.names.index(name) for name in row["members"]]
        ((error, err, _),) = measure_metrics(reporting, [np.array([places])])
        assert row["error"] == pytest.approx(error[0])
        assert row["err"] == pytest.approx(err[0])
        assert row["mean_error"] == pytest.approx(single[places].mean())
        assert row["low"] <= row["error"] <= row["high"]
        assert row["difference"] == pytest.approx(row["error"] - found.chosen.loc["random", "error"])
    assert (found.num_choosing, found.num_reporting) == (200, 200)


def test_images_of_the_reporting_half_do_not_change_what_is_chosen() -> None:
    logits, outcomes = families()
    reporting = split_halves(logits.labels).reporting
    spoiled = CleanLogits(names=logits.names, values=tuple(values.copy() for values in logits.values), labels=logits.labels)
    for place, values in enumerate(spoiled.values):
        values[reporting] = np.random.default_rng(place).normal(size=values[reporting].shape)
    fooled = fooled_in(outcomes).copy()
    fooled[..., reporting] = ~fooled[..., reporting]
    other = Outcomes.from_flags(outcomes.names, counted=counted_in(outcomes), fooled=fooled)
    first, second = select_ensemble(logits, outcomes, size=3), select_ensemble(spoiled, other, size=3)
    assert first.chosen["members"].tolist() == second.chosen["members"].tolist()
    assert first.chosen["choosing_error"].tolist() == second.chosen["choosing_error"].tolist()
    assert first.chosen["error"].tolist() != second.chosen["error"].tolist()


def test_the_regression_is_least_squares_over_the_ensembles() -> None:
    logits, outcomes = families()
    found: Any = select_ensemble(logits, outcomes, size=2).regression
    assert found is not None
    choosing, attacked = part(logits, outcomes, split_halves(logits.labels).choosing)
    members = np.array(list(combinations(range(9), 2)))
    ((_, err, _),) = measure_metrics(choosing, [members])
    scores, single = sat(attacked).score, (~choosing.right).mean(1)
    design = np.stack([np.ones(36), scores[members[:, 0], members[:, 1]], single[members].mean(1)], axis=1)
    expected = np.linalg.solve(design.T @ design, design.T @ err)
    np.testing.assert_allclose([found.intercept, found.by_sat, found.by_error], expected)
    assert found.by_sat < 0
    assert found.r_squared == pytest.approx(stats.pearsonr(design @ expected, err).statistic ** 2)


def test_where_families_err_alike_diverse_ensembles_beat_random_ones() -> None:
    logits, outcomes = families(12, 2000)
    found: Any = select_ensemble(logits, outcomes, size=3)
    assert found.chosen.loc["most diverse", "difference_high"] < 0
    assert found.best in {*METHODS}
    assert "random" not in found.indistinct


def test_intervals_of_an_error_cover_it_as_often_as_they_say() -> None:
    held = 0
    for seed in range(40):
        generator = np.random.default_rng(seed)
        right = np.tile(generator.random(400) < 0.8, (3, 1))  # all three agree, so that the ensemble's true error is 0.2
        values = np.stack([np.where(right[..., None], [1.0, 0.0], [0.0, 1.0])]).reshape(3, 400, 2)
        logits = logits_of(values, np.zeros(400))
        outcomes = outcomes_of(generator.random((3, 3, 400)) < 0.5)
        row: Any = select_ensemble(logits, outcomes, size=2, num_random=1, seed=seed).chosen.loc["greedy"]
        held += bool(row["low"] <= 0.2 <= row["high"])
    assert 33 <= held <= 40


def test_identical_classifiers_can_not_be_told_apart() -> None:
    one = synthetic_logits(1, num_images=60)
    names = tuple(f"classifier {number}" for number in range(4))
    logits = CleanLogits(names=names, values=one.values * 4, labels=one.labels)
    found: Any = select_ensemble(logits, outcomes_of(np.ones((4, 4, 60), dtype=bool)), size=2)
    assert found.regression is None
    assert len(found.indistinct) == len(found.chosen) - 1
    np.testing.assert_allclose(found.chosen.loc[list(METHODS), "err"], 0)
    assert (found.chosen["difference"] == 0).all()
    assert found.winner is None
    assert set(found.equal) == set(found.indistinct)


def test_a_winner_is_named_only_if_the_images_tell_it_from_every_other_ensemble() -> None:
    labels, generator = np.arange(600) % 2, np.random.default_rng(0)
    right = np.array([generator.random(600) < share for share in (0.85, 0.85, 0.55, 0.55)])
    sure = np.where(right, 5.0, 1.0)[..., None]  # two that err on different images correct each other
    logits = logits_of(sure * np.where((right ^ (labels == 1))[..., None], [1, 0], [0, 1]), labels)
    chance = np.full((4, 4), 0.5)
    chance[:2, :2] = 0.2  # the best two are also the most diverse
    outcomes = outcomes_of(generator.random((4, 4, 600)) < chance[..., None])
    for num_images, wins in ((600, True), (12, False)):
        found: Any = select_ensemble(logits.take_images(np.arange(num_images)), outcomes.take_images(np.arange(num_images)), size=2)
        same = {name for name in METHODS if found.chosen.loc[name, "members"] == found.chosen.loc[found.best, "members"]}
        others = {name for name in found.indistinct if name not in same}
        assert same - {found.best} <= set(found.equal) <= set(found.indistinct)
        assert (found.winner == found.best) == (not others) == wins


def test_two_classifiers_and_two_images_are_enough() -> None:
    found: Any = select_ensemble(synthetic_logits(2, num_images=2), outcomes_of(np.ones((2, 2, 2), dtype=bool)), size=2)
    assert all(len(members) == 2 for members in found.chosen.loc[list(METHODS), "members"])


def test_a_large_zoo_is_grown_into_and_says_that_it_is_no_promise() -> None:
    logits, outcomes = families(25, 60)
    found: Any = select_ensemble(logits, outcomes, size=5).chosen
    assert not found.loc[["most diverse", "best predicted", "greedy"], "exact"].any()
    assert found.loc["greedy", "choosing_error"] <= found.loc["best single classifiers", "choosing_error"]


def test_mean_pairwise_is_the_mean_over_the_pairs() -> None:
    scores = np.arange(16.0).reshape(4, 4)
    np.testing.assert_allclose(average_pairs(scores, np.array([[0, 1, 3], [1, 2, 3]])), [(1 + 3 + 7) / 3, (6 + 7 + 11) / 3])


@pytest.mark.parametrize("size", [1, 4])
def test_a_size_that_can_not_be_had_is_refused(size: int) -> None:
    logits, outcomes = synthetic_logits(3), outcomes_of(np.ones((3, 3, 40), dtype=bool))
    with pytest.raises(InvalidValueError, match=rf"an ensemble must have between 2 and 3 members .*: got {size}\."):
        select_ensemble(logits, outcomes, size=size)


def test_logits_and_outcomes_must_be_of_the_same_classifiers() -> None:
    with pytest.raises(InvalidValueError, match="logits and outcomes must be of the same classifiers, in the same order"):
        select_ensemble(synthetic_logits(3), outcomes_of(np.ones((4, 4, 40), dtype=bool)), size=2)


def test_at_least_one_random_pick_is_needed() -> None:
    with pytest.raises(InvalidValueError, match=r"num_random must be at least 1: got 0\."):
        select_ensemble(synthetic_logits(3), outcomes_of(np.ones((3, 3, 40), dtype=bool)), size=2, num_random=0)
