"""Studies whose outcomes are planted: what the report must show of them is known."""

from collections.abc import Sequence

import numpy as np

from tests.records.written import save_clean, save_transfers
from zooscope.attacks import LinfPGD
from zooscope.records.entries import ClassifierRecord, Definition
from zooscope.records.predictions import NOT_COUNTED
from zooscope.records.records import Records
from zooscope.study.study import Study

CLASS_NAMES = ("airplane", "automobile", "bird", "cat")
SHARD_SIZE = 50
SMALL, LARGE = '{"height": 32, "width": 32}', '{"height": 48, "width": 64}'


def planted_study(
    blocks: Sequence[Sequence[str]],
    *,
    num_images: int = 100,
    within: float = 0.7,
    between: float = 0.15,
    white_box: float = 0.99,
    weak: Sequence[str] = (),
    blind: Sequence[str] = (),
    large: Sequence[str] = (),
    num_shards: int | None = None,
    seed: int = 0,
) -> Study:
    """A study in memory.

    Args:
        blocks: names of classifiers; those of one block fool each other often.
        num_images: how many images.
        within: chance to fool a classifier of the same block.
        between: chance to fool one of another block.
        white_box: chance to fool oneself.
        weak: names that fool themselves on half of the images.
        blind: names that get every image wrong when clean.
        large: names that take pixels of another size; their controls fail on some images.
        num_shards: how many shards are measured; all by default.
        seed: of the chances.
    """
    generator = np.random.default_rng(seed)
    names = [name for block in blocks for name in block]
    block_of = {name: number for number, block in enumerate(blocks) for name in block}
    order = [names[place] for place in generator.permutation(len(names))]
    labels = np.arange(num_images) % len(CLASS_NAMES)
    records = Records.in_memory(_definition(), tuple(f"{label}/{image:03}.png" for image, label in enumerate(labels)), labels)
    for name in order:
        records.add_classifier(_record(name, LARGE if name in large else SMALL), is_admitted=True)
    transforms = {name: LARGE if name in large else SMALL for name in order}
    wrong = (labels + 1) % len(CLASS_NAMES)
    right = {name: np.full(num_images, name not in blind) & (generator.random(num_images) < 0.9) for name in order}

    for shard, images in list(enumerate(records.shards))[:num_shards]:
        here = np.asarray(images)
        for name in order:
            said = np.where(right[name], labels, wrong)[here]
            save_clean(records, name, shard, said, np.zeros((len(here), len(CLASS_NAMES)), np.float16))
        for source in order:
            predictions, controls = {}, {}
            for target in order:
                chance = within if block_of[source] == block_of[target] else between
                chance = (0.5 if source in weak else white_box) if source == target else chance
                fooled = generator.random(len(here)) < chance
                counted = (right[source] & right[target])[here]
                predictions[target] = np.where(counted, np.where(fooled, wrong[here], labels[here]), NOT_COUNTED)
                if transforms[source] != transforms[target]:
                    controls[transforms[source], target] = np.where(generator.random(len(here)) < 0.2, wrong[here], labels[here])
            save_transfers(records, source, shard, predictions, controls)
    return Study(records, path=None)


def _definition() -> Definition:
    return Definition(
        images="bundled:cifar10",
        image_digest="0" * 64,
        class_names="\n".join(CLASS_NAMES),
        attack=LinfPGD().description,
        seed=0,
        shard_size=SHARD_SIZE,
    )


def _record(name: str, transform: str) -> ClassifierRecord:
    return ClassifierRecord(
        name=name,
        address=None,
        architecture="planted",
        num_classes=len(CLASS_NAMES),
        weights="f" * 64,
        transform=transform,
        mean="[0, 0, 0]",
        std="[1, 1, 1]",
    )
