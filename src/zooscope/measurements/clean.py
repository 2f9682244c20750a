"""What a classifier says of clean images."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float16, Int32
from torch import Tensor

from zooscope.classifiers.classifier import Classifier
from zooscope.errors import ClassifierError


class Clean(NamedTuple):
    """Predicted classes, and the logits rounded to float16."""

    predictions: Int32[np.ndarray, " image"]
    logits: Float16[np.ndarray, "image cls"]


def measure_clean(classifier: Classifier, pixels: Float[Tensor, "image channel height width"], *, batch_size: int) -> Clean:
    """Predictions and logits on clean pixels; predictions are made before the rounding.

    Raises:
        ClassifierError: a logit is NaN or infinite.
    """
    logits = _logits(classifier, pixels, batch_size=batch_size)
    if not logits.isfinite().all():
        msg = f"{classifier.name} gives NaN or infinite logits on clean images; check its weights and its mean and std."
        raise ClassifierError(msg)
    largest = float(np.finfo(np.float16).max)
    return Clean(_array(logits.argmax(1)), logits.clamp(-largest, largest).cpu().numpy().astype(np.float16))


def predict(
    classifier: Classifier, pixels: Float[Tensor, "image channel height width"], *, batch_size: int
) -> Int32[np.ndarray, " image"]:
    """Predicted classes alone."""
    return _array(_logits(classifier, pixels, batch_size=batch_size).argmax(1))


def _logits(classifier: Classifier, pixels: Tensor, *, batch_size: int) -> Tensor:
    with torch.inference_mode():
        return torch.cat([classifier.logits(batch.to(classifier.device)) for batch in pixels.split(batch_size)])


def _array(predictions: Tensor) -> Int32[np.ndarray, " image"]:
    return predictions.cpu().numpy().astype(np.int32)
