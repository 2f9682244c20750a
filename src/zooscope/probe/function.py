"""Any function from pixels to logits as a classifier: a remote service, a quantised network, another framework."""

from collections.abc import Callable, Sequence
from typing import Any, Final, final

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from zooscope.classifiers.classifier import Classifier
from zooscope.errors import ClassifierError, first_line
from zooscope.images.pixel_transform import PixelTransform

Predict = Callable[[Float32[np.ndarray, "image channel height width"]], Any]
SUM_TO_ONE: Final = 1e-3
SMALLEST: Final = 1e-30


@final
class FunctionNetwork(nn.Module):
    """A network that calls a function of NumPy arrays; without parameters, and without gradients."""

    def __init__(self, predict: Predict, *, name: str, num_classes: int) -> None:
        """Takes the function."""
        super().__init__()
        self._predict, self._name, self._num_classes = predict, name, num_classes

    def forward(self, pixels: Float[Tensor, "image channel height width"]) -> Float[Tensor, "image cls"]:
        """Logits: those of the function; the logarithm where it gives probabilities; 1 for the class where it gives classes.

        Raises:
            ClassifierError: the function fails, or gives something else.
        """
        try:
            said = self._predict(pixels.detach().cpu().numpy())
            values = said.detach().cpu().numpy() if isinstance(said, Tensor) else np.asarray(said)
        except Exception as error:  # each function has its own way to stumble
            msg = f"{self._name} fails on pixels of shape {tuple(pixels.shape)} ({first_line(error)}); correct the function."
            raise ClassifierError(msg) from error
        is_classes = values.shape == (len(pixels),) and np.issubdtype(values.dtype, np.integer)
        if is_classes and (len(values) == 0 or 0 <= values.min() <= values.max() < self._num_classes):
            return torch.from_numpy(np.eye(self._num_classes, dtype=np.float32)[values])
        if values.shape != (len(pixels), self._num_classes) or not np.issubdtype(values.dtype, np.floating):
            msg = (
                f"{self._name} must give logits as floats of shape ({len(pixels)}, {self._num_classes}), or whole numbers of shape "
                f"({len(pixels)},), classes from 0 to {self._num_classes - 1}: got {values.dtype} of shape {values.shape}."
            )
            raise ClassifierError(msg)
        logits = torch.from_numpy(values.astype(np.float32))
        is_distribution = bool(((logits >= 0) & (logits <= 1)).all()) and bool(((logits.sum(1) - 1).abs() < SUM_TO_ONE).all())
        return logits.clamp_min(SMALLEST).log() if is_distribution else logits


def make_function_classifier(
    predict: Predict,
    *,
    name: str,
    num_classes: int,
    transform: PixelTransform,
    class_names: Sequence[str] | None = None,
) -> Classifier:
    """A classifier that calls a function.

    Example:
        >>> transform = PixelTransform(height=8, width=8)
        >>> bright = make_function_classifier(
        ...     lambda pixels: (pixels.mean((1, 2, 3)) > 0.5).astype(int), name="bright", num_classes=2, transform=transform
        ... )
        >>> bright.logits(torch.stack([torch.zeros(3, 8, 8), torch.ones(3, 8, 8)]))
        tensor([[1., 0.],
                [0., 1.]])

    Args:
        predict: from float32 pixels in [0, 1], an array (image, channel, height, width), to logits, probabilities or classes.
        name: what it is called.
        num_classes: how many classes there are.
        transform: how clean images become its pixels.
        class_names: its own names of its outputs, to be matched with the images' classes.
    """
    return Classifier(
        name=name,
        network=FunctionNetwork(predict, name=name, num_classes=num_classes).eval(),
        num_classes=num_classes,
        transform=transform,
        class_names=None if class_names is None else tuple(class_names),
    )
