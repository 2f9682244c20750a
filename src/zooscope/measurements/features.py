"""Penultimate features of clean images."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zooscope.attacks.gradients import require_finite
from zooscope.errors import LeftOutWarning, NotFiniteError
from zooscope.measurements.base import Bench, Measurement, Result, Task, find_missing_of_each
from zooscope.measurements.penultimate import compute_features, find_final_layer
from zooscope.records.kinds import FEATURES
from zooscope.records.records import Records
from zooscope.records.rows import ArrayRow


@dataclass(frozen=True, kw_only=True)
class Features(Measurement):
    """What the final classification layer of each classifier takes, per image, float32.

    The layer is the last linear layer or convolution that runs, see `zooscope.measurements.penultimate`; so this is
    `forward_head(pre_logits=True)` of timm's networks. Of a network with two heads (a distilled DeiT) it is the head that runs
    last: features of the distillation token, where timm gives the mean of both tokens. A network whose logits don't all come from
    such a layer gets arrays without columns, a warning, and no score.

    Cost: a forward pass per image. The record grows by 4 bytes per image and feature: 69 classifiers with 1,000 features each on
    5,000 images take 1.4 GB.
    """

    @property
    def kind(self) -> str:
        """Features."""
        return FEATURES

    def missing(self, records: Records, *, sources: Sequence[str]) -> tuple[Task, ...]:
        """Every classifier on every shard, sources or not."""
        del sources
        return find_missing_of_each(self, records)

    def measure(self, task: Task, bench: Bench) -> Result:
        """Features of (image, feature); of (image, 0) where the network has no final layer.

        Raises:
            NotFiniteError: a feature is NaN or infinite.

        Warns:
            LeftOutWarning: no final layer was found.
        """
        pixels, classifier = bench.pixels(task.subject, task.shard), bench.classifier(task.subject)
        layer = find_final_layer(classifier)
        if layer is None:
            msg = f"{task.subject} has no final linear layer from which its logits come, so its features can't be measured."
            warnings.warn(msg, LeftOutWarning, stacklevel=2)
            values = np.empty((len(pixels), 0), dtype=np.float32)
        else:
            features = compute_features(classifier, layer, pixels, batch_size=bench.batch_size)
            try:
                require_finite(~features.isfinite().all(1), f"{task.subject} has NaN or infinite features on clean")
            except NotFiniteError as error:
                raise error.naming(bench.ids(task.shard)) from error
            values = features.numpy()
        return Result((ArrayRow(kind=FEATURES, digest=self.digest, subject=task.subject, part=task.shard, values=values),))
