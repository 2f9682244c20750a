"""`zooscope plan`: what a study will take, before it is measured."""

from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from zooscope.cli.measuring import Wanted, drop_none
from zooscope.cli.options import (
    Attack,
    BatchSize,
    Classes,
    Classifiers,
    Compiled,
    Count,
    Device,
    Epsilon,
    Exact,
    Images,
    Iterations,
    Json,
    Precision,
    Seed,
    ShardSize,
    StepSize,
    Trust,
)
from zooscope.cli.planned import opened_to_plan
from zooscope.cli.progress import counting_bar
from zooscope.cli.terminal import say, say_json, stdout
from zooscope.errors import InvalidValueError
from zooscope.planning.machines import GPUS, UTILIZATION, estimate_seconds, find_gpu
from zooscope.words import format_bytes, format_count

if TYPE_CHECKING:
    from zooscope.planning.plan import Plan

EXAMPLE: Final = "zooscope plan STUDY --classifiers 'bundled:vit*' --images bundled:cifar10"
HOUR: Final = 3600

_Place = Annotated[
    Path | None,
    typer.Argument(metavar="STUDY", help="A folder: of a study that is there, or of one to be.", show_default=False),
]
_Paper = Annotated[bool, typer.Option("--paper", help="Plan the paper's study: 69 networks, 5,000 images. Takes no weights.")]
_Gpus = Annotated[
    list[str] | None,
    typer.Option("--gpu", metavar="NAME...", help=f"GPUs to estimate for: {', '.join(GPUS)}.", show_default="all"),
]
_Number = Annotated[int, typer.Option("--gpus", metavar="NUMBER", help="How many of them work at once.")]
_Share = Annotated[float, typer.Option("--utilization", metavar="SHARE", help="What of a GPU's peak networks reach; a guess.")]
_Price = Annotated[
    float | None,
    typer.Option("--price", metavar="NUMBER", help="Of an hour of one GPU, in any currency.", show_default="not told"),
]


