"""Where the logits of an ONNX graph are."""

from pathlib import Path
from typing import Any

import zooscope.images.torchvision_operators

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper

from tests.classifiers.providers.onnx_graphs import PLAIN, WEIGHT, constant, linear
from zooscope.attacks.gradients import require_gradients
from zooscope.classifiers.providers import onnx as source

SOFTMAX = helper.make_node("Softmax", ["scores"], ["p"], axis=1)
CHANGES_NOTHING: dict[str, list[Any]] = {
    "Identity": [helper.make_node("Identity", ["p"], ["q"]), helper.make_node("Identity", ["q"], ["logits"])],
    "Dropout": [helper.make_node("Dropout", ["p"], ["logits"])],
    "Dropout that says so": [
        constant("half", 0.5),
        constant("off", False, np.bool_),  # noqa: FBT003  (what ONNX takes)
        helper.make_node("Dropout", ["p", "half", "off"], ["logits"]),
    ],
    "Cast": [
        helper.make_node("Cast", ["p"], ["q"], to=TensorProto.DOUBLE),
        helper.make_node("Cast", ["q"], ["logits"], to=TensorProto.FLOAT),
    ],
    "Reshape": [constant("shape", [-1, 5], np.int64), helper.make_node("Reshape", ["p", "shape"], ["logits"])],
    "Flatten": [helper.make_node("Flatten", ["p"], ["logits"], axis=1)],
    "Unsqueeze and Squeeze": [
        constant("axes", [2, 3], np.int64),
        helper.make_node("Unsqueeze", ["p", "axes"], ["q"]),
        helper.make_node("Squeeze", ["q", "axes"], ["logits"]),
    ],
    "Mul by one": [constant("one", 1.0), helper.make_node("Mul", ["p", "one"], ["logits"])],
    "Add nothing": [constant("none", 5 * [0.0]), helper.make_node("Add", ["p", "none"], ["logits"])],
    "Concat of one": [helper.make_node("Concat", ["p"], ["logits"], axis=1)],
}


@pytest.mark.parametrize("after", CHANGES_NOTHING.values(), ids=CHANGES_NOTHING)
def test_a_softmax_is_left_out_behind_which_nothing_changes(tmp_path: Path, after: list[Any]) -> None:
    classifier = source.load(str(linear(tmp_path / "a.onnx", after=[SOFTMAX, *after])), PLAIN, name="a")
    pixels = torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(classifier.logits(pixels), pixels.mean((2, 3)) @ torch.from_numpy(WEIGHT))


def test_a_softmax_behind_which_something_changes_stays(tmp_path: Path) -> None:
    after = [SOFTMAX, constant("two", 2.0), helper.make_node("Mul", ["p", "two"], ["logits"])]
    classifier = source.load(str(linear(tmp_path / "a.onnx", after=after)), PLAIN, name="a")
    pixels = torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(classifier.logits(pixels), 2 * (pixels.mean((2, 3)) @ torch.from_numpy(WEIGHT)).softmax(1))


BY_HAND = [
    constant("axis", [1], np.int64),
    helper.make_node("Exp", ["scores"], ["e"]),
    helper.make_node("ReduceSum", ["e", "axis"], ["t"]),
    helper.make_node("Div", ["e", "t"], ["logits"]),
]
SIGMOID = [helper.make_node("Sigmoid", ["scores"], ["p"]), helper.make_node("Identity", ["p"], ["logits"])]


@pytest.mark.parametrize("after", [BY_HAND, SIGMOID], ids=["softmax by hand", "sigmoid"])
def test_a_softmax_that_is_spelt_out_and_a_sigmoid_are_left_out(tmp_path: Path, after: list[Any]) -> None:
    classifier = source.load(str(linear(tmp_path / "a.onnx", after=after)), PLAIN, name="a")
    pixels = torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(classifier.logits(pixels), pixels.mean((2, 3)) @ torch.from_numpy(WEIGHT))


def test_logits_may_have_further_sides_of_length_one(tmp_path: Path) -> None:
    after = [constant("axes", [2, 3], np.int64), helper.make_node("Unsqueeze", ["scores", "axes"], ["logits"])]
    classifier = source.load(str(linear(tmp_path / "a.onnx", after=after)), PLAIN, name="a")
    assert classifier.logits(torch.rand(2, 3, 8, 8)).shape == (2, 5)


def test_half_precision_inside_has_logits_and_gradients(tmp_path: Path) -> None:
    to_half, to_float = (
        helper.make_node("Cast", [old], [new], to=kind)
        for old, new, kind in (("pixels", "half", TensorProto.FLOAT16), ("scores", "logits", TensorProto.FLOAT))
    )
    file = linear(tmp_path / "a.onnx", before=[to_half], pooled="half", after=[to_float], weight=WEIGHT.astype(np.float16))
    classifier = source.load(str(file), PLAIN, name="a")
    require_gradients(classifier, attack="LinfPGD")
    pixels = torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(classifier.logits(pixels), pixels.mean((2, 3)) @ torch.from_numpy(WEIGHT), atol=0.01, rtol=0.01)
