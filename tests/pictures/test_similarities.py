import numpy as np
import pytest

from zooscope.analyses.score_stability import ScoreStability, measure_score_stability
from zooscope.errors import InvalidValueError
from zooscope.pictures.printed import make_figure
from zooscope.pictures.similarities import make_steadiness_picture


def found(passes: float = 2.0, num_units: int = 100) -> ScoreStability:
    values = np.random.default_rng(0).normal(size=(4, 4, num_units))
    return measure_score_stability(lambda images: values[..., images].mean(axis=-1), num_units=num_units, passes_per_unit=passes)


def test_curves_are_the_spread_by_cost() -> None:
    one = found()
    picture = make_steadiness_picture({"one": one, "other": found(3)}, num_classifiers=4)
    assert [curve.name for curve in picture.curves] == ["one", "other"]
    np.testing.assert_array_equal(picture.curves[0].x, one.by_size["passes"])
    np.testing.assert_array_equal(picture.curves[0].y, one.by_size["std"])
    relative = make_steadiness_picture({"one": one}, num_classifiers=4, relative=True)
    np.testing.assert_array_equal(relative.curves[0].y, one.by_size["relative"])
    assert picture.logarithmic == {"x", "y"}


def test_scores_of_unknown_cost_or_of_few_images_are_left_out() -> None:
    stabilities = {"one": found(), "unknown": found(float("nan")), "few": found(num_units=5)}
    assert [curve.name for curve in make_steadiness_picture(stabilities, num_classifiers=4).curves] == ["one"]
    with pytest.raises(InvalidValueError, match="there is no spread to draw: the study has too few images"):
        make_steadiness_picture({"few": found(num_units=5)}, num_classifiers=4)


def test_more_curves_than_colours_differ_in_their_line() -> None:
    drawn = make_figure(make_steadiness_picture({str(number): found(number + 1) for number in range(9)}, num_classifiers=4))
    looks = [(line.get_color(), line.get_linestyle(), line.get_marker()) for line in drawn.axes[0].lines]
    assert len(set(looks)) == 9
    assert looks[0][0] == looks[7][0]
    assert (looks[0][1], looks[7][1]) == ("-", "--")


def test_a_long_axis_is_labelled_at_powers_of_ten() -> None:
    drawn = make_figure(make_steadiness_picture({"cheap": found(1), "dear": found(10_000)}, num_classifiers=4))
    axes = drawn.axes[0]
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert all(np.log10(tick) == pytest.approx(round(np.log10(tick))) for tick in ticks)
    assert len(ticks) >= 4
