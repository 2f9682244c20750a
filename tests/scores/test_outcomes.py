import numpy as np

from tests.specimens import outcomes_of
from zooscope.records.predictions import NOT_COUNTED, NOT_MEASURED, Predictions
from zooscope.scores.outcomes import attacked, control, count_pairs, percent_of

# Two classifiers, four images of the classes 0 and 1.
PREDICTIONS = Predictions(
    names=("a", "b"),
    image_ids=("1", "2", "3", "4"),
    labels=np.array([0, 0, 1, 1]),
    clean=np.array([[0, 0, 1, 0], [0, 1, 1, 1]], dtype=np.int32),
    transfer=np.array(
        [
            [[1, 1, 0, NOT_COUNTED], [1, NOT_COUNTED, 1, NOT_COUNTED]],
            [[0, NOT_COUNTED, 0, NOT_COUNTED], [NOT_MEASURED] * 4],
        ],
        dtype=np.int32,
    ),
    control=np.array([[[0, 0, 1, 0], [0, 0, 0, 0]], [[0, 0, 0, 0], [NOT_MEASURED] * 4]], dtype=np.int32),
)


def test_an_outcome_counts_where_something_was_measured_and_fools_where_the_class_is_wrong() -> None:
    outcomes = attacked(PREDICTIONS)
    np.testing.assert_array_equal(outcomes.counted[0], [[1, 1, 1, 0], [1, 0, 1, 0]])
    np.testing.assert_array_equal(outcomes.fooled[0], [[1, 1, 1, 0], [1, 0, 0, 0]])
    np.testing.assert_array_equal(outcomes.counted[1], [[1, 0, 1, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(outcomes.fooled[1], [[0, 0, 1, 0], [0, 0, 0, 0]])


def test_percent_is_of_counted_images_and_nan_without_any() -> None:
    np.testing.assert_array_equal(attacked(PREDICTIONS).percent, [[100, 50], [50, np.nan]])


def test_a_control_counts_the_images_that_the_attack_counts() -> None:
    np.testing.assert_array_equal(control(PREDICTIONS).percent, [[0, 50], [50, np.nan]])


def test_percent_of_nothing_is_nan_without_a_warning() -> None:
    np.testing.assert_array_equal(percent_of(np.array([0, 1]), np.array([0, 4])), [np.nan, 25])


def test_what_a_pair_counts_is_what_sat_counts() -> None:
    generator = np.random.default_rng(1)
    outcomes = outcomes_of(generator.random((4, 4, 30)) < 0.4, generator.random((4, 4, 30)) < 0.8)
    fooled, counted = count_pairs(outcomes)
    place = 0
    for a in range(4):
        for b in range(a + 1, 4):
            both = outcomes.counted[a, b] & outcomes.counted[b, a]
            np.testing.assert_array_equal(counted[place], 2 * both)
            np.testing.assert_array_equal(fooled[place], (outcomes.fooled[a, b] * 1 + outcomes.fooled[b, a]) * both)
            place += 1
    assert place == len(fooled)
