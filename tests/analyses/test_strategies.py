from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tests.specimens import Array, counted_in, fooled_in, outcomes_of
from zooscope.analyses.strategies import compare_strategies
from zooscope.errors import InvalidValueError
from zooscope.records.predictions import NOT_COUNTED
from zooscope.scores.outcomes import Outcomes
from zooscope.scores.sat import bound_sat, sat

GROUPS = {
    "classifier 0": "seeds",
    "classifier 2": "seeds",
    "classifier 3": "seeds",
    "classifier 1": "regimes",
    "classifier 4": "regimes",
}


def measured(size: int = 6, num_images: int = 60, seed: int = 0, share: float | Array = 0.4) -> Outcomes:
    generator = np.random.default_rng(seed)
    return outcomes_of(generator.random((size, size, num_images)) < np.asarray(share)[..., None])


def test_within_between_and_overall_are_means_of_the_scores() -> None:
    outcomes = measured()
    score, percent = sat(outcomes).score, sat(outcomes).percent
    found: Any = compare_strategies(outcomes, GROUPS)
    seeds, regimes = [0, 2, 3], [1, 4]
    expected = np.mean([score[0, 2], score[0, 3], score[2, 3]])
    assert found.within.loc["seeds", ["classifiers", "pairs", "sat"]].tolist() == pytest.approx([3, 3, expected])
    assert found.within.loc["seeds", "percent"] == pytest.approx(np.mean([percent[0, 2], percent[0, 3], percent[2, 3]]))
    assert found.within.loc["regimes", "sat"] == pytest.approx(score[1, 4])
    assert float(found.between.sel(group="seeds", other="regimes")) == pytest.approx(score[np.ix_(seeds, regimes)].mean())
    assert float(found.between.sel(group="regimes", other="seeds")) == pytest.approx(score[np.ix_(seeds, regimes)].mean())
    assert float(found.between.sel(group="seeds", other="seeds")) == pytest.approx(expected)
    assert found.overall["sat"] == pytest.approx(score[np.triu_indices(6, 1)].mean())
    assert found.overall["pairs"] == 15


def test_sensitivity_is_one_minus_the_mean_similarity_as_a_share() -> None:
    found: Any = compare_strategies(measured(), GROUPS).within
    np.testing.assert_allclose(found["sensitivity"], 1 - found["percent"] / 100)
    np.testing.assert_allclose(found["sensitivity_low"], 1 - found["percent_high"] / 100)
    np.testing.assert_allclose(found["sensitivity_high"], 1 - found["percent_low"] / 100)


def test_the_interval_of_a_group_of_two_is_that_of_its_pair() -> None:
    outcomes = measured()
    low, high = bound_sat(outcomes, confidence=0.9)
    found: Any = compare_strategies(outcomes, GROUPS, confidence=0.9).within.loc["regimes"]
    assert (found["sat_low"], found["sat_high"]) == pytest.approx((low[1, 4], high[1, 4]))


def test_intervals_of_a_mean_cover_the_truth_as_often_as_they_say() -> None:
    # Images differ in how easily they fool, so that all pairs of a data set go up and down together.
    held = 0
    for seed in range(150):
        generator = np.random.default_rng(seed)
        easy = np.where(generator.random(200) < 0.5, 0.8, 0.2)
        outcomes = outcomes_of(generator.random((4, 4, 200)) < easy)
        groups = dict.fromkeys(outcomes.names, "all")
        found: Any = compare_strategies(outcomes, groups).within.loc["all"]
        held += bool(found["percent_low"] <= 50 <= found["percent_high"])
    assert 133 <= held <= 149


def test_permuting_the_classifiers_permutes_nothing_but_the_order() -> None:
    outcomes, order = measured(), [4, 2, 0, 5, 1, 3]
    permuted = Outcomes.from_flags(
        tuple(outcomes.names[place] for place in order),
        counted=counted_in(outcomes)[np.ix_(order, order)],
        fooled=fooled_in(outcomes)[np.ix_(order, order)],
    )
    first, second = compare_strategies(outcomes, GROUPS), compare_strategies(permuted, GROUPS)
    np.testing.assert_allclose(second.within.loc[first.within.index].to_numpy(float), first.within.to_numpy(float))


