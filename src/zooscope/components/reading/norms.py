"""The normalizations of a network, as torch operations or written out in elementary ones."""

from typing import Final

from zooscope.components.reading.axes import count
from zooscope.components.reading.layers import Layers, is_norm, read_numbers
from zooscope.components.reading.reading import Reading, list_modules
from zooscope.components.reading.trace import Step
from zooscope.components.reading.value import Value

ORDER: Final = ("LN", "BN", "GN", "IN", "RMSNorm", "EvoNorm")
NORM_FREE: Final = "Norm-free"
AFFINE: Final = "Affine transform"
STATISTICS: Final = ("mean", "var", "std", "var_mean")
ROOTS: Final = ("sqrt", "rsqrt", "std")
BETWEEN: Final = (*ROOTS[:2], "pow", "add", "mul", "expand", "view", "unsafe_view", "clone", "reciprocal", "clamp", "clamp_min")
HALF: Final = 0.5
SQUARE: Final = 2


def read_normalization(layers: Layers) -> Reading:
    """Every kind of normalization of features; normalized weights don't count."""
    found: dict[str, list[str]] = {}
    for step in layers.trace.steps:
        kind = _find_kind(step) or _find_written_out(layers, step)
        if kind:
            found.setdefault(kind, []).append(step.path)
    kinds = [kind for kind in ORDER if kind in found]
    if kinds:
        return Reading(value=" + ".join(kinds), why="; ".join(f"{kind}: {list_modules(found[kind])}" for kind in kinds))
    scaled = [step.path for step in layers.trace.steps if _scales_and_shifts(layers, step)]
    if scaled:
        return Reading(value=AFFINE, why=f"learned scale and shift, without statistics: {list_modules(scaled)}")
    return Reading(value=NORM_FREE, why="no operation divides features by their standard deviation")


def _find_kind(step: Step) -> str | None:
    """The kind of a torch operation. Instance norm runs as batch norm without running statistics."""
    if not is_norm(step):
        return None
    if "batch_norm" in step.operation:
        has_running_values = any(value.name and not value.learned for value in step.inputs)
        return "BN" if has_running_values else "IN"
    return next(
        kind for mark, kind in (("layer_norm", "LN"), ("group_norm", "GN"), ("rms_norm", "RMSNorm")) if mark in step.operation
    )


def _find_written_out(layers: Layers, step: Step) -> str | None:
    """The kind of a written-out normalization: features divided by their standard deviation or root mean square."""
    if step.operation not in {"div", "mul"} or len(step.data) != 2:  # noqa: PLR2004  (the features and their spread)
        return None
    statistic = _find_statistic(layers, step.data[1])
    if statistic is None:
        return None
    taken, given = statistic.data[0].axes, statistic.output.axes
    over_places = count(taken, "place") > count(given, "place")
    if over_places and _is_gated(layers, step):
        return "EvoNorm"
    if over_places:
        return "GN" if count(taken, "feature") > count(given, "feature") else "IN"
    return "LN" if _is_centred(layers, statistic) else "RMSNorm"


def _find_statistic(layers: Layers, spread: Value) -> Step | None:
    """The variance, or the mean of squares, whose root is taken."""
    before = layers.walk_backward(spread, stop=lambda each: each.operation not in BETWEEN)
    found = next((each for each in before if each.operation in STATISTICS and _is_spread(layers, each)), None)
    if found is None or found.operation in ROOTS:
        return found
    between = layers.trace.steps[found.number : spread.made_by + 1 if spread.made_by is not None else None]
    rooted = [
        each for each in between if each.operation in ROOTS or (each.operation == "pow" and HALF in map(abs, read_numbers(each)))
    ]
    return found if rooted else None


def _is_spread(layers: Layers, statistic: Step) -> bool:
    """A variance, or a mean of squares."""
    if statistic.operation != "mean":
        return True
    maker = layers.trace.find_maker(statistic.data[0])
    if maker is None:
        return False
    by_itself = maker.operation == "mul" and len(maker.inputs) > len({value.number for value in maker.inputs})
    return by_itself or (maker.operation == "pow" and SQUARE in read_numbers(maker))


def _is_centred(layers: Layers, statistic: Step) -> bool:
    if statistic.operation != "mean":
        return True
    squares = layers.trace.find_maker(statistic.data[0])
    centred = None if squares is None else layers.trace.find_maker(squares.data[0])
    return centred is not None and centred.operation == "sub"


def _is_gated(layers: Layers, step: Step) -> bool:
    """Whether the numerator is x * sigmoid(x), as in EvoNorm, which is normalization and activation in one."""
    maker = layers.trace.find_maker(step.data[0])
    return (
        maker is not None
        and maker.operation == "mul"
        and any(each.operation == "sigmoid" for each in layers.trace.find_before(maker))
    )


def _scales_and_shifts(layers: Layers, step: Step) -> bool:
    """A product with one learned number per feature, then a sum with another."""
    if step.operation == "addcmul":
        return len(step.data) == 1 and all(value.learned for value in step.inputs if not value.from_pixels)
    if step.operation != "add" or len(step.data) != 1:
        return False
    maker = layers.trace.find_maker(step.data[0])
    if maker is None or maker.operation != "mul" or len(maker.data) != 1:
        return False
    vectors = [value for each in (step, maker) for value in each.inputs if not value.from_pixels]
    return len(vectors) == 2 and all(value.learned and max(value.shape, default=1) > 1 for value in vectors)  # noqa: PLR2004  (scale, shift)
