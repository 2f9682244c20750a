"""`zooscope compare`: one pair, without a study."""

import json
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

from zooscope.cli.measuring import choose_attack, drop_none, take_sample
from zooscope.cli.options import (
    CONFIDENCE,
    AllowChance,
    Attack,
    BatchSize,
    Classes,
    ClassifierA,
    ClassifierB,
    Confidence,
    Count,
    Device,
    Epsilon,
    Iterations,
    Json,
    RandomStart,
    RequiredImages,
    Seed,
    StepSize,
)
from zooscope.cli.progress import progress_bar
from zooscope.cli.terminal import say_json, stdout
from zooscope.words import format_attack, format_interval, format_number, format_percent, shorten_names

if TYPE_CHECKING:
    from zooscope.study.pair import SatScore

EXAMPLE: Final = "zooscope compare bundled:resnet bundled:vit --images bundled:cifar10"


def compare(
    a: ClassifierA,
    b: ClassifierB,
    *,
    images: RequiredImages,
    classes: Classes = None,
    count: Count = None,
    seed: Seed = None,
    attack: Attack = None,
    epsilon: Epsilon = None,
    step_size: StepSize = None,
    iterations: Iterations = None,
    random_start: RandomStart = None,
    batch_size: BatchSize = None,
    device: Device = "auto",
    confidence: Confidence = CONFIDENCE,
    allow_chance: AllowChance = False,
    as_json: Json = False,
) -> None:
    """Measure how similar two classifiers are.

    Both are attacked, and each is tested on the other's attacked images; the score comes with a confidence interval. Nothing is
    kept: for more than two classifiers, or to continue later, see `measure`.
    """
    with progress_bar() as listen:
        from zooscope.classifiers.load import load_classifier
        from zooscope.images.load import load_images
        from zooscope.study.pair import sat

        fields = drop_none(epsilon=epsilon, step_size=step_size, iterations=iterations, random_start=random_start)
        chosen = take_sample(load_images(images, classes=classes), count, seed)
        score = sat(
            load_classifier(a),
            load_classifier(b),
            chosen,
            attack=choose_attack(attack, fields),
            confidence=confidence,
            device=device,
            allow_chance=allow_chance,
            listen=listen,
            **drop_none(batch_size=batch_size, seed=seed),
        )
    if as_json:
        say_json(_encode(score, images=images, num_images=len(chosen)))
    else:
        _draw(score, images=images, num_images=len(chosen))


def _encode(score: "SatScore", *, images: str, num_images: int) -> dict[str, Any]:
    from zooscope.cli.overview import replace_nan

    numbers = ("low", "high", "confidence", "percent", "a_to_b", "b_to_a", "control_a_to_b", "control_b_to_a", "count")
    return {
        "classifiers": list(score.names),
        "attack": json.loads(score.attack),
        "images": {"address": images, "count": num_images},
        "sat": replace_nan(float(score)),
        **{name: replace_nan(getattr(score, name)) for name in numbers},
    }


def _draw(score: "SatScore", *, images: str, num_images: int) -> None:
    short = shorten_names(score.names)
    a, b = (short[name] for name in score.names)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    control = "{} without attack, only resized"
    interval = f"{100 * score.confidence:g} % interval {format_interval(score.low, score.high)}"
    table.add_row("SAT (natural logarithm)", format_number(score), interval)
    table.add_row("fooled, both directions", format_percent(score.percent), "")
    table.add_row(f"{a} fools {b}", format_percent(score.a_to_b), control.format(format_percent(score.control_a_to_b)))
    table.add_row(f"{b} fools {a}", format_percent(score.b_to_a), control.format(format_percent(score.control_b_to_a)))
    table.add_row("images", str(score.count), f"that both classify correctly, of {num_images} of {images}")
    console = stdout()
    console.print(f"{a} and {b}")
    console.print(f"Attack: {format_attack(json.loads(score.attack))}")
    console.print()
    console.print(table)
