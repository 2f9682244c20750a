import warnings
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from tests.scores.synthetic import predictions_of
from tests.specimens import Array
from zooscope.errors import EmptyPairWarning, InvalidValueError, WeakSourceWarning
from zooscope.records.predictions import NOT_COUNTED, NOT_MEASURED
from zooscope.scores.matrices import make_one_sided_matrix, make_same_mistake_matrix, make_sat_matrix, make_transfer_matrix


def two_classifiers() -> Array:
    """White-box success 100 % on both; a fools b on 3 of 10 images, b fools a on 1."""
    transfer = np.ones((2, 2, 10), dtype=np.int32)
    transfer[0, 1, 3:] = transfer[1, 0, 1:] = 0
    return transfer


def test_a_matrix_holds_the_scores_under_the_names_of_the_classifiers() -> None:
    matrix = make_sat_matrix(predictions_of(two_classifiers()))
    assert matrix.dims == ("a", "b")
    pair = matrix.sel(a="b", b="a")
    assert pair.item() == pytest.approx(np.log(20))
    assert pair.percent.item() == 20
    assert pair["count"].item() == 10
    assert pair.low.item() < pair.item() < pair.high.item()
    assert matrix.attrs == {"confidence": 0.95, "epsilon_s": 0.01, "normalized": False}


def test_intervals_can_be_left_out() -> None:
    assert {"low", "high"}.isdisjoint(make_sat_matrix(predictions_of(two_classifiers()), confidence=None).coords)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, float("nan")])
@pytest.mark.parametrize("make", [make_sat_matrix, make_same_mistake_matrix])
def test_a_confidence_out_of_range_is_refused_although_nothing_is_measured(
    make: Callable[..., xr.DataArray], confidence: float
) -> None:
    nothing = predictions_of(np.full((2, 2, 10), NOT_MEASURED, dtype=np.int32))
    with pytest.raises(InvalidValueError, match="confidence must be in"):
        make(nothing, confidence=confidence)


def test_each_direction_stands_under_its_source_and_its_target() -> None:
    transfer = make_transfer_matrix(predictions_of(two_classifiers()))
    assert transfer.dims == ("source", "target")
    assert transfer.sel(source="a", target="b").item() == 30
    assert transfer.sel(source="b", target="a").item() == 10
    one_sided = make_one_sided_matrix(predictions_of(two_classifiers()))
    assert one_sided.sel(source="a", target="b").item() == pytest.approx(np.log(30))
    assert one_sided.sel(source="b", target="a").item() == pytest.approx(np.log(10))


def test_the_control_stands_beside_the_transfer() -> None:
    control = np.zeros((2, 2, 10))
    control[0, 1, :2] = 1
    np.testing.assert_array_equal(make_transfer_matrix(predictions_of(two_classifiers(), control)).control, [[0, 20], [0, 0]])


def test_a_pair_without_a_shared_image_is_nan_and_named_in_a_warning() -> None:
    transfer = np.ones((3, 3, 10), dtype=np.int32)
    transfer[0, 2] = transfer[2, 0] = NOT_COUNTED
    with pytest.warns(EmptyPairWarning, match="a and c share no correctly classified image; their score is NaN") as caught:
        matrix = make_sat_matrix(predictions_of(transfer))
    assert len(caught) == 1
    for values in (matrix, matrix.low, matrix.high, matrix.percent):
        np.testing.assert_array_equal(np.isnan(values), [[False, False, True], [False, False, False], [True, False, False]])


def test_a_source_that_fools_itself_on_fewer_than_90_percent_is_pointed_out() -> None:
    transfer = two_classifiers()
    transfer[1, 1, :2] = 0
    with pytest.warns(WeakSourceWarning, match="the attack on b fools b itself on only 80 % of images") as caught:
        matrix = make_sat_matrix(predictions_of(transfer))
    assert len(caught) == 1
    assert matrix.sel(a="b", b="b").percent.item() == 80


def test_90_percent_are_not_weak() -> None:
    transfer = two_classifiers()
    transfer[1, 1, 0] = 0
    assert make_sat_matrix(predictions_of(transfer)).sel(a="b", b="b").percent.item() == 90


@pytest.mark.parametrize("confidence", [0.95, None])
def test_what_is_not_measured_yet_is_nan_without_a_warning(confidence: float | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nothing = make_sat_matrix(predictions_of(np.full((2, 2, 10), NOT_MEASURED)), confidence=confidence)
    assert np.isnan(nothing).all()


def test_a_half_measured_study_is_scored_on_the_images_measured_both_ways() -> None:
    transfer = two_classifiers()
    transfer[1, :, 6:] = NOT_MEASURED
    pair = make_sat_matrix(predictions_of(transfer)).sel(a="a", b="b")
    assert pair["count"].item() == 6
    assert pair.percent.item() == pytest.approx(100 * (3 + 1) / 12)


def test_normalised_scores_are_of_the_same_form_and_say_so() -> None:
    transfer = two_classifiers()
    transfer[0, 0, 5:] = 0  # a's attack fools a on half of the images; b on 3 of 5 of them
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a weak source is what this is for
        matrix = make_sat_matrix(predictions_of(transfer), normalize=True)
    pair = matrix.sel(a="a", b="b")
    assert pair.percent.item() == pytest.approx((60 + 10) / 2)
    assert pair.low.item() < pair.item() < pair.high.item()
    assert matrix.attrs["normalized"]
    one_sided = make_one_sided_matrix(predictions_of(transfer), normalize=True)
    assert np.exp(one_sided.sel(source="a", target="b").item()) == pytest.approx(60)


def test_normalised_a_source_that_never_fools_itself_is_named() -> None:
    transfer = two_classifiers()
    transfer[0, 0] = 0
    with pytest.warns(WeakSourceWarning, match="the attack on a never fools a itself") as caught:
        matrix = make_sat_matrix(predictions_of(transfer), normalize=True)
    assert len(caught) == 1
    np.testing.assert_array_equal(np.isnan(matrix), [[True, True], [True, False]])


def test_same_mistakes_stand_under_source_and_target_with_intervals() -> None:
    transfer = two_classifiers()
    transfer[0, 1, :2] = 2  # b takes two of its three images for another wrong class than a does
    matrix = make_same_mistake_matrix(predictions_of(transfer))
    assert matrix.sel(source="a", target="b").item() == 10
    assert matrix.sel(source="b", target="a").item() == 10
    assert (matrix.low <= matrix).all()
    assert (matrix <= matrix.high).all()
    assert matrix.sel(source="a", target="a").item() == 100
    assert {"low", "high"}.isdisjoint(make_same_mistake_matrix(predictions_of(transfer), confidence=None).coords)