def test_a_group_of_one_has_no_similarity_within() -> None:
    found: Any = compare_strategies(measured(), {"classifier 0": "one", "classifier 1": "two", "classifier 2": "two"})
    assert np.isnan(found.within.loc["one", ["sat", "sat_low", "sensitivity"]].to_numpy(float)).all()
    assert found.within.loc["one", "pairs"] == 0
    assert np.isfinite(float(found.between.sel(group="one", other="two")))


def test_a_pair_without_a_score_is_left_out() -> None:
    outcomes = measured(3)
    outcomes.predicted[0, 1] = NOT_COUNTED
    found: Any = compare_strategies(outcomes, dict.fromkeys(outcomes.names, "all")).within.loc["all"]
    score = sat(outcomes).score
    assert (found["pairs"], found["sat"]) == (2, pytest.approx((score[0, 2] + score[1, 2]) / 2))


def test_a_study_of_one_image_has_a_defined_answer() -> None:
    found: Any = compare_strategies(measured(3, num_images=1), dict.fromkeys(("classifier 0", "classifier 1"), "all"))
    assert found.within.loc["all", "pairs"] == 1


def test_without_groups_it_says_how_to_give_them() -> None:
    with pytest.raises(InvalidValueError, match=r"no classifier has a group; name them in a CSV file"):
        compare_strategies(measured(), {})


def test_a_group_of_an_unknown_classifier_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"nobody has a group but is not among the classifiers \(6, classifier 0 first\)"):
        compare_strategies(measured(), {"nobody": "seeds"})


def test_of_a_matrix_alone_the_means_are_those_of_its_percentages_and_there_are_no_intervals() -> None:
    outcomes = measured()
    score, percent, _ = sat(outcomes)
    names = list(outcomes.names)
    matrix = xr.DataArray(score, dims=("a", "b"), coords={"a": names, "b": names, "percent": (("a", "b"), percent)})
    groups = {name: "one" if place % 2 else "two" for place, name in enumerate(names)}
    known, published = compare_strategies(outcomes, groups), compare_strategies(matrix, groups)
    for key in ("pairs", "sat", "percent", "sensitivity"):
        pd.testing.assert_series_equal(published.within[key], known.within[key])
    np.testing.assert_allclose(published.between, known.between)
    assert published.within["sat_low"].isna().all()
    assert np.isnan(published.between.low).all()


def test_a_group_of_one_pair_has_the_interval_of_that_pair() -> None:
    generator = np.random.default_rng(0)
    fooled = generator.random((3, 3, 40)) < 0.5
    fooled[0, 1] = fooled[1, 0] = True
    outcomes = outcomes_of(fooled)
    low, high = bound_sat(outcomes)
    found: Any = compare_strategies(outcomes, {"classifier 0": "seeds", "classifier 1": "seeds"}).within.loc["seeds"]
    np.testing.assert_allclose([found["sat_low"], found["sat_high"]], [low[0, 1], high[0, 1]])
    np.testing.assert_allclose([found["percent_low"], found["percent_high"]], np.exp([low[0, 1], high[0, 1]]))
    np.testing.assert_allclose(found["sensitivity_low"], 0)
    np.testing.assert_allclose(found["sensitivity_high"], 1 - np.exp(low[0, 1]) / 100)


def test_pairs_of_which_few_images_fool_are_counted() -> None:
    fooled = np.zeros((3, 3, 40))
    fooled[0, 1, :3], fooled[1, 0, :6] = 1, 1  # 9 outcomes, 4.5 images on average
    fooled[0, 2, :5], fooled[2, 0, :5] = 1, 1
    fooled[1, 2, :20], fooled[2, 1, :20] = 1, 1
    found: Any = compare_strategies(outcomes_of(fooled), {"classifier 0": "seeds", "classifier 1": "seeds"})
    assert (found.within.loc["seeds", "few_fooled"], found.overall["few_fooled"]) == (1, 1)
