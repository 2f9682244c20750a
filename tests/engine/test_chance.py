import numpy as np
import pytest
from scipy.stats import binomtest

from zooscope.engine.chance import SIGNIFICANCE, is_at_chance


def with_right(num_right: int, labels: np.ndarray) -> np.ndarray:
    """Predictions of which the first so many are right."""
    return np.where(np.arange(len(labels)) < num_right, labels, labels + 1).astype(np.int32)


@pytest.mark.parametrize("num_classes", [2, 10])
@pytest.mark.parametrize("num_right", range(0, 41, 4))
def test_a_classifier_guesses_unless_a_binomial_test_says_otherwise(num_classes: int, num_right: int) -> None:
    labels = np.arange(40) % num_classes
    expected = binomtest(num_right, 40, 1 / num_classes, alternative="greater").pvalue > SIGNIFICANCE
    assert is_at_chance(with_right(num_right, labels), labels, num_classes=num_classes) == expected


def test_naming_the_most_frequent_class_is_guessing() -> None:
    labels = np.array([0] * 80 + list(range(1, 10)) * 2 + [1, 2])
    assert is_at_chance(np.zeros(100, dtype=np.int32), labels, num_classes=10)


def test_images_of_one_class_do_not_make_a_good_classifier_a_guesser() -> None:
    labels = np.full(20, 3)
    assert not is_at_chance(labels.astype(np.int32), labels, num_classes=10)
    assert is_at_chance(with_right(2, labels), labels, num_classes=10)


def test_on_too_few_images_nobody_is_held_to_be_guessing() -> None:
    labels = np.array([0, 1, 0, 1, 0, 1])
    assert not is_at_chance(1 - labels.astype(np.int32), labels, num_classes=2)
