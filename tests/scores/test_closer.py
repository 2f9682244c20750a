"""Whether A is closer to B than to C."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from tests.specimens import Array, outcomes_of
from zooscope.scores.closer import measure_differences
from zooscope.scores.nearest import find_nearest
from zooscope.scores.outcomes import Outcomes
from zooscope.scores.sat import bound_sat, sat


def study_of(rates: Array, num_images: int, seed: int = 0) -> Outcomes:
    """Classifiers that fool each other on a random share of the images, both directions with the rate of the pair."""
    size = len(rates)
    return outcomes_of(np.random.default_rng(seed).random((size, size, num_images)) < rates[..., None])


def rates_of(b: float, c: float) -> Array:
    return np.array([[1, b, c], [b, 1, 0.1], [c, 0.1, 1]])


def make_matrix(outcomes: Outcomes) -> xr.DataArray:
    names, axes, (low, high) = list(outcomes.names), ("a", "b"), bound_sat(outcomes)
    return xr.DataArray(
        sat(outcomes).score,
        dims=axes,
        coords={"a": names, "b": names, "low": (axes, low), "high": (axes, high)},
        attrs={"confidence": 0.95, "epsilon_s": 0.01},
    )


def differ(outcomes: Outcomes, b: int = 1, c: int = 2) -> tuple[float, float, float, float, float]:
    """Difference, both ends, certainty, images."""
    found = measure_differences(outcomes, 0, b, np.array([c]))
    return (
        found.difference.item(),
        found.interval.low.item(),
        found.interval.high.item(),
        found.certainty.item(),
        found.num_images.item(),
    )


@settings(max_examples=50, deadline=None)
@given(arrays(bool, (4, 4, 15)), arrays(bool, (4, 15)))
def test_it_is_the_difference_of_both_scores_and_turns_with_its_sides(fooled: Array, right: Array) -> None:
    outcomes = outcomes_of(fooled, right[:, None] & right[None, :])
    scores = sat(outcomes).score
    found = measure_differences(outcomes, 0, 1, np.array([2, 3]))
    np.testing.assert_allclose(found.difference, scores[0, 1] - scores[0, [2, 3]])
    turned = measure_differences(outcomes, 0, 2, np.array([1]))
    np.testing.assert_allclose(found.difference[0], -turned.difference[0])
    np.testing.assert_allclose(found.interval.low[0], -turned.interval.high[0])
    np.testing.assert_allclose(found.interval.high[0], -turned.interval.low[0])
    np.testing.assert_allclose([found.certainty[0], found.num_images[0]], [turned.certainty[0], turned.num_images[0]])
    known = ~np.isnan(found.difference)
    np.testing.assert_array_equal(np.isnan(found.certainty), ~known)
    assert (found.interval.low[known] <= found.difference[known]).all()
    assert (found.difference[known] <= found.interval.high[known]).all()
    # Told apart at 95 % confidence, both sides counted, is certain at 97.5 % on one side.
    np.testing.assert_array_equal(found.are_told_apart[known], found.certainty[known] > 0.975)


def test_what_both_scores_share_doesnt_blur_their_difference() -> None:
    # The same images are fooled in both pairs, but for a few that only the nearer one misreads.
    fooled = np.zeros((3, 3, 200))
    fooled[[0, 1, 2], [0, 1, 2]] = 1
    for one, other, count in ((0, 1, 108), (0, 2, 100)):
        fooled[one, other, :count] = fooled[other, one, :count] = 1
    difference, low, _, _, _ = differ(outcomes_of(fooled))
    assert difference == pytest.approx(np.log(108 / 100))
    assert low > 0  # although both intervals overlap by far
    apart = fooled.copy()
    apart[0, 2], apart[2, 0] = np.roll(fooled[0, 2], 100), np.roll(fooled[2, 0], 100)
    assert differ(outcomes_of(apart))[1] < 0


def test_equal_scores_are_never_told_apart() -> None:
    fooled = np.ones((3, 3, 50))
    difference, low, high, certainty, needed = differ(outcomes_of(fooled))
    assert (difference, certainty, needed) == (0, 0.5, np.inf)
    assert low < 0 < high


@pytest.mark.parametrize(("b", "c"), [(0.6, 0.5), (0.15, 0.08)])
def test_with_as_many_images_four_of_five_studies_tell_the_difference(b: float, c: float) -> None:
    needed = differ(study_of(rates_of(b, c), 100_000))[-1]
    told = [differ(study_of(rates_of(b, c), round(needed), seed))[1] > 0 for seed in range(300)]
    assert 0.73 <= np.mean(told) <= 0.87


def test_the_estimate_of_images_does_not_depend_on_how_many_there_are() -> None:
    few = np.median([differ(study_of(rates_of(0.6, 0.4), 200, seed))[-1] for seed in range(100)])
    many = differ(study_of(rates_of(0.6, 0.4), 50_000))[-1]
    assert few == pytest.approx(many, rel=0.25)


def test_the_nearest_neighbour_is_sure_where_all_others_are_told_apart() -> None:
    rates = np.array([[1, 0.8, 0.3, 0.3], [0.8, 1, 0.3, 0.3], [0.3, 0.3, 1, 0.31], [0.3, 0.3, 0.31, 1]])
    outcomes = study_of(rates, 300)
    matrix = make_matrix(outcomes)
    found = find_nearest(outcomes, matrix)
    assert found["nearest"].tolist()[:2] == ["classifier 1", "classifier 0"]
    assert found["is_sure"].tolist() == [True, True, False, False]
    assert found["as_near"].tolist()[0] == ()
    assert len(found["as_near"].iloc[2]) >= 1
    assert found["certainty"].iloc[0] > 0.999
    assert found["num_images"].iloc[0] < 300 < found["num_images"].iloc[2]
    for name, row in found.iterrows():
        scores = matrix.sel(a=name).drop_sel(b=name)
        assert row["sat"] == float(scores.max())
        assert row["difference"] == pytest.approx(row["sat"] - float(matrix.sel(a=name, b=row["rival"])))
        # The rival and those as near are found although far ones aren't compared one by one.
        place, nearest = outcomes.names.index(str(name)), outcomes.names.index(row["nearest"])
        others = np.array([other for other in range(4) if other not in {place, nearest}])
        every = measure_differences(outcomes, place, nearest, others)
        assert set(row["as_near"]) == {outcomes.names[other] for other in others[~every.are_told_apart]}
        assert row["certainty"] == pytest.approx(every.certainty.min())


def test_a_nearest_neighbour_is_rarely_sure_and_wrong() -> None:
    # Of five others one is nearer by a little: where a study is sure, it's sure of the right one.
    rates = np.full((6, 6), 0.5)
    rates[0, 1] = rates[1, 0] = 0.55
    wrong = 0
    for seed in range(60):
        outcomes = study_of(rates, 100, seed)
        row = find_nearest(outcomes, make_matrix(outcomes)).iloc[0]
        wrong += bool(row["is_sure"]) and row["nearest"] != "classifier 1"
    assert wrong <= 3


def test_the_only_other_classifier_is_the_nearest_and_none_where_nothing_counts() -> None:
    two = outcomes_of(np.ones((2, 2, 10)))
    found = find_nearest(two, make_matrix(two))
    assert found["nearest"].tolist() == ["classifier 1", "classifier 0"]
    assert found["is_sure"].all()
    assert found["rival"].isna().all()
    assert found["certainty"].isna().all()
    counted = np.ones((3, 3, 10))
    counted[2] = counted[:, 2] = 0
    blind = outcomes_of(np.ones((3, 3, 10)), counted)
    found = find_nearest(blind, make_matrix(blind))
    assert found["nearest"].tolist() == ["classifier 1", "classifier 0", None]
    assert found["is_sure"].tolist() == [True, True, False]
