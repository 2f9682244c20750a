import numpy as np
import pandas as pd
import pytest

from zooscope.analyses.completion import ESTIMATED, MEASURED, ONE_SIDED, complete_similarity, draw_pairs, find_half_width
from zooscope.analyses.pair_features import fit_effects
from zooscope.analyses.rehearsal import rehearse_completion
from zooscope.errors import InvalidValueError, UnknownNameError

NAMES = [f"c{number:02}" for number in range(40)]


def make_truth(*, groups: float = 0.0, noise: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """Effects of 40 classifiers, what members of the same of four groups have in common, and noise."""
    generator = np.random.default_rng(seed)
    own, member = generator.normal(size=40), np.arange(40) % 4
    rest = generator.normal(size=(40, 40)) * noise
    values = 2 + 0.4 * (own[:, None] + own) + groups * (member[:, None] == member) + (rest + rest.T) / np.sqrt(2)
    return pd.DataFrame(values, index=NAMES, columns=NAMES)


def test_an_additive_matrix_is_completed_exactly_without_extra_pairs() -> None:
    truth = make_truth()
    known = truth.copy()
    known.iloc[3:, 3:] = np.nan
    found = complete_similarity(known, NAMES[:3])
    off = ~np.eye(40, dtype=bool)
    np.testing.assert_allclose(found.scores.to_numpy()[off], truth.to_numpy()[off], atol=1e-6)
    assert (found.method, found.num_extra, found.half_width, len(found.errors)) == ("additive", 0, np.inf, 0)
    assert found.kinds.loc["c00", "c39"] == MEASURED
    assert found.kinds.loc["c38", "c39"] == ESTIMATED


def test_groups_are_found_by_nystrom_and_beat_the_baseline() -> None:
    truth, landmarks = make_truth(groups=1.0, noise=0.02), NAMES[:8]
    additive = rehearse_completion(truth, landmarks, method="additive")
    nystrom = rehearse_completion(truth, landmarks, method="nystrom")
    chosen = rehearse_completion(truth, landmarks)
    assert additive.rmse > 0.35
    assert nystrom.rmse < 0.2
    assert chosen.rmse <= nystrom.rmse
    assert chosen.completion.is_better_than_additive
    assert chosen.spearman > additive.spearman


def test_where_nothing_beats_the_baseline_it_is_used() -> None:
    found = [rehearse_completion(make_truth(noise=0.3, seed=seed), NAMES[:6], seed=seed) for seed in range(6)]
    assert sum(not one.completion.is_better_than_additive for one in found) >= 3
    additive = [rehearse_completion(make_truth(noise=0.3, seed=seed), NAMES[:6], seed=seed, method="additive") for seed in range(6)]
    assert np.mean([one.rmse for one in found]) < 1.05 * np.mean([one.rmse for one in additive])


@pytest.mark.parametrize("confidence", [0.8, 0.9])
def test_intervals_hold_as_often_as_they_say(confidence: float) -> None:
    held = [
        rehearse_completion(
            make_truth(groups=0.5, noise=0.3, seed=seed), NAMES[:5], confidence=confidence, seed=seed, num_extra=120
        ).coverage
        for seed in range(30)
    ]
    assert confidence - 0.02 < np.mean(held) < confidence + 0.04


def test_one_sided_profiles_are_scaled_by_the_extra_pairs() -> None:
    truth = make_truth(noise=0.02)
    one_sided = (truth * 0.5 + 1).loc[NAMES[:6]]  # other numbers than both ways, for each the same
    found = rehearse_completion(truth, NAMES[:6], one_sided=one_sided)
    assert found.rmse < 0.1
    kinds = found.completion.kinds
    assert (kinds.loc["c00", "c01"], kinds.loc["c00", "c39"]) == (MEASURED, ONE_SIDED)
    assert found.completion.scores.to_numpy()[39, 0] == one_sided.to_numpy()[0, 39]


def test_the_order_of_classifiers_changes_nothing() -> None:
    truth = make_truth(groups=0.5, noise=0.2)
    shuffled = truth.sample(frac=1, random_state=0).sample(frac=1, axis=1, random_state=1)
    first, second = rehearse_completion(truth, NAMES[:5]), rehearse_completion(shuffled, NAMES[:5][::-1])
    pd.testing.assert_frame_equal(first.completion.scores, second.completion.scores, check_names=False)
    assert first.rmse == second.rmse


def test_clean_predictions_help_where_they_tell_the_groups() -> None:
    truth, member = make_truth(groups=1.0, noise=0.05), np.arange(40) % 4
    clean = pd.DataFrame(0.5 + 0.4 * (member[:, None] == member), index=NAMES, columns=NAMES)
    without, asked = (rehearse_completion(truth, NAMES[:2], clean=one, method="regression").rmse for one in (None, clean))
    assert asked < 0.7 * without


def test_the_half_width_is_the_conformal_quantile() -> None:
    generator = np.random.default_rng(0)
    held = [abs(generator.normal()) <= find_half_width(generator.normal(size=19), 0.9) for _ in range(4000)]
    assert np.mean(held) == pytest.approx(0.9, abs=0.015)
    assert find_half_width(np.array([]), 0.9) == np.inf


def test_effects_are_those_of_least_squares() -> None:
    generator = np.random.default_rng(1)
    profiles, places = generator.normal(size=(7, 3)), np.array([1, 4, 6])
    profiles[places, np.arange(3)] = np.nan
    effects = fit_effects(profiles, places)
    known = ~np.isnan(profiles)
    rows, columns = np.nonzero(known)
    design = np.zeros((len(rows), 10))
    design[np.arange(len(rows)), rows] = design[np.arange(len(rows)), 7 + columns] = 1
    fitted = design @ np.linalg.lstsq(design, profiles[known])[0]
    np.testing.assert_allclose(effects.rest[known], profiles[known] - fitted, atol=1e-6)
    assert not effects.rest[~known].any()


def test_pairs_are_drawn_without_landmarks_and_a_larger_draw_begins_with_a_smaller() -> None:
    few, many = draw_pairs(NAMES, NAMES[:4], 10, seed=3), draw_pairs(NAMES[::-1], NAMES[:4], 5000, seed=3)
    assert many[:10] == few
    assert len(set(many)) == 36 * 35 // 2
    assert not {name for pair in many for name in pair} & set(NAMES[:4])


def test_what_can_not_be_completed_is_refused() -> None:
    truth = make_truth()
    with pytest.raises(UnknownNameError, match="unknown landmark 'c99'"):
        complete_similarity(truth, ["c99", "c01"])
    with pytest.raises(UnknownNameError, match=r"unknown method 'nystroem'\. Did you mean nystrom"):
        complete_similarity(truth, NAMES[:2], method="nystroem")
    with pytest.raises(InvalidValueError, match="at least 2 landmarks are needed: got 1"):
        complete_similarity(truth, NAMES[:1])
    with pytest.raises(InvalidValueError, match="confidence must be between 0 and 1: got 1"):
        complete_similarity(truth, NAMES[:2], confidence=1)
    gap = truth.copy()
    gap.loc["c05", "c00"] = gap.loc["c00", "c05"] = np.nan
    with pytest.raises(InvalidValueError, match=r"the similarity of c05 to the landmark c00 is not known \(1 such\); measure it"):
        complete_similarity(gap, NAMES[:2])
    with pytest.raises(InvalidValueError, match="c00 and c05 have no score, so that nothing can be compared"):
        rehearse_completion(gap, NAMES[:2])
    few = truth.copy()
    few.iloc[2:, 2:] = np.nan
    with pytest.raises(InvalidValueError, match="nystrom is fitted to at least 20 measured pairs without a landmark: got 0"):
        complete_similarity(few, NAMES[:2], method="nystrom")
    with pytest.raises(InvalidValueError, match="no pair is left to be estimated; take fewer landmarks"):
        rehearse_completion(truth, NAMES)
    with pytest.raises(InvalidValueError, match="one_sided has no row c01; give it the landmarks"):
        complete_similarity(truth, NAMES[:2], one_sided=truth.iloc[:1])
    with pytest.raises(InvalidValueError, match="clean has no column c39; give it"):
        complete_similarity(truth, NAMES[:2], clean=truth.iloc[:, :39])
    with pytest.raises(InvalidValueError, match="the number of pairs must be at least 0: got -1"):
        draw_pairs(NAMES, NAMES[:2], -1)
