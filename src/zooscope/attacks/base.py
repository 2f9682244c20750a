"""The promise of every attack."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from jaxtyping import Float, Int
from torch import Tensor

from zooscope.classifiers.classifier import Classifier


@dataclass(frozen=True, kw_only=True)
class Attack(ABC):
    """Settings of an attack, validated when made; the fields are its identity."""

    @abstractmethod
    def perturb(
        self,
        classifier: Classifier,
        pixels: Float[Tensor, "batch channel height width"],
        labels: Int[Tensor, " batch"],
        seeds: Sequence[int] | None = None,
    ) -> Float[Tensor, "batch channel height width"]:
        """Attacked pixels.

        Args:
            classifier: the source; its gradients are used.
            pixels: clean pixels in [0, 1] as the classifier takes them.
            labels: the true classes.
            seeds: one per image, for attacks that draw random numbers; an image's result depends on its own seed only.

        Returns:
            Pixels of the same shape and type, in [0, 1].

        Raises:
            ClassifierError: the classifier's logits are not finite.
        """

    @property
    def description(self) -> str:
        """The attack and its settings as JSON; equal texts are equal attacks."""
        return json.dumps({"attack": type(self).__name__, **asdict(self)})

    @property
    def digest(self) -> str:
        """SHA-256 of the description."""
        return hashlib.sha256(self.description.encode()).hexdigest()
