"""Tells a classifier that knows the images from one that guesses."""

from typing import Final

import numpy as np
from jaxtyping import Int
from scipy.stats import binom

SIGNIFICANCE: Final = 0.01


def is_at_chance(predictions: Int[np.ndarray, " image"], labels: Int[np.ndarray, " image"], *, num_classes: int) -> bool:
    """Whether the answers say nothing of the images.

    That is so when guessing among `num_classes` could well have given as many right answers, or when images of several classes all
    get the same answer. On so few images that even all right answers would not be significant, no classifier is rejected.
    """
    is_enough = (1 / num_classes) ** len(labels) < SIGNIFICANCE
    return is_enough and not is_above_chance(predictions, labels, num_classes=num_classes)


def is_above_chance(
    predictions: Int[np.ndarray, " image"],
    labels: Int[np.ndarray, " image"],
    *,
    num_classes: int,
    significance: float = SIGNIFICANCE,
) -> bool:
    """Whether the answers show that the classifier knows something of the images; False where there are too few to show it.

    Args:
        predictions: the answers.
        labels: the true classes.
        num_classes: among which a guesser would guess.
        significance: how likely a guesser may be taken for one that knows.
    """
    always_the_same = len(np.unique(predictions)) == 1 and len(np.unique(labels)) > 1
    num_right = int((predictions == labels).sum())
    return not always_the_same and bool(binom.sf(num_right - 1, len(labels), 1 / num_classes) <= significance)
