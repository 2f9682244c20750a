"""The logits in what a network gives: a tensor, or something that holds one."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from zooscope.errors import ClassifierError

LOGITS: Final = "logits"
PROBABILITIES: Final = "probabilities"
OUTPUTS: Final = (LOGITS, PROBABILITIES)
ROUNDING: Final = 1e-2  # how far a probability may lie outside of [0, 1]; in half precision it does
_HALF: Final = (torch.float16, torch.bfloat16)


def find_logits(output: Any, *, num_images: int, num_classes: int) -> Float[Tensor, "batch cls"] | None:  # noqa: ANN401  (whatever a network gives)
    """The logits, in float32 where they come in half precision; None where the output holds none, or several that could be.

    Args:
        output: a tensor; a mapping or an object with `logits`; or a tuple or list with one tensor that fits.
        num_images: how many images the network was given.
        num_classes: how many logits each image must get. For two classes one logit will do: x stands for (0, x).
    """
    found = [logits for part in find_tensors(output) if (logits := _fit(part, num_images, num_classes)) is not None]
    if len(found) != 1:
        return None
    return found[0].float() if found[0].dtype in _HALF else found[0]


def count_classes(output: Any) -> int | None:  # noqa: ANN401  (as above)
    """How many logits a network gives for one image; None where that can't be told."""
    counts = [flat.shape[1] for part in find_tensors(output) if (flat := _flatten(part, 1)) is not None]
    return counts[0] if len(counts) == 1 else None


class Logarithm(nn.Module):
    """The logarithm of a network's probabilities, which has the gradients of logits; of one probability, log p / (1 - p).

    A buffer marks it, so that it is another classifier than the network as it is.
    """

    def __init__(self, network: nn.Module, *, name: str) -> None:
        """Takes the network, and the name of the classifier for an error."""
        super().__init__()
        self.network, self._name = network, name
        self.register_buffer("takes_logarithm", torch.tensor(1))

    def forward(self, pixels: Float[Tensor, "batch channel height width"]) -> Any:  # noqa: ANN401  (as the network, if it gives no tensor)
        """Log-probabilities.

        Raises:
            ClassifierError: the network gives other values than probabilities.
        """
        found = [flat for part in find_tensors(self.network(pixels)) if (flat := _flatten(part, len(pixels))) is not None]
        if len(found) != 1:
            return None
        (given,) = found
        if bool(((given < -ROUNDING) | (given > 1 + ROUNDING)).any()):
            msg = (
                f"{self._name} gives values from {float(given.min()):.3g} to {float(given.max()):.3g}, which are no probabilities; "
                "leave outputs=probabilities out."
            )
            raise ClassifierError(msg)
        smallest = torch.finfo(given.dtype).tiny
        if given.shape[1] == 1:
            return torch.log(given.clamp(min=smallest)) - torch.log1p(-given.clamp(max=1 - torch.finfo(given.dtype).eps))
        return given.clamp(min=smallest).log()


def find_tensors(output: Any) -> list[Tensor]:  # noqa: ANN401  (as above)
    """The tensors in what a network gives: of a mapping or an object those that it calls logits."""
    if isinstance(output, Mapping):
        output = output.get(LOGITS)
    elif hasattr(output, LOGITS):
        output = getattr(output, LOGITS)
    candidates = output if isinstance(output, tuple | list) else [output]
    return [part for part in candidates if isinstance(part, Tensor)]


def describe_output(output: Any) -> str:  # noqa: ANN401  (as above)
    """What a network has given, for an error."""
    if isinstance(output, Tensor):
        return f"{output.dtype} of shape {tuple(output.shape)}".removeprefix("torch.")
    if isinstance(output, Mapping):
        return f"{type(output).__name__} with {', '.join(map(str, output)) or 'nothing'}"
    if isinstance(output, Sequence) and not isinstance(output, str | bytes):
        return f"{type(output).__name__} of {', '.join(describe_output(part) for part in output) or 'nothing'}"
    return type(output).__name__


def _fit(part: Tensor, num_images: int, num_classes: int) -> Tensor | None:
    flat = _flatten(part, num_images)
    if flat is not None and flat.shape[1] == 1 and num_classes == 2:  # noqa: PLR2004  (two classes by one logit)
        return torch.cat([torch.zeros_like(flat), flat], dim=1)
    return flat if flat is not None and flat.shape[1] == num_classes else None


def _flatten(part: Tensor, num_images: int) -> Tensor | None:
    """Floats of shape (batch, classes), without axes of size 1 that come after; one float per image is one class."""
    if part.ndim == 0 or len(part) != num_images or not part.is_floating_point():
        return None
    flat = part.reshape(num_images, -1)
    return flat if flat.shape[1] == (part.shape[1] if part.ndim > 1 else 1) else None
