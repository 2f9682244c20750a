"""The activation functions of a network, as torch operations or written out in elementary ones."""

from typing import Final

from zooscope.components.reading.layers import Layers, read_numbers
from zooscope.components.reading.reading import Reading, list_modules
from zooscope.components.reading.trace import Step
from zooscope.components.reading.value import Value

KINDS: Final = {
    "gelu": "GeLU",
    "leaky_relu": "Leaky ReLU",
    "relu": "ReLU",
    "silu": "SiLU",
    "relu6": "ReLU6",
    "hardswish": "HardSwish",
    "mish": "Mish",
    "prelu": "PReLU",
    "prelu_kernel": "PReLU",
    "elu": "ELU",
    "selu": "SELU",
    "celu": "CELU",
    "softplus": "Softplus",
    "tanh": "Tanh",
}
ORDER: Final = tuple(dict.fromkeys(KINDS.values()))  # of the names in a value
NONE: Final = "-"
SIX: Final = 6
THREE: Final = 3
QUICK_GELU: Final = 1.702
LONGEST: Final = 16  # steps; every written-out activation needs fewer


def read_activation(layers: Layers) -> Reading:
    """Every activation, including those in channel attention; softmax and sigmoids that gate another value don't count."""
    found: dict[str, list[str]] = {}
    for step in layers.trace.steps:
        kind = _find_kind(layers, step)
        if kind:
            found.setdefault(kind, []).append(step.path)
    if len(found) > 1:
        found.pop("Tanh", None)  # in gates and heads
    kinds = [kind for kind in ORDER if kind in found]
    if not kinds:
        return Reading(value=NONE, why="no operation is an activation of its own")
    return Reading(value=" + ".join(kinds), why="; ".join(f"{kind}: {list_modules(found[kind])}" for kind in kinds))


def _find_kind(layers: Layers, step: Step) -> str | None:
    if step.operation in {"hardtanh", "clamp"}:
        return _classify_clamp(layers, step)
    if step.operation == "clamp_min":
        return "ReLU" if step.arguments[1] == 0 else None
    if step.operation == "mul":
        return _classify_product(layers, step)
    if step.operation == "tanh" and _is_part(layers, step):
        return None
    if step.operation == "softplus" and any(each.operation == "tanh" for each in layers.trace.find_after(step)):
        return None
    return KINDS.get(step.operation)


def _classify_clamp(layers: Layers, step: Step) -> str | None:
    """ReLU6, unless the clamp is part of a hard sigmoid, which clamps x + 3."""
    if not {0, SIX} <= set(read_numbers(step)):
        return None
    maker = layers.trace.find_maker(step.data[0])
    return None if maker is not None and maker.operation == "add" and THREE in read_numbers(maker) else "ReLU6"


def _classify_product(layers: Layers, step: Step) -> str | None:
    """The activation that multiplies a value by a function of itself; None if a division follows (a normalization)."""
    if len(step.data) != 2 or any(_divides(each, step.output) for each in layers.trace.find_after(step)):  # noqa: PLR2004  (value, function)
        return None
    for taken, gate in (step.data, step.data[::-1]):
        maker = layers.trace.find_maker(gate)
        kind = None if maker is None or taken.shape != gate.shape else _classify_self_gate(layers, taken, maker)
        if kind:
            return kind
    return None


def _divides(step: Step, value: Value) -> bool:
    return step.operation == "div" and len(step.data) > 1 and step.data[0] is value


def _classify_self_gate(layers: Layers, taken: Value, gate: Step) -> str | None:
    """The activation that multiplies a value by a gate, if the gate is computed from the same value."""
    before = [taken.number, *(value.number for value in _find_unscaled(layers, taken))]
    steps = _find_between(layers, gate, before)
    if any(step.number in layers.working for step in steps) or not any(
        value.number in before for step in steps for value in step.data
    ):
        return None
    operations = {step.operation: step for step in steps}
    if "erf" in operations or ("tanh" in operations and "softplus" not in operations):
        return "GeLU" if "add" in operations else None
    if "softplus" in operations:
        return "Mish"
    if "hardsigmoid" in operations or ({"hardtanh", "clamp"} & set(operations) and "add" in operations):
        return "HardSwish"
    if "sigmoid" not in operations:
        return None
    scaled = operations.get("mul")
    return "GeLU" if scaled is not None and any(abs(number - QUICK_GELU) < 0.01 for number in read_numbers(scaled)) else "SiLU"  # noqa: PLR2004


def _find_unscaled(layers: Layers, value: Value) -> list[Value]:
    """The value before scaling by a constant: GELU halves x before the product or after it."""
    maker = layers.trace.find_maker(value)
    return list(maker.data) if maker is not None and maker.operation in {"mul", "div"} and len(maker.data) == 1 else []


def _find_between(layers: Layers, gate: Step, before: list[int]) -> list[Step]:
    """The steps that compute a gate from one of the given values."""
    found, waiting = [gate], [gate]
    while waiting:
        for value in waiting.pop().data:
            maker = layers.trace.find_maker(value)
            if value.number not in before and maker is not None and maker not in found:
                found.append(maker)
                waiting.append(maker)
        if len(found) > LONGEST:
            return []
    return found


def _is_part(layers: Layers, step: Step) -> bool:
    """Whether a tanh is part of GELU, which adds 1 to it, or of Mish, which applies it to a softplus."""
    added = any(each.operation == "add" and 1 in read_numbers(each) for each in layers.trace.find_after(step))
    return added or any(each.operation == "softplus" for each in layers.trace.find_before(step))
