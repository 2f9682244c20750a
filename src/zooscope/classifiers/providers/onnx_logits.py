"""Where a graph's logits are: in front of a softmax or a sigmoid, also if operators that change no value follow it."""

from typing import Any, Final, NamedTuple

from onnx import TensorProto, numpy_helper

from zooscope.errors import ClassifierError

ROUNDING: Final = frozenset({"QuantizeLinear", "DequantizeLinear"})
SHAPING: Final = frozenset({"Reshape", "Flatten", "Squeeze", "Unsqueeze"})
OF_ONE: Final = frozenset({"Concat", "Max", "Mean", "Min", "Sum"})  # the same as their input where that is only one
NEUTRAL: Final = {"Add": 0.0, "Sub": 0.0, "Mul": 1.0, "Div": 1.0, "Pow": 1.0}
FLOATS: Final = frozenset({TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16})


class Ending(NamedTuple):
    """What made probabilities of logits.

    Attributes:
        logits: the name of what went into it.
        is_softmax: whether it was a softmax; else a sigmoid.
    """

    logits: str
    is_softmax: bool


def bypass_probabilities(graph: Any) -> Ending | None:  # noqa: ANN401  (protobuf is untyped)
    """Takes a softmax or a sigmoid out that is the last to change a value, and says where it was; None if there is none.

    What follows it stays if it changes the shape, and goes if it rounds to levels that are those of probabilities.
    """
    constants = find_constants(graph)
    following: list[Any] = []
    name = graph.output[0].name
    while (node := _find_producer(graph, name)) is not None:
        logits = _makes_probabilities(graph, node)
        if logits is not None:
            ending = Ending(logits, node.op_type != "Sigmoid")
            for rounding in [one for one in following if one.op_type in ROUNDING]:
                _replace(graph, rounding, rounding.input[0])
            _replace(graph, node, logits)
            _remove_unused(graph)
            return ending
        if not _changes_no_value(node, constants):
            return None
        following.append(node)
        name = node.input[0]
    return None


def refuse_training(graph: Any, file: object) -> None:  # noqa: ANN401  (protobuf is untyped)
    """Refuses a graph that was exported in training mode.

    Raises:
        ClassifierError: it would answer differently each time, or by the other images of its batch.
    """
    constants = find_constants(graph)
    for node in graph.node:
        attributes = {attribute.name: attribute.i for attribute in node.attribute}
        drops = node.op_type == "Dropout" and _is_training(node, constants)
        if drops or (node.op_type == "BatchNormalization" and attributes.get("training_mode")):
            msg = f"{file} was exported in training mode (its {node.op_type}); call network.eval() first, and export it again."
            raise ClassifierError(msg)


def find_constants(graph: Any) -> dict[str, Any]:  # noqa: ANN401  (protobuf is untyped)
    """The arrays in a graph by name."""
    given = {one.name: one for one in graph.initializer}
    made = {
        node.output[0]: node.attribute[0].t
        for node in graph.node
        if node.op_type == "Constant" and node.attribute[0].name == "value"
    }
    return given | made


def _find_producer(graph: Any, name: str) -> Any:  # noqa: ANN401  (protobuf is untyped)
    return next((node for node in graph.node if name in node.output), None)


def _makes_probabilities(graph: Any, node: Any) -> str | None:  # noqa: ANN401  (protobuf is untyped)
    """What goes into a sigmoid, or a softmax, as one operator or spelt out; None if it is none."""
    if node.op_type in {"Softmax", "Sigmoid"}:
        return str(node.input[0])
    if node.op_type == "Div":
        above, below = (_find_producer(graph, name) for name in node.input)
        is_sum = below is not None and below.op_type == "ReduceSum" and below.input[0] == node.input[0]
        if above is not None and above.op_type == "Exp" and is_sum:
            return str(above.input[0])
    return None


def _changes_no_value(node: Any, constants: dict[str, Any]) -> bool:  # noqa: ANN401  (protobuf is untyped)
    kind = node.op_type
    if kind == "Identity" or kind in SHAPING or kind in ROUNDING:
        return True
    if kind == "Dropout":
        return not _is_training(node, constants)
    if kind == "Cast":
        return any(attribute.name == "to" and attribute.i in FLOATS for attribute in node.attribute)
    if kind in OF_ONE:
        return len(node.input) == 1
    if kind in NEUTRAL and node.input[1] in constants:
        return bool((numpy_helper.to_array(constants[node.input[1]]) == NEUTRAL[kind]).all())
    return False


def _is_training(node: Any, constants: dict[str, Any]) -> bool:  # noqa: ANN401  (protobuf is untyped)
    """Whether a dropout drops: an input says so since opset 12, and nothing but an attribute, for training, long before."""
    ratio, mode = ([*node.input, "", ""][place] for place in (1, 2))
    drops_none = ratio in constants and not numpy_helper.to_array(constants[ratio]).any()
    return bool(mode) and not drops_none and (mode not in constants or bool(numpy_helper.to_array(constants[mode]).any()))


def _replace(graph: Any, node: Any, new: str) -> None:  # noqa: ANN401  (protobuf is untyped)
    """Takes out an operator, and puts another value in the place of what it makes."""
    old = node.output[0]
    for other in graph.node:
        for place, name in enumerate(other.input):
            if name == old:
                other.input[place] = new
    if graph.output[0].name == old:
        graph.output[0].name = new
    graph.node.remove(node)


def _remove_unused(graph: Any) -> None:  # noqa: ANN401  (protobuf is untyped)
    """Takes out the operators whose values nothing uses any more."""
    while True:
        used = {graph.output[0].name, *(name for node in graph.node for name in node.input)}
        unused = [node for node in graph.node if not used & set(node.output)]
        if not unused:
            return
        for node in unused:
            graph.node.remove(node)
