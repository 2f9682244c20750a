"""`zooscope measure`: attack every source, test every target."""

from math import inf
from typing import TYPE_CHECKING, Final

from zooscope.cli.measuring import Wanted, measure_study, open_executor, split_names
from zooscope.cli.options import (
    Address,
    AllowChance,
    AllowNonfinite,
    Also,
    AnyStudy,
    Attack,
    BatchSize,
    CacheLimit,
    Classes,
    Classifiers,
    Compiled,
    Count,
    Device,
    Epsilon,
    Exact,
    Executor,
    Images,
    Iterations,
    MemoryBudget,
    Part,
    Precision,
    RandomStart,
    Seed,
    ShardSize,
    Sources,
    StepSize,
    Trust,
    UntilOrder,
    UntilWidth,
    Workers,
)
from zooscope.cli.terminal import say, tell
from zooscope.cli.until import choose_until, describe_end
from zooscope.errors import InvalidValueError
from zooscope.words import quote_path

if TYPE_CHECKING:
    from zooscope.study.study import Study

NONE: Final = "none"  # for --also: forget what was asked for
GIB: Final = 2**30
EXAMPLE: Final = "zooscope measure STUDY --classifiers 'bundled:vit*' --images bundled:cifar10"


def measure(
    study: AnyStudy,
    *,
    classifiers: Classifiers = None,
    sources: Sources = None,
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
    precision: Precision = None,
    exact: Exact = None,
    compiled: Compiled = None,
    also: Also = None,
    until_width: UntilWidth = None,
    until_order: UntilOrder = False,
    batch_size: BatchSize = None,
    device: Device = "auto",
    memory_budget: MemoryBudget = None,
    cache_limit: CacheLimit = None,
    part: Part = None,
    executor: Executor = "serial",
    address: Address = None,
    workers: Workers = None,
    allow_chance: AllowChance = False,
    allow_nonfinite: AllowNonfinite = False,
    trust: Trust = False,
) -> None:
    """Measure a study, or continue one.

    Attacks the images through every classifier, and tests all others on them. A new study needs --classifiers and --images. After
    an interruption the same command (or just `zooscope measure STUDY`) continues, with what --also asked for. More --classifiers
    are measured against the existing ones. Images and attack of a study never change: options that contradict them are refused.
    """
    from zooscope.measurements.registry import parse_measurement

    names, until = list(split_names(also) or ()), choose_until(until_width, until_order=until_order)
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
        precision=precision,
        exact=exact,
        compiled=compiled,
        sources=split_names(sources),
        trust=trust,
    )
    with (
        open_executor(executor, address=address, workers=workers, device=device) as chosen,
        measure_study(
            study,
            wanted,
            executor=chosen,
            device="auto" if executor == "ray" and device == "cuda" else device,
            batch_size=batch_size,
            memory_budget=None if memory_budget is None else _count_bytes(memory_budget),
            cache_limit=None if cache_limit is None else _count_cache_bytes(cache_limit),
            allow_chance=allow_chance,
            allow_nonfinite=allow_nonfinite,
            part=part,
            until=until,
            also=None if names == [NONE] else [parse_measurement(name) for name in names],
        ) as done,
    ):
        if part is not None:
            say(
                f"{done.path}: part {part} of {study} is measured. When all are: `zooscope merge {quote_path(study)}` puts them "
                "together."
            )
            return
        done.sat(confidence=None)  # for its warnings, which are shown as notes
        _note_nonfinite(done)
        images_measured, end = describe_end(done, until)
        say(
            f"{study}: {len(done.names)} classifiers are measured on {images_measured}{_describe_sources(done)}. "
            f"{end}{_describe_asked(done)}To see the scores: `zooscope show {quote_path(study)}`, or "
            f"`zooscope report {quote_path(study)}`"
        )


def _count_bytes(memory_budget: float) -> int:
    if not 1 <= memory_budget * GIB < inf:
        msg = f"--memory-budget must be above 0 (in GiB): got {memory_budget:g}."
        raise InvalidValueError(msg)
    return int(memory_budget * GIB)


def _count_cache_bytes(cache_limit: float) -> int:
    if not 0 <= cache_limit < inf:
        msg = f"--cache-limit must be at least 0 (in GiB): got {cache_limit:g}."
        raise InvalidValueError(msg)
    return int(cache_limit * GIB)


def _note_nonfinite(study: "Study") -> None:
    """Prints how many outcomes are left out."""
    from zooscope.records.predictions import NOT_FINITE

    number = int((study.predictions.transfer == NOT_FINITE).sum())
    if number:
        tell(f"Note: {number} outcomes are not counted, because the logits of a target are NaN or infinite there.")


def _describe_asked(study: "Study") -> str:
    """What else was measured, which a later call completes without being asked again."""
    from zooscope.measurements.registry import spell_measurement

    asked = [spell_measurement(one) for one in study.asked]
    return f"Also measured, and completed by every later `measure`: {', '.join(asked)}. " if asked else ""


def _describe_sources(study: "Study") -> str:
    """How many classifiers are attacked, if not all are."""
    sources = study.sources
    return "" if len(sources) == len(study.names) else f"; {len(sources)} of them are attacked"
