"""How passes through networks are computed: in which precision, and whether bit for bit as plain torch does."""

from dataclasses import dataclass
from typing import Final

import torch

from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.prepared import Precision, prepare, require_precision
from zooscope.errors import InvalidValueError


@dataclass(frozen=True, kw_only=True)
class Numerics:
    """Part of a study's definition: results of different numerics differ by rounding, which grows along an attack.

    Example:
        >>> Numerics(precision="bf16").is_exact
        False

    Attributes:
        precision: of passes through networks.
        is_exact: whether networks run as they are, batch by batch; else prepared for speed, several batches at once on a CPU.
    """

    precision: Precision = "float32"
    is_exact: bool = False

    def __post_init__(self) -> None:
        """Refuses what there isn't."""
        require_precision(self.precision)
        if self.is_exact and self.precision != "float32":
            msg = f"exact is of float32 alone: with precision {self.precision}, leave it out."
            raise InvalidValueError(msg)

    def require(self, device: torch.device) -> None:
        """Refuses a device that doesn't have the precision.

        Raises:
            InvalidValueError: it doesn't.
        """
        require_precision(self.precision, device)

    def apply(self, classifier: Classifier, device: torch.device) -> Classifier:
        """The classifier as it is run on a device; it is not moved there."""
        return classifier if self.is_exact else prepare(classifier, precision=self.precision, device=device)


EXACT: Final = Numerics(is_exact=True)