def plan(
    study: _Place = None,
    *,
    paper: _Paper = False,
    classifiers: Classifiers = None,
    images: Images = None,
    classes: Classes = None,
    count: Count = None,
    seed: Seed = None,
    attack: Attack = None,
    epsilon: Epsilon = None,
    step_size: StepSize = None,
    iterations: Iterations = None,
    shard_size: ShardSize = None,
    precision: Precision = None,
    exact: Exact = None,
    compiled: Compiled = None,
    batch_size: BatchSize = None,
    device: Device = "auto",
    gpu: _Gpus = None,
    gpus: _Number = 1,
    utilization: _Share = UTILIZATION,
    price: _Price = None,
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Tell what a study will take: passes, time, memory, disk, money.

    Runs every classifier for some seconds on some of the images, and measures nothing into the study. What is in the study
    already is left out, and so are attacks whose images are kept. For GPUs the time follows from counted operations and their
    makers' peaks.
    """
    _require_settings(gpus=gpus, utilization=utilization, price=price)
    chosen = {name: find_gpu(name) for name in gpu or GPUS}
    how = drop_none(batch_size=batch_size)
    if paper:
        made = _plan_paper(**how, **drop_none(num_images=count, iterations=iterations))
    elif study is None:
        msg = "name the folder of a study, or give --paper."
        raise InvalidValueError(msg)
    else:
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
            shard_size=shard_size,
            precision=precision,
            exact=exact,
            compiled=compiled,
            trust=trust,
        )
        made = _plan_study(study, wanted, device=device, **how)
    machines = [
        _estimate(made, name, precision=way, number=gpus, utilization=utilization, price=price)
        for name in chosen
        for way in ("float32", "bf16")
    ]
    if as_json:
        say_json(_encode(made, machines, gpus=gpus))
    else:
        _draw(made, machines, place="the paper's study" if paper else str(study), gpus=gpus, utilization=utilization)


def _require_settings(*, gpus: int, utilization: float, price: float | None) -> None:
    wrong = {
        f"--gpus must be at least 1: got {gpus}.": gpus < 1,
        f"--utilization must be above 0 and at most 1: got {utilization:g}.": not 0 < utilization <= 1,
        f"--price must be 0 or more: got {price or 0:g}.": not 0 <= (price or 0) < inf,
    }
    for msg, is_wrong in wrong.items():
        if is_wrong:
            raise InvalidValueError(msg)


def _plan_paper(**how: int) -> "Plan":
    from zooscope.planning.paper import plan_paper

    with counting_bar("counting operations", "networks") as listen:
        return plan_paper(listen=listen, **how)


def _plan_study(path: Path, wanted: Wanted, **how: Any) -> "Plan":  # noqa: ANN401  (of `plan_study`)
    from zooscope.kept.entries import CACHE
    from zooscope.kept.kept_attacks import KeptAttacks
    from zooscope.planning.plan import plan_study

    kept = KeptAttacks(path / CACHE)
    with counting_bar("calibrating", "classifiers") as listen, opened_to_plan(path, wanted) as study:
        return plan_study(study, kept=kept, listen=lambda now: listen(now.done, now.total), **how)


def _estimate(made: "Plan", name: str, *, precision: str, number: int, utilization: float, price: float | None) -> dict[str, Any]:
    gpu = find_gpu(name)
    seconds = estimate_seconds(made.flops, gpu, number=number, precision=precision, utilization=utilization)
    money = None if price is None else price * number * seconds / HOUR
    return {"gpu": name, "precision": precision, "seconds": seconds, "money": money, "fits": made.peak <= gpu.memory}


def _encode(made: "Plan", machines: list[dict[str, Any]], *, gpus: int) -> dict[str, Any]:
    return {
        "gradients": made.gradients,
        "forwards": made.forwards,
        "flops": made.flops,
        "seconds": made.seconds,
        "bytes": made.bytes,
        "memory": made.peak,
        "weights": made.weights,
        "gpus": gpus,
        "machines": machines,
        "classifiers": [
            {
                "name": share.name,
                "gradients": round(share.gradients),
                "forwards": round(share.forwards),
                "flops": share.flops,
                "seconds": share.seconds,
            }
            for share in made.shares
        ],
    }


def _draw(made: "Plan", machines: list[dict[str, Any]], *, place: str, gpus: int, utilization: float) -> None:
    from zooscope.cli.analysing import make_table

    say(f"{place}: {len(made.shares)} classifiers, {format_count(made.num_images, 'image')}; still to be measured:")
    table = make_table("Takes", "amount", "", numbers=("amount",))
    largest = max(made.shares, key=lambda share: share.one.weights + share.one.kept * made.batch_size).name
    table.add_row("gradients", f"{made.gradients:,}", "passes of an image forward and back")
    table.add_row("forwards", f"{made.forwards:,}", "passes of an image forward")
    table.add_row("operations", f"{made.flops:.2g}", "multiplications and additions")
    table.add_row("memory", format_bytes(made.peak), f"at most, with {made.batch_size} images at once: {largest}")
    table.add_row("weights", format_bytes(made.weights), "all together")
    table.add_row("disk", format_bytes(made.bytes), "of the record")
    if made.seconds is not None:
        table.add_row("time here", _spell_time(made.seconds), "by a short calibration")
    stdout().print(table)
    has_price = machines[0]["money"] is not None
    headings = ("float32", "bf16", *(("price, float32", "price, bf16") if has_price else ()))
    listed = make_table(f"On {format_count(gpus, 'GPU')}", *headings, numbers=headings)
    for plain, half in zip(machines[::2], machines[1::2], strict=True):
        prices = [f"{one['money']:,.2f}" for one in (plain, half) if has_price]
        listed.add_row(
            plain["gpu"] + ("" if plain["fits"] else " *"), *(_spell_time(one["seconds"]) for one in (plain, half)), *prices
        )
    say("")
    stdout().print(listed)
    say(f"Estimated: operations over {100 * utilization:.0f} % of the makers' peaks. Loading and decoding are not in it.")
    if not all(machine["fits"] for machine in machines):
        say(f"* {made.batch_size} images at once don't fit into its memory: smaller batches go on by themselves.")


def _spell_time(seconds: float) -> str:
    """In the unit that fits.

    >>> _spell_time(5400)
    '1.5 h'
    """
    for unit, length in (("d", 24 * HOUR), ("h", HOUR), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:.0f} s"
