"""A known permutation is found again, and none where there is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.specimens import Array
from zooscope.engine.permuted import advise_class_map, describe_order, find_permutation

ORDER = [0, 1, 2, 5, 4, 3, 6, 7, 9, 8]


def answer(labels: Array, *, accuracy: float, seed: int, num_classes: int = 10) -> Array:
    """Answers that are right so often, else anything."""
    generator = np.random.default_rng(seed)
    return np.where(generator.random(len(labels)) < accuracy, labels, generator.integers(0, num_classes, len(labels)))


def permute(said: Array, order: list[int]) -> Array:
    """What a network says whose output `place` is output `order[place]` of the one before."""
    return np.argsort(order)[said]


@settings(max_examples=25)
@given(order=st.permutations(range(10)), seed=st.integers(0, 1000))
def test_any_permutation_is_found_exactly(order: list[int], seed: int) -> None:
    labels = np.arange(400) % 10
    said = answer(labels, accuracy=0.8, seed=seed)
    found = find_permutation(permute(said, order), labels, num_classes=10)
    if order == list(range(10)):
        assert found is None
    else:
        assert found is not None
        assert found.outputs == tuple(np.argsort(order))
        assert found.permuted_accuracy == pytest.approx(100 * (said == labels).mean())
        assert found.accuracy == 100 * (permute(said, order) == labels).mean()
        assert found.moved == tuple(place for place in range(10) if order.index(place) != place)


def test_two_swapped_classes_of_a_thousand_are_found() -> None:
    labels = np.arange(20_000) % 1000
    order = list(range(1000))
    order[3], order[700] = 700, 3
    said = answer(labels, accuracy=0.7, seed=0, num_classes=1000)
    found = find_permutation(permute(said, order), labels, num_classes=1000)
    assert found is not None
    assert found.moved == (3, 700)
    assert find_permutation(said, labels, num_classes=1000) is None


@pytest.mark.parametrize("num_images", [20, 50, 200])
def test_of_guessers_at_most_as_many_as_the_significance_allows_get_an_order(num_images: int) -> None:
    labels, generator = np.arange(num_images) % 10, np.random.default_rng(num_images)
    found = [find_permutation(generator.integers(0, 10, num_images), labels, num_classes=10) for _ in range(300)]
    assert sum(one is not None for one in found) <= 12  # 3 are expected; more than 12 come once in 50,000


def test_a_classifier_that_mixes_classes_up_is_not_permuted() -> None:
    # Of each class as many are right as go to the next class: the worst case, where neither order is the better one.
    labels, generator, num_found = np.repeat(np.arange(10), 40), np.random.default_rng(0), 0
    for _ in range(300):
        draw = generator.random(400)
        said = np.where(draw < 0.42, labels, np.where(draw < 0.84, (labels + 1) % 10, generator.integers(0, 10, 400)))
        num_found += find_permutation(said, labels, num_classes=10) is not None
    assert num_found <= 12  # as above


def test_too_few_images_show_nothing() -> None:
    labels = np.arange(10)
    assert find_permutation(permute(labels, ORDER), labels, num_classes=10) is None


def test_the_order_of_the_images_does_not_matter_to_what_is_found() -> None:
    labels = np.arange(100) % 10
    said = permute(answer(labels, accuracy=0.9, seed=1), ORDER)
    shuffled = np.random.default_rng(0).permutation(100)
    found = find_permutation(said[shuffled], labels[shuffled], num_classes=10)
    assert found is not None
    assert found.outputs == tuple(ORDER)


def test_classes_without_images_stay_where_they_are() -> None:
    labels = np.repeat([0, 1], 20)
    found = find_permutation(1 - labels, labels, num_classes=5)
    assert found is not None
    assert found.outputs == (1, 0, 2, 3, 4)


def test_long_orders_are_cut() -> None:
    labels = np.arange(600) % 30
    found = find_permutation(permute(labels, list(range(29, -1, -1))), labels, num_classes=30)
    assert found is not None
    assert "(class 0 is output 29, class 1 is output 28, class 2 is output 27 and 27 more)" in describe_order(found)
    assert advise_class_map(found).endswith("with the lines that the study's snapshot has (permutations)")
