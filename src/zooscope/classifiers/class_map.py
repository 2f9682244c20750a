"""Class maps: which of a network's outputs stands for which class of the images.

For networks whose classes come in another order, with a background class, or among more classes than the images have.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from zooscope.classifiers.addresses import BACKGROUND
from zooscope.classifiers.class_map_file import find_path, read_outputs
from zooscope.classifiers.class_matching import BY_CLASS_MAP, compare_names
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import InvalidValueError


class ClassMap(nn.Module):
    """A network of which only some outputs are taken, in another order.

    The order is a buffer, so that it is part of the classifier's digest.
    """

    def __init__(self, network: nn.Module, outputs: Sequence[int]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("outputs", torch.tensor(outputs, dtype=torch.int64))

    def forward(self, pixels: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch cls"]:
        """The logits of the images' classes, in their order."""
        logits: Tensor = self.network(pixels)
        return logits.index_select(1, self.get_buffer("outputs"))


class _Matched(ClassMap):
    """A class map that follows the names of the outputs."""


def apply_class_map(classifier: Classifier, class_map: str) -> Classifier:
    """A classifier with the images' classes instead of its network's.

    Args:
        classifier: gives `num_classes` logits, as its network does.
        class_map: `background` where output 0 is background and output i + 1 is class i; else a file, see
            `zooscope.classifiers.class_map_file.read_outputs`.

    Raises:
        MissingFileError: there is no such file.
        InvalidValueError: the file is no class map, or the network has no such outputs.
    """
    if class_map == BACKGROUND:
        outputs, place = tuple(range(1, classifier.num_classes)), "the class map background"
    else:
        file = find_path(class_map)
        outputs, place = read_outputs(file), f"the class map {file}"
    if len(outputs) < 2:  # noqa: PLR2004  (one class is none to choose from)
        msg = f"{place} leaves {classifier.name} fewer than 2 of its {classifier.num_classes} outputs; name one for each class."
        raise InvalidValueError(msg)
    beyond = [output for output in outputs if output >= classifier.num_classes]
    if beyond:
        msg = (
            f"{place} names output {beyond[0]}, but the network of {classifier.name} has outputs 0 to "
            f"{classifier.num_classes - 1}; count from 0."
        )
        raise InvalidValueError(msg)
    return _take_outputs(classifier, outputs, class_matching=BY_CLASS_MAP)


def match_classes(classifier: Classifier, class_names: Sequence[str], *, are_given: bool = False) -> Classifier:
    """A classifier whose outputs are in the order of the images' classes, as far as the names of both say it.

    Args:
        classifier: has as many classes; matched with other classes before, it is matched anew.
        class_names: of the images.
        are_given: whether the user gave the order of these classes, which then holds.

    Returns:
        The classifier with a `class_matching`. Where the order differs, its network has the right one, which is part of its digest.
    """
    before = _undo(classifier, classifier.network) if isinstance(classifier.network, _Matched) else classifier
    has_class_map = before.class_matching.startswith(BY_CLASS_MAP)
    how, outputs = compare_names(before.class_names, class_names, are_given=are_given, has_class_map=has_class_map)
    if classifier.class_matching == how and (outputs is None or before is not classifier):
        return classifier  # keeps its digest, which takes time
    if outputs is None:
        return replace(before, class_matching=how)
    return _take_outputs(before, outputs, class_matching=how, kind=_Matched)


def _take_outputs(
    classifier: Classifier, outputs: Sequence[int], *, class_matching: str, kind: type[ClassMap] = ClassMap
) -> Classifier:
    names = classifier.class_names
    return replace(
        classifier,
        network=kind(classifier.network, outputs).eval(),
        num_classes=len(outputs),
        class_names=None if names is None else tuple(names[output] for output in outputs),
        class_matching=class_matching,
    )


def _undo(classifier: Classifier, network: "_Matched") -> Classifier:
    """As the classifier was before it was matched."""
    places = network.get_buffer("outputs").argsort().tolist()
    names = None if classifier.class_names is None else tuple(classifier.class_names[place] for place in places)
    return replace(classifier, network=network.network, class_names=names, class_matching="")
