"""The teacher of a student: frozen, in eval mode, at its own size and with its own normalisation."""

import warnings
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from zooscope.classifiers.class_map import match_classes
from zooscope.classifiers.class_matching import PLAIN
from zooscope.classifiers.load import load_classifier
from zooscope.errors import ClassifierError, ClassMatchingWarning
from zooscope.measurements.common_pixels import resize


class Teacher:
    """Says which class it sees in the images that the student is trained on."""

    def __init__(self, address: str, *, class_names: Sequence[str]) -> None:
        """Loads it, and matches its outputs with the images' classes, as a study does.

        Raises:
            ClassifierError: it has another number of classes than the images, or can't be loaded.

        Warns:
            ClassMatchingWarning: its outputs have other names, or the same in another order.
        """
        classifier = load_classifier(address)
        if classifier.num_classes != len(class_names):
            msg = (
                f"the teacher {classifier.name} has {classifier.num_classes} classes, but the images have {len(class_names)}; "
                "give it a class_map, or take another."
            )
            raise ClassifierError(msg)
        self.classifier = match_classes(classifier, class_names)
        how = self.classifier.class_matching
        if how not in PLAIN:
            msg = f"the classes of the teacher {classifier.name} are matched {how}."
            warnings.warn(msg, ClassMatchingWarning, stacklevel=2)

    def to(self, device: torch.device) -> "Teacher":
        """Moves it to a device."""
        self.classifier.to(device)
        return self

    @torch.no_grad()
    def classify(self, pixels: Float[Tensor, "batch channel height width"]) -> Int[Tensor, " batch"]:
        """The class that it predicts for each image.

        Args:
            pixels: in [0, 1], augmented and mixed as the student gets them, at the student's size.
        """
        return self.classifier.logits(resize(pixels, self.classifier.transform.size)).argmax(1)
