"""The teacher of a student: frozen, in eval mode, at its own size and with its own normalisation."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from zooscope.classifiers.load import load_classifier
from zooscope.errors import ClassifierError
from zooscope.measurements.transfer import resize


class Teacher:
    """Says which class it sees in the images that the student is trained on."""

    def __init__(self, address: str, *, num_classes: int) -> None:
        """Loads it.

        Raises:
            ClassifierError: it has another number of classes than the images, or can't be loaded.
        """
        self.classifier = load_classifier(address)
        if self.classifier.num_classes != num_classes:
            msg = (
                f"the teacher {self.classifier.name} has {self.classifier.num_classes} classes, but the images have {num_classes}; "
                "give it a class_map, or take another."
            )
            raise ClassifierError(msg)

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
