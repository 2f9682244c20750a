"""Logits and predicted classes, batch by batch."""

import numpy as np
import torch
from jaxtyping import Float, Int32
from torch import Tensor

from zooscope.classifiers.classifier import Classifier
from zooscope.records.predictions import NOT_FINITE


def compute_logits(
    classifier: Classifier, pixels: Float[Tensor, "image channel height width"], *, batch_size: int
) -> Float[Tensor, "image cls"]:
    """Logits, on the classifier's device."""
    with torch.inference_mode():
        return torch.cat([classifier.logits(batch.to(classifier.device)) for batch in pixels.split(batch_size)])


def predict(
    classifier: Classifier, pixels: Float[Tensor, "image channel height width"], *, batch_size: int
) -> Int32[np.ndarray, " image"]:
    """Predicted classes; NOT_FINITE where a logit is NaN or infinite."""
    logits = compute_logits(classifier, pixels, batch_size=batch_size)
    predictions = logits.argmax(1).masked_fill(~logits.isfinite().all(1), NOT_FINITE)
    return predictions.cpu().numpy().astype(np.int32)
