"""`zooscope measure`: attack every source, test every target."""

from typing import Final

from zooscope.cli.measuring import Wanted, measured
from zooscope.cli.options import (
    AllowChance,
    AnyStudy,
    Attack,
    BatchSize,
    Classes,
    Classifiers,
    Count,
    Device,
    Epsilon,
    Images,
    Iterations,
    RandomStart,
    Seed,
    ShardSize,
    StepSize,
)
from zooscope.cli.terminal import say

EXAMPLE: Final = "zooscope measure STUDY --classifiers bundled:resnet bundled:vit --images bundled:cifar10 --count 100"


def measure(
    study: AnyStudy,
    *,
    classifiers: Classifiers = None,
    images: Images = None,
    classes: Classes = None,
    count: Count = None,
    seed: Seed = None,
    attack: Attack = None,
    epsilon: Epsilon = None,
    step_size: StepSize = None,
    iterations: Iterations = None,
    random_start: RandomStart = None,
    shard_size: ShardSize = None,
    batch_size: BatchSize = None,
    device: Device = "auto",
    allow_chance: AllowChance = False,
) -> None:
    """Measure a study, or go on with one.

    Attacks the images through every classifier, and tests all others on them. A new study needs --classifiers and --images. Stopped
    at any moment, the same command (or just `zooscope measure STUDY`) goes on where it was. More --classifiers are measured against
    those that are there. Images and attack of a study never change: options that contradict them are refused.
    """
    wanted = Wanted(
        classifiers=classifiers,
        images=images,
        classes=classes,
        count=count,
        seed=seed,
        attack=attack,
        epsilon=epsilon,
        step_size=step_size,
        iterations=iterations,
        random_start=random_start,
        shard_size=shard_size,
    )
    with measured(study, wanted, device=device, batch_size=batch_size, allow_chance=allow_chance) as done:
        done.sat(confidence=None)  # for its warnings: they come as notes
        say(
            f"{study}: {len(done.names)} classifiers are measured on {done.num_images} images. "
            f"To see the scores: zooscope show {study}, or zooscope report {study}"
        )
