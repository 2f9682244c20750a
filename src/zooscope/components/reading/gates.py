"""Channel attention: a gate per channel, computed from a summary of all places, and its location in the block."""

from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

from zooscope.components.reading.axes import count
from zooscope.components.reading.layers import SOFTMAX, Layers, joins, pools_all
from zooscope.components.reading.reading import Reading, list_modules
from zooscope.components.reading.trace import Step, Trace
from zooscope.components.reading.value import Value

SQUASHING: Final = ("sigmoid", "hardsigmoid", "softmax", "safe_softmax", "tanh", "hardtanh", "relu6", "clamp")
OTHER: Final = "other"
ORDER: Final = ("SE", "ECA", "ESE", "GCA", "CBAM", OTHER)
LONGEST: Final = 100  # steps; every gate needs fewer
LAYERS_OF_SE: Final = 2  # ESE has one

Location = Literal["Middle", "End"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Gate:
    """One step that weights channels.

    Attributes:
        step: the operation that combines gate and features.
        kind: one of `ORDER`.
        location: whether a convolution of the block follows.
    """

    step: Step
    kind: str
    location: Location


@dataclass(frozen=True, kw_only=True, eq=False)
class _Origin:
    """The steps from a summary of all places to the gate computed from it."""

    summaries: tuple[Step, ...]
    passed: tuple[Step, ...]


def find_gates(layers: Layers) -> tuple[Gate, ...]:
    """Every gate, in order."""
    found = []
    for step in layers.trace.steps:
        meeting = _split_operands(step)
        if meeting is None:
            continue
        features, gate = meeting
        origin = _find_origin(layers.trace, gate)
        kind = _find_kind(layers, step, features, origin)
        if kind is not None:
            found.append(Gate(step=step, kind=kind, location=_find_location(layers, step)))
    return tuple(found)


def read_channel_attention(gates: tuple[Gate, ...]) -> Reading:
    """The kind of channel attention."""
    if not gates:
        return Reading(value="No", why="no gate per channel is computed from a summary of all places")
    counts = Counter(gate.kind for gate in gates)
    kinds = [kind for kind in ORDER if counts[kind]]
    named = [kind for kind in kinds if kind != OTHER]
    why = "; ".join(f"{kind}: {list_modules([gate.step.path for gate in gates if gate.kind == kind])}" for kind in kinds)
    return Reading(value=f"Yes ({', '.join(named)})" if named else "Yes", why=why)


def read_location(gates: tuple[Gate, ...]) -> Reading:
    """The most frequent location of channel attention in its block."""
    if not gates:
        return Reading(value="-", why="no channel attention")
    counts = Counter(gate.location for gate in gates)
    location, _ = counts.most_common(1)[0]
    what = "a convolution of the block follows" if location == "Middle" else "the block ends"
    return Reading(
        value=location, why=f"{what} after {list_modules([gate.step.path for gate in gates if gate.location == location])}"
    )


def _split_operands(step: Step) -> tuple[Value, Value] | None:
    """The features and the gate (one number per channel) of a product or sum; None for other steps."""
    if step.operation not in {"mul", "add"} or len(step.data) != 2:  # noqa: PLR2004  (features, gate)
        return None
    features, gate = sorted(step.data, key=lambda value: -value.num_places)
    if (
        not gate.num_places == 1 < features.num_places
        or count(gate.axes, "feature") == 1
        or features.num_places != step.output.num_places
    ):
        return None
    return features, gate


def _find_origin(trace: Trace, gate: Value) -> _Origin:
    """Follows a gate back to the steps that still take several places."""
    summaries, passed, waiting, seen = [], [], [gate], {gate.number}
    while waiting:
        step = trace.find_maker(waiting.pop())
        if step is None:
            continue
        if max(value.num_places for value in step.data) > 1:
            summaries.append(step)
            continue
        passed.append(step)
        if len(passed) > LONGEST:
            return _Origin(summaries=(), passed=())
        for value in step.data:
            if value.number not in seen:
                seen.add(value.number)
                waiting.append(value)
    return _Origin(summaries=tuple(dict.fromkeys(summaries)), passed=tuple(dict.fromkeys(passed)))


def _find_kind(layers: Layers, step: Step, features: Value, origin: _Origin) -> str | None:
    """The kind of channel attention; None if the step is something else."""
    products = {product.step.number for product in layers.products}
    by_attention = any(each.number in products for each in origin.summaries)
    pooled = [each for each in origin.summaries if pools_all(each)]
    weights = [each for each in origin.passed if each.number in layers.working]
    if not weights or any(each.data[0].num_places < features.num_places for each in origin.summaries):
        return None
    squashed = any(each.operation in SQUASHING for each in origin.passed)
    if by_attention:
        return "GCA" if squashed or step.operation == "add" else None
    return _find_pooled_kind(layers, origin, pooled, weights) if pooled and squashed and step.operation == "mul" else None


def _find_pooled_kind(layers: Layers, origin: _Origin, pooled: list[Step], weights: list[Step]) -> str:
    """The kind of a gate that is computed from the mean, or mean and maximum, of each channel."""
    along_channels = {each.step.number for each in layers.convolutions if not each.over_places}
    if any(each.number in along_channels for each in weights):
        return "ECA"
    if any(each.operation in SOFTMAX for each in origin.passed):
        return OTHER
    if len({each.operation for each in pooled}) > 1:
        return "CBAM"
    return "SE" if len(weights) >= LAYERS_OF_SE else "ESE"


def _find_location(layers: Layers, step: Step) -> Location:
    """Whether the features go into one convolution, or to the block's end: a shortcut, several convolutions, the head."""
    weighing = {each.step.number for each in layers.convolutions if each.places_in > 1}
    weighing |= {each.step.number for each in layers.linears if each.step.output.num_places > 1}
    following = layers.walk_forward(step, stop=lambda each: joins(each) or pools_all(each) or each.number in weighing)
    following = [each for each in following if not pools_all(each)]
    channels = count(step.output.axes, "feature")
    whole = [each for each in following if count(each.data[0].axes, "feature") == channels]  # not each one part of a split
    return "End" if not following or len(whole) > 1 or any(joins(each) for each in following) else "Middle"
