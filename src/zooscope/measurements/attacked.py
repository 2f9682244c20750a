"""Targets tested on images that are attacked already, and on the same images unattacked."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from jaxtyping import Bool, Float, Int32
from torch import Tensor

from zooscope.measurements.base import Bench
from zooscope.measurements.common_pixels import resize
from zooscope.measurements.predict import predict
from zooscope.records.predictions import NOT_COUNTED


def classify_attacked(
    attacked: Float[Tensor, "attacked channel height width"],
    source_right: Bool[np.ndarray, " image"],
    targets: Mapping[str, Bool[np.ndarray, " image"]],
    bench: Bench,
) -> dict[str, Int32[np.ndarray, " image"]]:
    """What targets say of the attacked images of a shard; NOT_COUNTED where source or target is wrong on the clean image.

    Args:
        attacked: the images that the source gets right, in their order, attacked, at the source's size.
        source_right: which images of the shard those are.
        targets: by name, which images of the shard each gets right.
        bench: gives the targets.
    """
    chosen = np.flatnonzero(source_right)
    said = {name: np.full(len(source_right), NOT_COUNTED, dtype=np.int32) for name in targets}
    by_size: dict[tuple[int, int], Tensor] = {}
    for name, right in targets.items():
        counted = source_right & right
        if counted.any():
            target = bench.classifier(name)
            size = target.transform.size
            if size not in by_size:
                by_size[size] = resize(attacked, size)
            said[name][counted] = predict(target, by_size[size][torch.from_numpy(counted[chosen])], batch_size=bench.batch_size)
    return said


def classify_controls(
    clean: Float[Tensor, "image channel height width"], targets: Iterable[str], bench: Bench
) -> dict[str, Int32[np.ndarray, " image"]]:
    """What targets say of the clean images of a shard, as another classifier takes them, resized for each.

    Args:
        clean: all images of the shard, at the size of that classifier.
        targets: by name.
        bench: gives the targets.
    """
    said = {}
    for name in targets:
        target = bench.classifier(name)
        said[name] = predict(target, resize(clean, target.transform.size), batch_size=bench.batch_size)
    return said
