"""From predictions to what the scores count: which images were counted, and which of them were fooled."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from zooscope.records.predictions import Predictions

PERCENT = 100.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcomes:
    """Which images count for a source and a target, and on which of them the target errs.

    Attributes:
        names: the classifiers, in the order of both first axes.
        counted: images that source and target classify correctly when clean, and that are measured.
        fooled: counted images that the target gets wrong.
    """

    names: tuple[str, ...]
    counted: Bool[np.ndarray, "source target image"]
    fooled: Bool[np.ndarray, "source target image"]

    @property
    def percent(self) -> Float[np.ndarray, "source target"]:
        """Fooled images per hundred counted ones; NaN where none is counted."""
        return percent_of(self.fooled.sum(-1), self.counted.sum(-1))


def attacked(predictions: Predictions) -> Outcomes:
    """Outcomes on attacked images."""
    counted = predictions.transfer >= 0
    return Outcomes(names=predictions.names, counted=counted, fooled=counted & (predictions.transfer != predictions.labels))


def control(predictions: Predictions) -> Outcomes:
    """Outcomes on the clean images that took the way of the attacked ones: the damage done by resizing alone."""
    counted = (predictions.transfer >= 0) & (predictions.control >= 0)
    return Outcomes(names=predictions.names, counted=counted, fooled=counted & (predictions.control != predictions.labels))


def percent_of(fooled: Int[np.ndarray, "*cells"], counted: Int[np.ndarray, "*cells"]) -> Float[np.ndarray, "*cells"]:
    """100 * fooled / counted, NaN where nothing is counted."""
    return np.asarray(np.divide(PERCENT * fooled, counted, out=np.full(np.shape(counted), np.nan), where=counted > 0))


def count_pairs(outcomes: Outcomes) -> tuple[Int[np.ndarray, "pair image"], Int[np.ndarray, "pair image"]]:
    """What SAT counts of every pair (upper triangle, row by row, without the diagonal), per image.

    Returns:
        In how many directions each image was fooled (0 to 2), and how many were counted (0 or 2; images measured both ways).
    """
    rows, columns = np.triu_indices(len(outcomes.names), 1)
    counted = outcomes.counted[rows, columns] & outcomes.counted[columns, rows]
    fooled = outcomes.fooled[rows, columns].astype(np.int8) + outcomes.fooled[columns, rows]
    return np.where(counted, fooled, 0).astype(np.int8), 2 * counted.astype(np.int8)
