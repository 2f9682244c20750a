"""Similarity by attack transferability (SAT).

Source: Hwang et al., Similarity of Neural Architectures using Adversarial Attack Transferability, ECCV 2024, Equation 1. Symmetric;
larger is more similar; in [log(epsilon_s), log(100)], natural logarithm.
"""

from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from zooscope.errors import InvalidValueError
from zooscope.scores.outcomes import PERCENT, Outcomes, percent_of
from zooscope.statistics.bootstrap import Interval, bootstrap_shares

EPSILON_S: Final = 0.01
RANGE: Final = (float(np.log(EPSILON_S)), float(np.log(PERCENT)))
SYMMETRIC: Final = True
LARGER_IS_MORE_SIMILAR: Final = True


class Sat(NamedTuple):
    """SAT of all pairs.

    Attributes:
        score: natural log of `percent`, cut below at epsilon_s; NaN where a pair shares no correct image.
        percent: mean of both directions' fooled images per hundred.
        counted: images that both classify correctly when clean: |X_AB|.
    """

    score: Float[np.ndarray, "a b"]
    percent: Float[np.ndarray, "a b"]
    counted: Int[np.ndarray, "a b"]


def sat(outcomes: Outcomes, *, epsilon_s: float = EPSILON_S) -> Sat:
    """SAT of all pairs, the diagonal included: there it is the source's success on itself.

    Example:
        >>> import numpy as np
        >>> counted = np.ones((2, 2, 4), dtype=bool)
        >>> fooled = np.array([[[1, 1, 1, 1], [1, 0, 0, 0]], [[1, 1, 0, 0], [1, 1, 1, 1]]], dtype=bool)
        >>> sat(Outcomes(names=("a", "b"), counted=counted, fooled=fooled)).percent
        array([[100. ,  37.5],
               [ 37.5, 100. ]])

    Args:
        outcomes: of attacked images.
        epsilon_s: the smallest percentage told apart from none, positive.

    Raises:
        InvalidValueError: epsilon_s is not in (0, 100].
    """
    both = _both_directions(outcomes)
    percent = percent_of(both.fooled.sum(-1), 2 * both.counted.sum(-1))
    return Sat(log_score(percent, epsilon_s=epsilon_s), percent, both.counted.sum(-1))


def sat_intervals(outcomes: Outcomes, *, epsilon_s: float = EPSILON_S, confidence: float = 0.95, seed: int = 0) -> Interval:
    """Intervals of SAT by bootstrap over images, for all pairs; matrices (a, b) on the scale of `Sat.score`."""
    both = _both_directions(outcomes)
    size = len(outcomes.names)
    rows, columns = np.triu_indices(size)
    ends = bootstrap_shares(
        both.fooled[rows, columns], 2 * both.counted[rows, columns].astype(np.int8), confidence=confidence, seed=seed
    )
    return Interval(*(log_score(_symmetric(PERCENT * end, size), epsilon_s=epsilon_s) for end in ends))


def one_sided(outcomes: Outcomes, *, epsilon_s: float = EPSILON_S) -> Float[np.ndarray, "source target"]:
    """SAT from one direction alone: source attacks, target is tested."""
    return log_score(outcomes.percent, epsilon_s=epsilon_s)


def log_score(percent: Float[np.ndarray, "*cells"], *, epsilon_s: float = EPSILON_S) -> Float[np.ndarray, "*cells"]:
    """Natural logarithm of a percentage, cut below at epsilon_s."""
    if not 0 < epsilon_s <= PERCENT:
        msg = f"epsilon_s must be in (0, 100] (percent): got {epsilon_s:g}."
        raise InvalidValueError(msg)
    return np.asarray(np.log(np.maximum(percent, epsilon_s)))


class _BothDirections(NamedTuple):
    counted: Bool[np.ndarray, "a b image"]
    fooled: Int[np.ndarray, "a b image"]


def _both_directions(outcomes: Outcomes) -> _BothDirections:
    """Images measured both ways, and in how many of the two directions each was fooled."""
    counted = outcomes.counted & outcomes.counted.swapaxes(0, 1)
    fooled = outcomes.fooled.astype(np.int8) + outcomes.fooled.swapaxes(0, 1)
    return _BothDirections(counted, np.where(counted, fooled, 0))


def _symmetric(upper: Float[np.ndarray, " pair"], size: int) -> Float[np.ndarray, "a b"]:
    matrix = np.empty((size, size))
    rows, columns = np.triu_indices(size)
    matrix[rows, columns] = matrix[columns, rows] = upper
    return matrix
