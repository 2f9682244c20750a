"""`zooscope compare`: one pair, without a study."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

from zooscope.classifiers.class_matching import describe_matchings
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
    Exact,
    Iterations,
    Json,
    Precision,
    RandomStart,
    RequiredImages,
    Seed,
    StepSize,
)
from zooscope.cli.progress import progress_bar
from zooscope.cli.terminal import say_json, stdout
from zooscope.words import explain_control, format_attack, format_interval, format_number, format_percent, shorten_names

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
    precision: Precision = None,
    exact: Exact = None,
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
        pair = load_classifier(a), load_classifier(b)
        score = sat(
            *pair,
            chosen,
            attack=choose_attack(attack, fields),
            confidence=confidence,
            device=device,
            allow_chance=allow_chance,
            listen=listen,
            **drop_none(batch_size=batch_size, seed=seed, precision=precision, exact=exact),
        )
    transforms = [json.loads(classifier.transform.description) for classifier in pair]
    if as_json:
        say_json(_encode(score, images=images, num_images=len(chosen), transforms=transforms))
    else:
        _draw(score, images=images, num_images=len(chosen), transforms=transforms)


def _encode(score: "SatScore", *, images: str, num_images: int, transforms: Sequence[dict[str, Any]]) -> dict[str, Any]:
    from zooscope.cli.overview import replace_nan

    numbers = ("low", "high", "confidence", "percent", "a_to_b", "b_to_a", "control_a_to_b", "control_b_to_a", "count")
    return {
        "classifiers": list(score.names),
        "attack": json.loads(score.attack),
        "images": {"address": images, "count": num_images},
        "sat": replace_nan(float(score)),
        **{name: replace_nan(getattr(score, name)) for name in numbers},
        "transforms": list(transforms),
        "class_matching": list(score.class_matchings),
    }


def _draw(score: "SatScore", *, images: str, num_images: int, transforms: Sequence[dict[str, Any]]) -> None:
    short = shorten_names(score.names)
    a, b = (short[name] for name in score.names)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    interval = f"{100 * score.confidence:g} % interval {format_interval(score.low, score.high)}"
    table.add_row("SAT (natural logarithm)", format_number(score), interval)
    table.add_row("fooled, both directions", format_percent(score.percent), "")
    table.add_row(f"{a} fools {b}", format_percent(score.a_to_b), _describe_control(score.control_a_to_b, *transforms))
    table.add_row(f"{b} fools {a}", format_percent(score.b_to_a), _describe_control(score.control_b_to_a, *reversed(transforms)))
    table.add_row("images", str(score.count), f"that both classify correctly, of {num_images} of {images}")
    how, _ = describe_matchings(dict(zip(score.names, score.class_matchings, strict=True)))
    table.add_row("classes", "", f"matched {how}")
    console = stdout()
    console.print(f"{a} and {b}")
    console.print(f"Attack: {format_attack(json.loads(score.attack))}")
    console.print()
    console.print(table)


def _describe_control(percent: float, source: dict[str, Any], target: dict[str, Any]) -> str:
    """The errors without attack, and their reason; empty if both classifiers preprocess alike."""
    reason = explain_control(source, target)
    return f"{format_percent(percent)} without attack, only {reason}" if reason else ""
