"""Logits and predicted classes, batch by batch."""

from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int32
from torch import Tensor

from zooscope.classifiers.classifier import Classifier
from zooscope.measurements.batches import run_batches
from zooscope.records.predictions import NOT_FINITE


def compute_logits(
    classifier: Classifier, pixels: Float[Tensor, "image channel height width"], *, batch_size: int
) -> Float[Tensor, "image cls"]:
    """Logits, on the classifier's device."""
    return torch.cat(run_batches(classifier, len(pixels), batch_size, partial(_compute_batch, pixels)))


def predict(
    classifier: Classifier, pixels: Float[Tensor, "image channel height width"], *, batch_size: int
) -> Int32[np.ndarray, " image"]:
    """Predicted classes; NOT_FINITE where a logit is NaN or infinite."""
    logits = compute_logits(classifier, pixels, batch_size=batch_size)
    predictions = logits.argmax(1).masked_fill(~logits.isfinite().all(1), NOT_FINITE)
    return predictions.cpu().numpy().astype(np.int32)


def _compute_batch(pixels: Float[Tensor, "image channel height width"], classifier: Classifier, here: slice) -> Tensor:
    with torch.inference_mode():
        return classifier.logits(pixels[here].to(classifier.device))
