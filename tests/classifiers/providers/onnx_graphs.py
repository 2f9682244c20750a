"""Small ONNX graphs, put together by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PLAIN = {"mean": "0", "std": "1"}
WEIGHT = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)


def linear(
    file: Path,
    *,
    shape: Sequence[int | str] = ("n", 3, 8, 8),
    before: Sequence[Any] = (),
    pooled: str = "pixels",
    axes: Sequence[int] = (2, 3),
    after: Sequence[Any] = (),
    outputs: Sequence[str] = ("logits",),
    kind: int = TensorProto.FLOAT,
    inputs: Sequence[str] = ("pixels",),
    imports: Sequence[tuple[str, int]] = (("", 17),),
    weight: np.ndarray = WEIGHT,
) -> Path:
    """A graph that takes the mean colour and multiplies it with a matrix, with other operators before and after."""
    nodes = [
        *before,
        helper.make_node("ReduceMean", [pooled], ["colour"], axes=list(axes), keepdims=0),
        helper.make_node("MatMul", ["colour", "weight"], ["logits" if not after else "scores"]),
        *after,
    ]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(name, kind, list(shape)) for name in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 5]) for name in outputs],
        [numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(*entry) for entry in imports], ir_version=9)
    onnx.save(model, file)
    return file


def constant(name: str, value: Sequence[float] | float, kind: type = np.float32) -> Any:  # noqa: ANN401  (protobuf is untyped)
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.array(value, kind)))
