"""How passes through networks are computed: in which precision, bit for bit as plain torch does, or faster."""

from dataclasses import dataclass
from typing import Final

import torch

from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.compiled import require_compiler
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
        is_compiled: whether torch compiles networks that are prepared for speed.
    """

    precision: Precision = "float32"
    is_exact: bool = False
    is_compiled: bool = False

    def __post_init__(self) -> None:
        """Refuses what there isn't."""
        require_precision(self.precision)
        if self.is_exact and self.precision != "float32":
            msg = f"exact is of float32 alone: with precision {self.precision}, leave it out."
            raise InvalidValueError(msg)
        if self.is_exact and self.is_compiled:
            msg = "exact runs networks as they are, so they can't be compiled: leave one of both out."
            raise InvalidValueError(msg)

    def require(self, device: torch.device) -> None:
        """Refuses a device that lacks the precision, or a compiler where one is needed.

        Raises:
            InvalidValueError: it lacks one of both.
        """
        require_precision(self.precision, device)
        if self.is_compiled:
            require_compiler(device.type)

    def apply(self, classifier: Classifier, device: torch.device) -> Classifier:
        """The classifier as it is run on a device; it is not moved there."""
        if self.is_exact:
            return classifier
        return prepare(classifier, precision=self.precision, device=device, compiled=self.is_compiled)


EXACT: Final = Numerics(is_exact=True)
