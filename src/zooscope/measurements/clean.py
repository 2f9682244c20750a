"""What a classifier says of clean images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float16, Int32
from torch import Tensor

from zooscope.attacks.gradients import require_finite
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import ClassifierError, NotFiniteError
from zooscope.measurements.base import Bench, Measurement, Result, Task, find_missing_of_each
from zooscope.measurements.predict import compute_logits
from zooscope.records.reading import read_clean_predictions
from zooscope.records.records import Records
from zooscope.records.rows import ArrayRow

CLEAN: Final = "clean"
LOGITS: Final = "logits"


class Outputs(NamedTuple):
    """Predicted classes, and the logits rounded to float16."""

    predictions: Int32[np.ndarray, " image"]
    logits: Float16[np.ndarray, "image cls"]


@dataclass(frozen=True, kw_only=True)
class Clean(Measurement):
    """Predicted classes on clean images, int32, and the logits rounded to float16; predictions are made before the rounding."""

    @property
    def kind(self) -> str:
        """The predictions; the logits are of a kind of their own."""
        return CLEAN

    @property
    def phase(self) -> str:
        """For `Progress`."""
        return "classify"

    def missing(self, records: Records, *, sources: Sequence[str]) -> tuple[Task, ...]:
        """Every classifier on every shard, sources or not."""
        del sources
        return find_missing_of_each(self, records, kinds=(CLEAN, LOGITS))

    def measure(self, task: Task, bench: Bench) -> Result:
        """Predictions and logits.

        Raises:
            NotFiniteError: a logit is NaN or infinite.
        """
        pixels, classifier = bench.pixels(task.subject, task.shard), bench.classifier(task.subject)
        try:
            outputs = classify(classifier, pixels, batch_size=bench.batch_size)
        except ClassifierError as error:
            told = error.naming(bench.ids(task.shard)) if isinstance(error, NotFiniteError) else error
            told.refused = task.subject
            raise told from error
        return Result(
            (
                ArrayRow(kind=CLEAN, subject=task.subject, part=task.shard, values=outputs.predictions),
                ArrayRow(kind=LOGITS, subject=task.subject, part=task.shard, values=outputs.logits),
            )
        )


def classify(classifier: Classifier, pixels: Float[Tensor, "image channel height width"], *, batch_size: int) -> Outputs:
    """Predictions and logits on clean pixels; predictions are made before the rounding.

    Raises:
        NotFiniteError: a logit is NaN or infinite.
    """
    logits = compute_logits(classifier, pixels, batch_size=batch_size)
    require_finite(~logits.isfinite().all(1), f"{classifier.name} gives NaN or infinite logits on clean")
    largest = float(np.finfo(np.float16).max)
    return Outputs(
        logits.argmax(1).cpu().numpy().astype(np.int32), logits.clamp(-largest, largest).cpu().numpy().astype(np.float16)
    )


def find_right(records: Records) -> dict[str, Bool[np.ndarray, " image"]]:
    """Which clean images each classifier gets right, as far as they are measured."""
    return dict(zip(records.names, read_clean_predictions(records) == records.labels, strict=True))
