"""An ONNX graph made ready for conversion to PyTorch: what the converter would stumble over is rewritten or refused."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import onnx
from onnx import TensorProto, helper, inliner, numpy_helper

from zooscope.classifiers.providers.onnx_logits import Ending, bypass_probabilities, find_constants, refuse_training
from zooscope.errors import ClassifierError, MissingFileError, first_line
from zooscope.stand_ins import find_stand_in

OPSET: Final = 17  # the newest that onnx2torch knows as a whole
FUNCTIONS: Final = [("", name) for name in ("CastLike", "Gelu", "GroupNormalization", "Mish")]  # ONNX itself spells them out
QUANTISING: Final = re.compile("QLinear|[Qq]uantize|Integer$|^QGemm$|^QAttention$|NBits$")  # of ONNX and of its runtime
RUNTIME_DOMAIN: Final = "com.microsoft"
HALVES: Final = frozenset({TensorProto.FLOAT16, TensorProto.BFLOAT16})
NUM_DIMENSIONS: Final = 4
NUM_CHANNELS: Final = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageGraph:
    """A graph from one batch of images to logits.

    Attributes:
        original: the graph as it was; where a softmax or sigmoid was at its end, what went into that is a second output.
        ending: that softmax or sigmoid; None if there was none.
        logits: the graph without it.
        model: the same in older operators, and with names that can be no code; None for a quantised one.
        quantised: the operators that round values to whole numbers.
        batch: how many images it takes at once; None where it takes any number.
        size: height and width; None where it takes any.
        is_channels_last: whether the channels come behind height and width.
        is_half: whether it computes in half precision.
        digest: SHA-256 over all operators and how they are connected; over the weights only if it is quantised.
    """

    original: Any
    ending: Ending | None
    logits: Any
    model: Any | None
    quantised: tuple[str, ...]
    batch: int | None
    size: tuple[int, int] | None
    is_channels_last: bool
    is_half: bool
    digest: bytes


def read_graph(file: Path) -> ImageGraph:
    """The graph of an ONNX file, with its weights, also where they lie in files beside it.

    Raises:
        MissingFileError: there is no such file.
        ClassifierError: the file is damaged, or holds something else than a network from images to logits.
    """
    if not file.is_file():
        msg = f"there is no ONNX file {file}; give the path of one."
        raise MissingFileError(msg)
    try:
        model = onnx.load(file)
        onnx.checker.check_model(model)
        model = inliner.inline_local_functions(model)
    except Exception as error:  # protobuf, the checker and the inliner have errors of their own
        stand_in = find_stand_in(file)
        reason = f"{first_line(error)}); export it again, with the files beside it."
        msg = f"{file} can't be read as an ONNX graph ({reason if stand_in is None else f'{stand_in.what}); {stand_in.advice}.'}"
        raise ClassifierError(msg) from error
    quantised = tuple(dict.fromkeys(node.op_type for node in model.graph.node if QUANTISING.search(node.op_type)))
    foreign = sorted({node.domain for node in model.graph.node} - {"", "ai.onnx", *((RUNTIME_DOMAIN,) if quantised else ())})
    if foreign:
        msg = f"{file} has operators of {foreign[0]}, which are not ONNX's own; export it without them."
        raise ClassifierError(msg)
    batch, size, is_channels_last = _find_input(model.graph, file)
    if len(model.graph.output) != 1:
        names = ", ".join(value.name for value in model.graph.output)
        msg = f"{file} gives {len(model.graph.output)} outputs ({names}); export it with the logits alone."
        raise ClassifierError(msg)
    refuse_training(model.graph, file)
    original = _copy(model)
    ending = bypass_probabilities(model.graph)
    if ending is not None:
        original.graph.output.append(onnx.ValueInfoProto(name=ending.logits))
    return ImageGraph(
        original=original,
        ending=ending,
        logits=model,
        model=None if quantised else _use_known_operators(model),
        quantised=quantised,
        batch=batch,
        size=size,
        is_channels_last=is_channels_last,
        is_half=any(constant.data_type in HALVES for constant in find_constants(model.graph).values()),
        digest=hashlib.sha256(model.SerializeToString(deterministic=True)).digest()
        if quantised
        else _read_structure(model.graph.node),
    )


def _copy(model: Any) -> Any:  # noqa: ANN401  (protobuf is untyped)
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def _find_input(graph: Any, file: Path) -> tuple[int | None, tuple[int, int] | None, bool]:  # noqa: ANN401  (protobuf is untyped)
    """Batch, size and layout of the images."""
    initialised = {initializer.name for initializer in graph.initializer}
    inputs = [value for value in graph.input if value.name not in initialised]
    tensor = inputs[0].type.tensor_type if len(inputs) == 1 else None
    sides = [dimension.dim_value or None for dimension in tensor.shape.dim] if tensor else []
    if tensor is None or len(sides) != NUM_DIMENSIONS or tensor.elem_type != TensorProto.FLOAT or NUM_CHANNELS not in sides[1::2]:
        msg = f"{file} must take one input, images as float32 of shape (batch, 3, height, width): got {_describe(inputs)}."
        raise ClassifierError(msg)
    is_channels_last = sides[1] != NUM_CHANNELS
    height, width = sides[1:3] if is_channels_last else sides[2:4]
    return sides[0], (height, width) if height and width else None, is_channels_last


def _describe(inputs: Iterable[Any]) -> str:
    shown = (
        f"{value.name} ({TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower()}, "
        f"{[side.dim_value or side.dim_param or '?' for side in value.type.tensor_type.shape.dim]})"
        for value in inputs
    )
    return ", ".join(shown) or "none"


def _use_known_operators(model: Any) -> Any:  # noqa: ANN401  (protobuf is untyped)
    """A copy in the operators of ONNX's opset 17 or older, with constants as initializers."""
    copy = _copy(model)
    if _find_opset(copy).version > OPSET:
        copy = inliner.inline_selected_functions(copy, FUNCTIONS, exclude=False, inline_schema_functions=True)
    graph, opset = copy.graph, _find_opset(copy)
    _turn_constants_into_initializers(graph)
    if opset.version > OPSET:
        values = {initializer.name: initializer for initializer in graph.initializer}
        for node in graph.node:
            _rewrite_in_older_form(node, values)
        opset.version = OPSET
    for number, node in enumerate(graph.node):  # the converter writes Python with these names in it
        node.name = f"node_{number}"
    return copy


