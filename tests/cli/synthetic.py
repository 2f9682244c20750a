"""Studies written straight into a record, without a network: for what only reads them."""

from itertools import cycle
from pathlib import Path

import numpy as np

from tests.records.written import save_clean, save_transfers
from zooscope.records.entries import DATABASE, ClassifierRecord, Definition
from zooscope.records.predictions import NOT_COUNTED
from zooscope.records.records import Records

NUM_CLASSES = 10
ATTACK = '{"attack": "LinfPGD", "epsilon": 0.03137254901960784, "step_size": 0.1, "iterations": 50, "random_start": false}'


def write_study(
    folder: Path,
    names: tuple[str, ...],
    *,
    num_images: int = 60,
    num_shards: int = 3,
    num_measured: int = 3,
    accuracy: float = 0.9,
    white_box: float = 1.0,
    transforms: tuple[str, ...] = ('{"height": 32, "width": 32}',),
    attack: str = ATTACK,
    targets_only: tuple[str, ...] = (),
    architectures: tuple[str, ...] = ("synthetic",),
) -> None:
    """A study of these classifiers: each next one is farther from the first.

    Args:
        folder: of the study.
        names: of the classifiers.
        num_images: in as many shards of equal size as `num_shards` says.
        num_shards: how many.
        num_measured: how many of the shards are measured.
        accuracy: share of clean images that a classifier gets right.
        white_box: share of images on which a classifier's attack fools itself.
        transforms: taken in turn by the classifiers; sent the way of another transform, every third clean image is misread.
        attack: its description.
        targets_only: classifiers that are not attacked.
        architectures: taken in turn by the classifiers.
    """
    generator = np.random.default_rng(0)
    labels = np.arange(num_images, dtype=np.int64) % NUM_CLASSES
    size = num_images // num_shards
    definition = Definition(
        images="bundled:cifar10",
        image_digest="none",
        class_names="\n".join(f"class {number}" for number in range(NUM_CLASSES)),
        attack=attack,
        seed=0,
        shard_size=size,
    )
    ids = tuple(f"image-{number}.png" for number in range(num_images))
    with Records.create(folder / DATABASE, definition, ids, labels) as records:
        ways = dict(zip(names, cycle(transforms), strict=False))
        for name, architecture in zip(names, cycle(architectures), strict=False):
            records.add_classifier(_classifier(name, ways[name], architecture), is_admitted=True)
        right = {name: generator.random(num_images) < accuracy for name in names}
        for shard in range(num_measured):
            here = slice(shard * size, (shard + 1) * size)
            for name in names:
                clean = np.where(right[name], labels, (labels + 1) % NUM_CLASSES)[here]
                save_clean(records, name, shard, clean, np.zeros((size, NUM_CLASSES), dtype=np.float16))
            for row, source in enumerate(names):
                predictions = {}
                for column, target in enumerate(names):
                    fooled = generator.random(size) < (white_box if row == column else 0.9 / (1 + abs(row - column)))
                    said = np.where(fooled, (labels[here] + 1) % NUM_CLASSES, labels[here])
                    predictions[target] = np.where((right[source] & right[target])[here], said, NOT_COUNTED)
                misread = np.where(np.arange(size) % 3 == 0, (labels[here] + 1) % NUM_CLASSES, labels[here])
                controls = {(ways[source], target): misread for target in names if ways[target] != ways[source]}
                if source not in targets_only:
                    save_transfers(records, source, shard, predictions, controls)
        records.set_roles({name: name not in targets_only for name in names})


def _classifier(name: str, transform: str, architecture: str) -> ClassifierRecord:
    return ClassifierRecord(
        name=name,
        address=None,
        architecture=architecture,
        num_classes=NUM_CLASSES,
        weights=name,
        transform=transform,
        mean="[0, 0, 0]",
        std="[1, 1, 1]",
    )
