"""Which classifiers to take as landmarks, by their predictions on clean images alone."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError


@check_arguments
def choose_landmarks(
    clean: Int[np.ndarray, "classifier image"], count: int, *, names: Sequence[str] | None = None
) -> tuple[str, ...]:
    """The names of classifiers that represent all, by pivoted Cholesky on how often two predict the same class on clean images.

    The first is the one that agrees with all others best; each next one is that whose predictions are least explained by those
    chosen so far. No attack is needed: clean predictions are at hand anyway.

    Source: Fine and Scheinberg, Efficient SVM training using low-rank kernel representations, JMLR 2001 (pivoted Cholesky).

    Example:
        >>> clean = np.array([[0, 0, 1, 1], [0, 0, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]])
        >>> choose_landmarks(clean, 2, names=["a", "b", "c", "d"])
        ('a', 'c')

    Args:
        clean: the predicted class of each image.
        count: how many to choose.
        names: of the classifiers; their positions if left out. Of equals the first in alphabetical order is taken.

    Raises:
        InvalidValueError: there are not so many classifiers, or not as many names.
    """
    called = [str(place) for place in range(len(clean))] if names is None else list(names)
    if len(called) != len(clean):
        msg = f"there are {len(clean)} classifiers, but {len(called)} names for them; name each once."
        raise InvalidValueError(msg)
    if not 1 <= count <= len(clean):
        msg = f"there must be between 1 and {len(clean)} landmarks, the number of classifiers: got {count}."
        raise InvalidValueError(msg)
    order = sorted(range(len(clean)), key=called.__getitem__)
    agreement = measure_clean_agreement(clean[order])
    return tuple(called[order[place]] for place in find_pivots(agreement, count))


def measure_clean_agreement(clean: Int[np.ndarray, "classifier image"]) -> Float[np.ndarray, "a b"]:
    """The share of images for which two classifiers predict the same class; a positive semidefinite matrix."""
    return np.stack([(clean == own).mean(axis=1) for own in clean])


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
