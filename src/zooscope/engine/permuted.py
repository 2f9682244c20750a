"""Tells whether a classifier's outputs stand for the classes of the images in another order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Int
from scipy.optimize import linear_sum_assignment
from scipy.stats import binom

from zooscope.engine.chance import SIGNIFICANCE
from zooscope.words import list_few

BONUS: Final = 0.5 + 2**-10  # images that an output counts for its own class: two that are swapped must gain more than one image
NUM_SHOWN: Final = 3
FEW: Final = 5  # images of each class, of which half are too few to tell each output for sure
MOST_LISTED: Final = 20  # outputs in a sentence


@dataclass(frozen=True, kw_only=True)
class Permutation:
    """An order of the outputs with which a classifier would be right more often.

    Attributes:
        outputs: which output stands for each class: line by line, what a class map would hold.
        accuracy: of the classifier as it is, percent.
        permuted_accuracy: with the outputs in that order, percent; each half of the images with the order found on the other half.
        num_images: from how many images the order is found.
    """

    outputs: tuple[int, ...]
    accuracy: float
    permuted_accuracy: float
    num_images: int

    @property
    def moved(self) -> tuple[int, ...]:
        """The classes for which another output stands."""
        return tuple(place for place, output in enumerate(self.outputs) if place != output)


def find_permutation(
    predictions: Int[np.ndarray, " image"], labels: Int[np.ndarray, " image"], *, num_classes: int, num_tested: int = 1
) -> Permutation | None:
    """The order of outputs that makes most answers right, where it does so on images on which it was not found; else None.

    The images are halved, each class as evenly as can be. The best order for one half is tried on the other, and the other way
    round. It must turn significantly more wrong answers into right ones than right ones into wrong ones (sign test), so that an
    order that fits few images by accident is not taken for a finding.

    >>> labels = np.repeat(np.arange(4), 20)
    >>> find_permutation(np.array([1, 0, 2, 3])[labels], labels, num_classes=4)
    Permutation(outputs=(1, 0, 2, 3), accuracy=50.0, permuted_accuracy=100.0, num_images=80)

    Args:
        predictions: the answers, from 0 to `num_classes` - 1.
        labels: the true classes.
        num_classes: how many classes there are.
        num_tested: how many classifiers are tested; the test of each is the stricter, so that a false alarm stays as rare among
            many classifiers as it is for one (Bonferroni).
    """
    right = predictions == labels
    if right.all():
        return None
    half = _halve(labels)
    right_with = np.zeros_like(right)
    for one in (False, True):
        order = _find_best_order(predictions[half == one], labels[half == one], num_classes)
        right_with[half != one] = predictions[half != one] == order[labels[half != one]]
    num_fixed, num_broken = int((right_with & ~right).sum()), int((right & ~right_with).sum())
    if binom.sf(num_fixed - 1, num_fixed + num_broken, 0.5) > SIGNIFICANCE / num_tested:
        return None
    outputs = _find_best_order(predictions, labels, num_classes)
    return Permutation(
        outputs=tuple(outputs.tolist()),
        accuracy=100 * float(right.mean()),
        permuted_accuracy=100 * float(right_with.mean()),
        num_images=len(labels),
    )


def describe_order(found: Permutation) -> str:
    """What the order changes.

    >>> describe_order(Permutation(outputs=(1, 0, 2), accuracy=40.0, permuted_accuracy=90.0, num_images=60))
    '90.0 % with its outputs in another order (class 0 is output 1, class 1 is output 0)'
    """
    moved = [f"class {place} is output {found.outputs[place]}" for place in found.moved]
    return f"{found.permuted_accuracy:.1f} % with its outputs in another order ({list_few(moved, NUM_SHOWN)})"


def advise_class_map(found: Permutation, present: Sequence[int] | None = None) -> str:
    """How to apply the order.

    >>> advise_class_map(Permutation(outputs=(1, 0, 2), accuracy=40.0, permuted_accuracy=90.0, num_images=60))
    'give it a class map (class_map=FILE) with the lines 1, 0, 2'

    Args:
        found: the order of the outputs as they are now.
        present: the network's outputs in the order that a class map gives them now; None where there is none.
    """
    outputs = found.outputs if present is None else tuple(present[output] for output in found.outputs)
    lines = ", ".join(map(str, outputs)) if len(outputs) <= MOST_LISTED else "that the study's snapshot has (permutations)"
    doubt = f" (some may be wrong: {found.num_images} images are few)" if found.num_images < FEW * len(found.outputs) else ""
    which = "a" if present is None else "another"
    return f"give it {which} class map (class_map=FILE) with the lines {lines}{doubt}"


def _halve(labels: Int[np.ndarray, " image"]) -> Bool[np.ndarray, " image"]:
    """Every second image of each class."""
    half = np.zeros(len(labels), dtype=np.bool_)
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], labels[order], side="left")
    half[order] = (np.arange(len(labels)) - starts) % 2 == 1
    return half


def _find_best_order(
    predictions: Int[np.ndarray, " image"], labels: Int[np.ndarray, " image"], num_classes: int
) -> Int[np.ndarray, " cls"]:
    """The output of each class with which most answers are right, and as few classes as possible have another's."""
    confusion = np.zeros((num_classes, num_classes))
    np.add.at(confusion, (labels, predictions), 1)
    order: Int[np.ndarray, " cls"] = linear_sum_assignment(confusion + BONUS * np.eye(num_classes), maximize=True)[1]
    return order
