"""Which classifiers to take as landmarks, by their predictions on clean images alone."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float, Int

from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError, UnknownNameError

MEDOIDS: Final = "medoids"
METHODS: Final = (MEDOIDS, "spread")


@check_arguments
def choose_landmarks(
    clean: Int[np.ndarray, "classifier image"], count: int, *, names: Sequence[str] | None = None, method: str = MEDOIDS
) -> tuple[str, ...]:
    """The names of classifiers that represent all, by how often two predict the same class on clean images.

    No attack is needed: clean predictions are at hand anyway. Two methods:

    - `medoids`: each next one is that with which the nearest landmarks of all classifiers agree best, on average (greedy facility
      location; Nemhauser, Wolsey and Fisher, Mathematical Programming, 1978).
    - `spread`: each next one is that whose predictions are least explained by those chosen so far (pivoted Cholesky; Fine and
      Scheinberg, JMLR 2001). It takes outliers first, and they make poor landmarks where networks are weak: see docs/completion.md.

    Example:
        >>> import numpy as np
        >>> from zooscope.analyses import choose_landmarks
        >>> clean = np.array([[0, 0, 1, 1], [0, 0, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]])
        >>> choose_landmarks(clean, 2, names=["a", "b", "c", "d"])
        ('a', 'c')

    Args:
        clean: the predicted class of each image.
        count: how many to choose.
        names: of the classifiers; their positions if left out. Of equals the first in alphabetical order is taken.
        method: `medoids` or `spread`.

    Raises:
        InvalidValueError: there are not so many classifiers, or not as many names.
        UnknownNameError: there is no such method.
    """
    if method not in METHODS:
        kind = "method"
        raise UnknownNameError(kind, method, METHODS, f"Landmarks are chosen by {' or '.join(METHODS)}.")
    called = [str(place) for place in range(len(clean))] if names is None else list(names)
    if len(called) != len(clean):
        msg = f"there are {len(clean)} classifiers, but {len(called)} names for them; name each once."
        raise InvalidValueError(msg)
    if not 1 <= count <= len(clean):
        msg = f"there must be between 1 and {len(clean)} landmarks, the number of classifiers: got {count}."
        raise InvalidValueError(msg)
    order = sorted(range(len(clean)), key=called.__getitem__)
    agreement = measure_clean_agreement(clean[order])
    find = find_medoids if method == MEDOIDS else find_pivots
    return tuple(called[order[place]] for place in find(agreement, count))


def measure_clean_agreement(clean: Int[np.ndarray, "classifier image"]) -> Float[np.ndarray, "a b"]:
    """The share of images for which two classifiers predict the same class; a positive semidefinite matrix."""
    return np.stack([(clean == own).mean(axis=1) for own in clean])


def find_medoids(similarity: Float[np.ndarray, "a b"], count: int) -> list[int]:
    """Positions such that each is, on average, as similar as possible to the nearest of them; chosen one by one.

    >>> find_medoids(np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.2], [0.1, 0.2, 1.0]]), 2)
    [1, 2]
    """
    nearest, chosen = np.zeros(len(similarity)), list[int]()
    for _ in range(count):
        gains = np.maximum(similarity, nearest).sum(axis=1)
        gains[chosen] = -np.inf
        chosen.append(int(gains.argmax()))
        nearest = np.maximum(nearest, similarity[chosen[-1]])
    return chosen


def find_pivots(kernel: Float[np.ndarray, "a b"], count: int) -> list[int]:
    """The positions that a pivoted Cholesky decomposition of a positive semidefinite matrix takes first, in its order.

    The first pivot is the row with the largest mean; afterwards the largest remaining diagonal decides.
    """
    left, factor = kernel.diagonal().copy(), np.zeros((len(kernel), count))
    pivots = [int(kernel.mean(axis=1).argmax())]
    for step in range(count):
        pivot = pivots[step]
        if left[pivot] > np.finfo(np.float64).eps:
            factor[:, step] = (kernel[:, pivot] - factor[:, :step] @ factor[pivot, :step]) / np.sqrt(left[pivot])
        left = np.maximum(left - factor[:, step] ** 2, 0)
        left[pivots] = -1.0
        if step + 1 < count:
            pivots.append(int(left.argmax()))
    return pivots
