"""Points out classifiers that are far less accurate than they should be."""

import warnings
from collections.abc import Container, Mapping, Sequence
from typing import Final

import numpy as np
from jaxtyping import Int
from scipy.stats import binom

from zooscope.addresses import parse_address
from zooscope.classifiers.addresses import BACKGROUND
from zooscope.classifiers.bundled.cards import read_cards
from zooscope.classifiers.class_map_file import find_path, read_outputs
from zooscope.classifiers.class_matching import BY_CLASS_MAP, BY_NAME
from zooscope.engine.chance import SIGNIFICANCE
from zooscope.engine.permuted import Permutation, advise_class_map, describe_order, find_permutation
from zooscope.errors import ImplausibleClassifierWarning, ZooscopeError
from zooscope.records.entries import ClassifierRecord
from zooscope.records.predictions import NOT_MEASURED

FAR_BELOW: Final = 0.5  # of what is expected
FEWEST_PEERS: Final = 2


def find_permutations(
    classifiers: Sequence[ClassifierRecord], clean: Int[np.ndarray, "classifier image"], labels: Int[np.ndarray, " image"]
) -> dict[str, Permutation]:
    """By name, those classifiers whose outputs seem to be in another order than the classes; see `find_permutation`."""
    found = {}
    for classifier, said in zip(classifiers, clean, strict=True):
        known = said >= 0
        permutation = find_permutation(said[known], labels[known], num_classes=classifier.num_classes, num_tested=len(classifiers))
        if permutation is not None:
            found[classifier.name] = permutation
    return found


def describe_guesser(
    classifier: ClassifierRecord, predictions: Int[np.ndarray, " image"], labels: Int[np.ndarray, " image"]
) -> str:
    """What is wrong with a classifier at chance level, as the beginning of a sentence."""
    right = f"{classifier.name} gets {(predictions == labels).sum()} of {len(labels)} clean images right: chance level"
    found = find_permutation(predictions, labels, num_classes=classifier.num_classes)
    if found is not None:
        return f"{right}, but {describe_order(found)}. {_advise(classifier, found)}"
    return f"{right}. Labels (order of classes), preprocessing or weights are wrong; fix them"


def warn_of_implausible(
    classifiers: Sequence[ClassifierRecord],
    clean: Int[np.ndarray, "classifier image"],
    labels: Int[np.ndarray, " image"],
    *,
    only: Container[str] | None = None,
) -> None:
    """Warns of what `describe_implausible` finds, of some classifiers only where `only` names them.

    Warns:
        ImplausibleClassifierWarning: a classifier is far less accurate than it should be.
    """
    found = describe_implausible(classifiers, clean, labels, find_permutations(classifiers, clean, labels))
    for name, sentence in found.items():
        if only is None or name in only:
            warnings.warn(sentence, ImplausibleClassifierWarning, stacklevel=3)


def describe_implausible(
    classifiers: Sequence[ClassifierRecord],
    clean: Int[np.ndarray, "classifier image"],
    labels: Int[np.ndarray, " image"],
    permutations: Mapping[str, Permutation],
) -> dict[str, str]:
    """By name, what is odd about the accuracy of a classifier, as a sentence.

    That is a permutation of its outputs; else that fewer answers are right than half of what its card says, or half of the median
    of the other classifiers, by more than a binomial test at 1 % leaves to chance.

    Args:
        classifiers: as the record knows them.
        clean: what they say of the clean images.
        labels: the true classes.
        permutations: as `find_permutations` gives them.
    """
    known = clean != NOT_MEASURED
    num_known, num_right = known.sum(-1).tolist(), (known & (clean == labels)).sum(-1).tolist()
    shares = np.divide(num_right, num_known, out=np.full(len(known), np.nan), where=known.any(-1))
    sentences = {}
    for place, one in enumerate(classifiers):
        others = np.delete(shares, place)
        others = others[~np.isnan(others)]
        right = f"{one.name} gets {num_right[place]} of {num_known[place]} clean images right"
        card = _read_card(one)
        if one.name in permutations:
            sentences[one.name] = f"{_say_permutation(one, permutations[one.name])}."
        elif card is not None and _is_far_below(num_right[place], num_known[place], card):
            sentences[one.name] = (
                f"{right}, and its card says {100 * card:.1f} % of CIFAR-10's test images; "
                "check images, labels and the order of classes."
            )
        elif len(others) >= FEWEST_PEERS and _is_far_below(num_right[place], num_known[place], float(np.median(others))):
            sentences[one.name] = (
                f"{right}, and the median of the others is {100 * np.median(others):.1f} %; check its order of classes, "
                "preprocessing and weights."
            )
    return sentences


def _say_permutation(classifier: ClassifierRecord, found: Permutation) -> str:
    right = f"{classifier.name} gets {found.accuracy:.1f} % of the clean images right"
    return f"{right}, but {describe_order(found)}. {_advise(classifier, found)}"


def _advise(classifier: ClassifierRecord, found: Permutation) -> str:
    """What to do if the order that was found is the right one; the outputs may have been reordered before."""
    if classifier.class_matching.startswith(f"{BY_NAME}:"):
        return (
            "Outputs are counted here as they were put into the order of their names; if these names are wrong, correct them where "
            "the classifier has them"
        )
    if classifier.class_matching.startswith(BY_CLASS_MAP):
        present = _read_class_map(classifier)
        if present is None:
            return "Outputs are counted here behind the class map that it has; if that is wrong, correct it"
        return f"If that is their order, {advise_class_map(found, present)}"
    return f"If that is their order, {advise_class_map(found)}"


def _read_class_map(classifier: ClassifierRecord) -> tuple[int, ...] | None:
    """The outputs in the order of the class map that the address names; None where the file is gone or another."""
    address = parse_address(classifier.address) if classifier.address else None
    class_map = "" if address is None else address.options.get("class_map", "")
    if class_map == BACKGROUND:
        return tuple(range(1, classifier.num_classes + 1))
    try:
        outputs = read_outputs(find_path(class_map)) if class_map else ()
    except ZooscopeError:
        return None
    return outputs if len(outputs) == classifier.num_classes else None


def _is_far_below(num_right: int, num_known: int, expected: float) -> bool:
    limit = FAR_BELOW * expected
    return bool(num_right < limit * num_known and binom.cdf(num_right, num_known, limit) <= SIGNIFICANCE)


def _read_card(classifier: ClassifierRecord) -> float | None:
    """The share of images that a classifier should get right; None where no card says it."""
    address = parse_address(classifier.address) if classifier.address else None
    card = None if address is None or address.provider != "bundled" else read_cards().get(address.rest)
    return None if card is None else card.test_accuracy
