import numpy as np
import pytest

from zooscope.analyses.landmarks import METHODS, choose_landmarks, find_medoids, find_pivots, measure_clean_agreement
from zooscope.errors import InvalidValueError, UnknownNameError


def make_families(*, size: int = 4, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Three families that predict alike within, and otherwise independently."""
    generator = np.random.default_rng(seed)
    heads = generator.integers(0, 10, (3, 300))
    flips = generator.random((3, size, 300)) < 0.1
    clean = np.where(flips, generator.integers(0, 10, flips.shape), heads[:, None]).reshape(-1, 300)
    return [f"{family}{number}" for family in "abc" for number in range(size)], clean


@pytest.mark.parametrize("method", METHODS)
def test_one_of_each_family_is_taken_before_a_second_one(method: str) -> None:
    names, clean = make_families()
    assert {name[0] for name in choose_landmarks(clean, 3, names=names, method=method)} == {"a", "b", "c"}


def test_medoids_leave_an_outlier_and_spread_takes_it() -> None:
    names, clean = make_families()
    odd = np.random.default_rng(9).integers(0, 10, (1, 300))
    names, clean = [*names, "odd"], np.concatenate([clean, odd])
    assert "odd" not in choose_landmarks(clean, 3, names=names)
    assert "odd" in choose_landmarks(clean, 4, names=names, method="spread")


def test_the_first_two_medoids_are_within_the_promise_of_the_best_two() -> None:
    similarity = np.random.default_rng(4).random((9, 9))
    similarity = (similarity + similarity.T) / 2
    best = max(np.maximum(similarity[a], similarity[b]).sum() for a in range(9) for b in range(a))
    first, second = find_medoids(similarity, 2)
    assert np.maximum(similarity[first], similarity[second]).sum() >= 0.75 * best  # 1 - (1 - 1/2)^2


def test_the_order_of_classifiers_changes_nothing() -> None:
    names, clean = make_families(seed=1)
    order = np.random.default_rng(0).permutation(len(names))
    assert choose_landmarks(clean[order], 5, names=[names[place] for place in order]) == choose_landmarks(clean, 5, names=names)


def test_the_pivots_leave_the_largest_diagonal_of_the_schur_complement() -> None:
    generator = np.random.default_rng(2)
    kernel = np.cov(generator.normal(size=(8, 20)))
    pivots = find_pivots(kernel, 6)
    assert pivots[0] == kernel.mean(axis=1).argmax()
    for step in range(1, 6):
        taken = pivots[:step]
        rest = kernel - kernel[:, taken] @ np.linalg.solve(kernel[np.ix_(taken, taken)], kernel[taken])
        assert pivots[step] == rest.diagonal().argmax()


def test_copies_come_last_and_each_is_taken_once() -> None:
    clean = np.array([[0, 1, 2, 3], [0, 1, 2, 3], [3, 2, 1, 0]])
    assert choose_landmarks(clean, 3) == ("0", "2", "1")
    np.testing.assert_array_equal(measure_clean_agreement(clean), [[1, 1, 0], [1, 1, 0], [0, 0, 1]])


@pytest.mark.parametrize("count", [0, 4])
def test_more_landmarks_than_classifiers_are_refused(count: int) -> None:
    with pytest.raises(InvalidValueError, match=f"between 1 and 3 landmarks, the number of classifiers: got {count}"):
        choose_landmarks(np.zeros((3, 5), dtype=np.int64), count)
    with pytest.raises(InvalidValueError, match="there are 3 classifiers, but 1 names for them"):
        choose_landmarks(np.zeros((3, 5), dtype=np.int64), 1, names=["a"])
    with pytest.raises(UnknownNameError, match="unknown method 'mediods'"):
        choose_landmarks(np.zeros((3, 5), dtype=np.int64), 1, method="mediods")
