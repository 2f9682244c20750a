from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.scores.synthetic import predictions_of
from tests.specimens import Array, counted_in, fooled_in, outcomes_of
from zooscope.records.predictions import NOT_COUNTED, NOT_MEASURED, Predictions
from zooscope.scores.normalized import bound_normalized_sat, normalize_one_sided, normalize_sat
from zooscope.scores.outcomes import (
    Outcomes,
    SameMistakes,
    count_pairs,
    find_outcomes,
    find_percent,
    find_same_mistakes,
    measure_control,
)
from zooscope.scores.sat import bound_sat, sat, score_one_sided

# Two classifiers, four images of the classes 0 and 1.
PREDICTIONS = Predictions(
    names=("a", "b"),
    image_ids=("1", "2", "3", "4"),
    labels=np.array([0, 0, 1, 1]),
    clean=np.array([[0, 0, 1, 0], [0, 1, 1, 1]], dtype=np.int32),
    sources=("a", "b"),
    transfer=np.array(
        [
            [[1, 1, 0, NOT_COUNTED], [1, NOT_COUNTED, 1, NOT_COUNTED]],
            [[0, NOT_COUNTED, 0, NOT_COUNTED], [NOT_MEASURED] * 4],
        ],
        dtype=np.int32,
    ),
    transforms=("large", "small"),
    controls={("large", "b"): np.array([0, 0, 0, 0]), ("small", "a"): np.array([0, 0, 0, 0])},
)


def test_an_outcome_counts_where_something_was_measured_and_fools_where_the_class_is_wrong() -> None:
    outcomes = find_outcomes(PREDICTIONS)
    np.testing.assert_array_equal(counted_in(outcomes)[0], [[1, 1, 1, 0], [1, 0, 1, 0]])
    np.testing.assert_array_equal(fooled_in(outcomes)[0], [[1, 1, 1, 0], [1, 0, 0, 0]])
    np.testing.assert_array_equal(counted_in(outcomes)[1], [[1, 0, 1, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(fooled_in(outcomes)[1], [[0, 0, 1, 0], [0, 0, 0, 0]])


def test_percent_is_of_counted_images_and_nan_without_any() -> None:
    np.testing.assert_array_equal(find_outcomes(PREDICTIONS).percent, [[100, 50], [50, np.nan]])


def test_a_control_counts_the_images_that_the_attack_counts() -> None:
    np.testing.assert_array_equal(measure_control(PREDICTIONS), [[0, 50], [50, np.nan]])


def test_percent_of_nothing_is_nan_without_a_warning() -> None:
    np.testing.assert_array_equal(find_percent(np.array([0, 1]), np.array([0, 4])), [np.nan, 25])


def drop_rows(outcomes: Outcomes, places: Sequence[int]) -> tuple[Outcomes, Outcomes]:
    """Outcomes without the rows of some classifiers, and with rows in which nothing is measured."""
    predicted = outcomes.predicted.copy()
    predicted[places] = NOT_MEASURED
    left = np.setdiff1d(np.arange(len(outcomes.names)), places)
    return replace(outcomes, attacked=left, predicted=predicted[left]), replace(outcomes, predicted=predicted)


@pytest.mark.parametrize("kind", [Outcomes, SameMistakes])
@pytest.mark.parametrize("places", [[], [1, 3], [0, 1, 2, 4], [0, 1, 2, 3, 4]], ids=str)
def test_rows_of_classifiers_that_are_not_attacked_change_no_score(places: list[int], kind: type[Outcomes]) -> None:
    generator = np.random.default_rng(0)
    everything = outcomes_of(generator.random((5, 5, 60)) < 0.6, generator.random((5, 5, 60)) < 0.8)
    made = kind(**{one.name: getattr(everything, one.name) for one in fields(everything)})
    sparse, dense = drop_rows(made, places)
    for score in (sat, bound_sat, normalize_sat, bound_normalized_sat):
        for one, other in zip(score(sparse), score(dense), strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
    for one_sided in (score_one_sided, normalize_one_sided):
        np.testing.assert_array_equal(one_sided(sparse), one_sided(dense))
    for one, other in zip(count_pairs(sparse), count_pairs(dense), strict=True):
        np.testing.assert_array_equal(one, other)
    for chosen in ([3, 0, 4], [1], []):
        some = np.array(chosen, dtype=np.int64)
        np.testing.assert_array_equal(sparse.take_classifiers(some).num_fooled, dense.take_classifiers(some).num_fooled)
    assert sparse.predicted.nbytes == dense.predicted.nbytes * (5 - len(places)) // 5


def test_what_a_pair_counts_is_what_sat_counts() -> None:
    generator = np.random.default_rng(1)
    outcomes = outcomes_of(generator.random((4, 4, 30)) < 0.4, generator.random((4, 4, 30)) < 0.8)
    fooled, counted = count_pairs(outcomes)
    place = 0
    for a in range(4):
        for b in range(a + 1, 4):
            both = counted_in(outcomes)[a, b] & counted_in(outcomes)[b, a]
            np.testing.assert_array_equal(counted[place], 2 * both)
            np.testing.assert_array_equal(fooled[place], (fooled_in(outcomes)[a, b] * 1 + fooled_in(outcomes)[b, a]) * both)
            place += 1
    assert place == len(fooled)


def test_the_same_mistake_is_a_wrong_class_that_the_source_gives_too() -> None:
    # Of 6 images of class 0 the source a says 1 1 2 2 0 1 after its own attack; b says 1 2 2 0 1 1.
    transfer = np.zeros((2, 2, 6), dtype=np.int8)
    transfer[0, 0], transfer[0, 1] = [1, 1, 2, 2, 0, 1], [1, 2, 2, 0, 1, 1]
    transfer[1, 1], transfer[1, 0] = NOT_MEASURED, 1
    found = find_same_mistakes(predictions_of(transfer))
    np.testing.assert_array_equal(found.num_fooled[0], [5, 3])
    np.testing.assert_array_equal(found.num_counted[0], [6, 6])
    assert found.num_counted[1].tolist() == [0, 0]  # what b says of its own images is not known


@given(arrays(np.int8, (3, 3, 15), elements=st.integers(-3, 3)))
def test_the_same_mistake_is_never_more_than_what_is_fooled(transfer: Array) -> None:
    predictions = predictions_of(transfer)
    same, fooled = find_same_mistakes(predictions), find_outcomes(predictions)
    for source, target in np.ndindex(3, 3):
        counted = (transfer[source, target] >= 0) & (transfer[source, source] >= 0)
        made = counted & (transfer[source, target] != 0) & (transfer[source, target] == transfer[source, source])
        assert same.num_counted[source, target] == counted.sum()
        assert same.num_fooled[source, target] == made.sum()
    assert (same.num_fooled <= fooled.num_fooled).all()
    np.testing.assert_array_equal(same.take_classifiers(np.array([2, 0])).num_fooled, same.num_fooled[np.ix_([2, 0], [2, 0])])
