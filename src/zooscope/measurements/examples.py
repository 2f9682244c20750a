"""Images before and after an attack, for a person to look at."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from zooscope.attacks.base import Attack
from zooscope.classifiers.classifier import Classifier
from zooscope.images.image_set import ImageSet
from zooscope.kept.kept_attacks import KeptAttacks
from zooscope.measurements.base import Bench
from zooscope.measurements.clean import find_right
from zooscope.measurements.transfer import Transfer, perturb
from zooscope.records.records import Records


class ExamplePixels(NamedTuple):
    """Pixels in [0, 1] at the source's size."""

    clean: Float32[np.ndarray, "image height width channel"]
    attacked: Float32[np.ndarray, "image height width channel"]


def make_examples(
    attack: Attack, source: Classifier, images: ImageSet, *, seed: int, measured: Mapping[int, Tensor] | None = None
) -> ExamplePixels:
    """The images as the source takes them, and attacked through it; all of them, also those that the source gets wrong.

    Args:
        attack: the attack.
        source: the classifier.
        images: to be shown.
        seed: of the study.
        measured: attacked pixels that are known, by the place of the image; the others are attacked, together.
    """
    pixels, known = images.pixels(source), measured or {}
    attacked = torch.stack([known.get(place, one) for place, one in enumerate(pixels)])
    rest = [place for place in range(len(images)) if place not in known]
    if rest:
        labels, ids = torch.from_numpy(images.labels[rest]), [images.ids[place] for place in rest]
        attacked[rest] = perturb(attack, source, pixels[rest], labels, ids, seed=seed, batch_size=len(rest)).pixels.cpu()
    return ExamplePixels(_put_channels_last(pixels), _put_channels_last(attacked))


def find_measured(
    records: Records,
    kept: KeptAttacks,
    *,
    attack: Attack,
    source: str,
    positions: Sequence[int],
    bench: Bench,
) -> dict[int, Tensor]:
    """Attacked pixels of a study as they were measured, of those images of which they are kept.

    Args:
        records: of the study.
        kept: its attacked images.
        attack: its attack.
        source: the name of the classifier.
        positions: of the images that are looked for.
        bench: has classifiers and images, on the device and with the batch size of the measurement.

    Returns:
        By the place in `positions`.
    """
    right, found = find_right(records)[source], dict[int, Tensor]()
    transfer = Transfer(attack=attack, seed=records.definition.seed)
    for number, shard in enumerate(records.shards):
        wanted = {place: position for place, position in enumerate(positions) if position in shard and right[position]}
        if not wanted:
            continue
        chosen = np.flatnonzero(right[shard.start : shard.stop])
        attacked = kept.find(transfer.make_work(source, number, chosen, bench))
        if attacked is not None:
            rows = {place: int(np.searchsorted(chosen, position - shard.start)) for place, position in wanted.items()}
            found |= {place: attacked.pixels[row].cpu() for place, row in rows.items()}
    return found


def _put_channels_last(pixels: Tensor) -> Float32[np.ndarray, "image height width channel"]:
    return np.ascontiguousarray(pixels.permute(0, 2, 3, 1).cpu().numpy().astype(np.float32))