def _find_opset(model: Any) -> Any:  # noqa: ANN401  (protobuf is untyped)
    return next(entry for entry in model.opset_import if entry.domain in {"", "ai.onnx"})


def _turn_constants_into_initializers(graph: Any) -> None:  # noqa: ANN401  (protobuf is untyped)
    """Constants, and copies of constants, become initializers, where the converter looks for weights."""
    values = {initializer.name: initializer for initializer in graph.initializer}
    outputs = {value.name for value in graph.output}
    for node in list(graph.node):
        copied = None
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            copied = node.attribute[0].t
        elif node.op_type == "Identity" and node.input[0] in values:
            copied = values[node.input[0]]
        if copied is not None and node.output[0] not in outputs:
            made = TensorProto()
            made.CopyFrom(copied)
            made.name = node.output[0]
            graph.initializer.append(made)
            values[made.name] = made
            graph.node.remove(node)


def _rewrite_in_older_form(node: Any, values: dict[str, Any]) -> None:  # noqa: ANN401  (protobuf is untyped)
    """Undoes what changed since opset 17 in the way of writing an operator."""
    if node.op_type.startswith("Reduce") and node.op_type != "ReduceSum" and len(node.input) > 1 and node.input[1] in values:
        node.attribute.append(helper.make_attribute("axes", numpy_helper.to_array(values[node.input[1]]).tolist()))
        del node.input[1:]
    newer = {"Split": "num_outputs", "Reshape": "allowzero", "Cast": "saturate", "AveragePool": "dilations"}.get(node.op_type)
    kept = [attribute for attribute in node.attribute if attribute.name not in {newer, "noop_with_empty_axes"}]
    del node.attribute[:]
    node.attribute.extend(kept)


def _read_structure(nodes: Iterable[Any]) -> bytes:
    total = hashlib.sha256()
    for node in nodes:
        total.update(node.SerializeToString(deterministic=True))
    return total.digest()
