"""Pictures of stability, strategies, selection, placement and teachers: their numbers are those of the analyses."""

import numpy as np
import pytest

from tests.analyses.zoo import matrix_of, names_of, synthetic_logits
from tests.specimens import outcomes_of
from zooscope.analyses.placement import compare_directions, place_classifier
from zooscope.analyses.selection import select_ensemble
from zooscope.analyses.stability import measure_stability
from zooscope.analyses.strategies import compare_strategies
from zooscope.analyses.teachers import rank_teachers
from zooscope.pictures.data import Bars, Points
from zooscope.pictures.placement import make_one_sided_picture, make_placement_picture
from zooscope.pictures.selection import make_selection_picture
from zooscope.pictures.stability import make_stability_picture
from zooscope.pictures.strategies import make_strategies_picture
from zooscope.pictures.teachers import make_teachers_picture

OUTCOMES = outcomes_of(np.random.default_rng(0).random((5, 5, 40)) < 0.4)
NAMES = names_of(5)


def test_stability_is_two_curves_on_logarithmic_axes() -> None:
    found = measure_stability(OUTCOMES)
    picture = make_stability_picture(found)
    assert [curve.name for curve in picture.curves] == ["over 10 sets", "expected, 1 / sqrt(images)"]
    np.testing.assert_allclose(picture.curves[0].y, found.by_size["std"])
    np.testing.assert_allclose(picture.curves[1].y, found.by_size["expected"])
    assert picture.logarithmic == {"x", "y"}
    assert "10 pairs" in picture.title


def test_a_spread_of_zero_has_no_place_on_a_logarithmic_axis() -> None:
    everything = outcomes_of(np.ones((2, 2, 30), dtype=bool))
    picture = make_stability_picture(measure_stability(everything))
    assert len(picture.curves[0].x) == 0
    assert "classifier 0 and classifier 1" in picture.title


def test_strategies_are_bars_of_groups_with_a_pair_and_of_all() -> None:
    found = compare_strategies(OUTCOMES, {NAMES[0]: "seeds", NAMES[1]: "seeds", NAMES[2]: "alone"})
    picture = make_strategies_picture(found)
    assert picture.labels == ("seeds (2)", "all classifiers (5)")
    (series,) = picture.series
    np.testing.assert_allclose(series.lengths, [found.within.loc["seeds", "sat"], found.overall["sat"]])
    assert series.low is not None
    assert (series.low <= series.lengths).all()


def test_a_selection_is_bars_of_error_on_the_other_half() -> None:
    found = select_ensemble(synthetic_logits(5), OUTCOMES, size=2, num_random=7)
    picture = make_selection_picture(found)
    assert picture.labels == ("most diverse", "best predicted", "greedy", "best single classifiers", "7 random picks (mean)")
    np.testing.assert_allclose(picture.series[0].lengths, 100 * found.chosen["error"].iloc[:5])


@pytest.mark.parametrize("clusters", [None, {"classifier 1": 3, "classifier 2": 3, "classifier 3": 1, "classifier 4": 1}])
def test_a_placement_is_bars_of_targets_the_nearest_first(clusters: dict[str, int] | None) -> None:
    fooled, counted = OUTCOMES.take_cells(np.zeros(len(NAMES) - 1, dtype=np.int64), np.arange(1, len(NAMES)))
    found = place_classifier(NAMES[1:], fooled, counted, clusters=clusters)
    picture = make_placement_picture(found, "new")
    np.testing.assert_allclose(picture.series[0].lengths, found.targets["sat"])
    assert picture.labels[0].startswith(str(found.targets.index[0]))
    assert ("(cluster" in picture.labels[0]) == (clusters is not None)
    assert ("placed in cluster" in picture.title) == (clusters is not None)


def test_both_directions_by_one_are_points_with_a_line() -> None:
    found = compare_directions(OUTCOMES)
    picture = make_one_sided_picture(found)
    np.testing.assert_allclose(picture.x, found.pairs["one_sided"])
    np.testing.assert_allclose(picture.y, found.pairs["sat"])
    assert picture.names[0] == "classifier 0 to classifier 1"
    assert picture.trend is not None


def test_teachers_are_points_by_kind_and_bars_where_no_accuracy_is_known() -> None:
    values = np.random.default_rng(0).uniform(1, 4, (5, 5))
    scores = matrix_of(values + values.T)
    bases = {"classifier 0": "CNN", "classifier 1": "CNN", "classifier 2": "Transformer", "classifier 3": "Hybrid"}
    points = make_teachers_picture(rank_teachers(scores, bases, "classifier 0", accuracies=dict.fromkeys(NAMES, 80.0)))
    assert isinstance(points, Points)
    assert points.groups == ("same base architecture", "other base architecture", "other base architecture", "not known")
    bars = make_teachers_picture(rank_teachers(scores, bases, "classifier 0"))
    assert isinstance(bars, Bars)
    assert bars.labels[0] == "classifier 1 (same base architecture)"
    np.testing.assert_allclose(bars.series[0].lengths, points.x)
