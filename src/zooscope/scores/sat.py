"""Similarity by attack transferability (SAT).

Source: Hwang et al., Similarity of Neural Architectures using Adversarial Attack Transferability, ECCV 2024, Equation 1. Symmetric;
larger is more similar; in [log(epsilon_s), log(100)], natural logarithm.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Real

from zooscope.errors import InvalidValueError
from zooscope.scores.outcomes import PAIRS_AT_ONCE, PERCENT, Outcomes, find_percent
from zooscope.statistics.bootstrap import Interval
from zooscope.statistics.shares import bound_shares

EPSILON_S: Final = 0.01
RANGE: Final = (float(np.log(EPSILON_S)), float(np.log(PERCENT)))
SYMMETRIC: Final = True
LARGER_IS_MORE_SIMILAR: Final = True


class Sat(NamedTuple):
    """SAT of all pairs.

    Attributes:
        score: natural log of `percent`, cut below at epsilon_s; NaN if a pair shares no correctly classified image.
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
        >>> sat(Outcomes.from_flags(("a", "b"), counted=counted, fooled=fooled)).percent
        array([[100. ,  37.5],
               [ 37.5, 100. ]])

    Args:
        outcomes: of attacked images.
        epsilon_s: lower bound of percentages, so that the logarithm is finite, positive.

    Raises:
        InvalidValueError: epsilon_s is not in (0, 100].
    """
    fooled, counted = np.zeros((2, count_attacked_pairs(outcomes)), dtype=np.int64)
    for block, rows, columns in split_pairs(outcomes):
        pairs = outcomes.take_pairs(rows, columns)
        fooled[block], counted[block] = pairs.fooled.sum(-1), pairs.counted.sum(-1)
    percent = fill_pairs(find_percent(fooled, counted), outcomes, np.nan)
    return Sat(take_log_score(percent, epsilon_s=epsilon_s), percent, fill_pairs(counted // 2, outcomes, 0))


def bound_sat(outcomes: Outcomes, *, epsilon_s: float = EPSILON_S, confidence: float = 0.95) -> Interval:
    """Intervals of SAT over images, for all pairs; matrices (a, b) on the scale of `Sat.score`."""
    low, high = np.empty((2, count_attacked_pairs(outcomes)))
    for block, rows, columns in split_pairs(outcomes):
        low[block], high[block] = bound_shares(*outcomes.take_pairs(rows, columns), confidence=confidence)
    return Interval(*(take_log_score(PERCENT * fill_pairs(ends, outcomes, np.nan), epsilon_s=epsilon_s) for ends in (low, high)))


def score_one_sided(outcomes: Outcomes, *, epsilon_s: float = EPSILON_S) -> Float[np.ndarray, "source target"]:
    """SAT from one direction only: the source is attacked, the target tested."""
    return take_log_score(outcomes.percent, epsilon_s=epsilon_s)


def take_log_score(percent: Float[np.ndarray, "*cells"], *, epsilon_s: float = EPSILON_S) -> Float[np.ndarray, "*cells"]:
    """Natural logarithm of a percentage, cut below at epsilon_s.

    Example:
        >>> import numpy as np
        >>> take_log_score(np.array([0.0, 1.0, 100.0])).round(2)
        array([-4.61,  0.  ,  4.61])

    Raises:
        InvalidValueError: epsilon_s is not in (0, 100].
    """
    if not 0 < epsilon_s <= PERCENT:
        msg = f"epsilon_s must be in (0, 100] (percent): got {epsilon_s:g}."
        raise InvalidValueError(msg)
    return np.asarray(np.log(np.maximum(percent, epsilon_s)))


def split_pairs(
    outcomes: Outcomes, *, at_once: int = PAIRS_AT_ONCE
) -> Iterator[tuple[slice, Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]]]:
    """All pairs of attacked classifiers, the diagonal included, a block at a time: its slice, and the places of the classifiers."""
    rows, columns = (outcomes.attacked[places] for places in np.triu_indices(len(outcomes.attacked)))
    for start in range(0, len(rows), at_once):
        block = slice(start, start + at_once)
        yield block, rows[block], columns[block]


def count_attacked_pairs(outcomes: Outcomes) -> int:
    """The pairs of `split_pairs`."""
    return len(outcomes.attacked) * (len(outcomes.attacked) + 1) // 2


def fill_pairs(values: Real[np.ndarray, " pair"], outcomes: Outcomes, missing: float) -> Real[np.ndarray, "a b"]:
    """The symmetric matrix of all classifiers, of values in the order of `split_pairs`.

    Args:
        values: of each pair.
        outcomes: of which they are.
        missing: what pairs have of which one is not attacked.
    """
    size = len(outcomes.names)
    matrix = np.full((size, size), missing, dtype=values.dtype)
    rows, columns = (outcomes.attacked[places] for places in np.triu_indices(len(outcomes.attacked)))
    matrix[rows, columns] = matrix[columns, rows] = values
    return matrix
