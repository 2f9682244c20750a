"""ONNX graphs without gradients: those that round, and quantised ones, which onnxruntime runs."""

import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import zooscope.images.torchvision_operators

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from PIL import Image

import zooscope
from tests.classifiers.providers.onnx_graphs import PLAIN, WEIGHT, constant, linear
from zooscope.attacks.gradients import require_gradients
from zooscope.classifiers.providers import onnx as source
from zooscope.errors import ClassifierError, MissingExtraError


def test_a_graph_that_rounds_can_be_a_target_only(tmp_path: Path) -> None:
    before = [
        constant("levels", 16.0),
        helper.make_node("Mul", ["pixels", "levels"], ["more"]),
        helper.make_node("Round", ["more"], ["whole"]),
    ]
    classifier = source.load(str(linear(tmp_path / "a.onnx", before=before, pooled="whole")), PLAIN, name="a")
    pixels = torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(classifier.logits(pixels), (16 * pixels).round().mean((2, 3)) @ torch.from_numpy(WEIGHT))
    with pytest.raises(
        ClassifierError, match=r"a: the gradient of its logits is zero .*; leave it out, or let it be a target only"
    ):
        require_gradients(classifier, attack="LinfPGD")


class ByReference:
    """In place of onnxruntime where it is not installed: the same graphs by ONNX's own reference."""

    def __init__(self, model: bytes, *_: object, **__: object) -> None:
        self._evaluator = ReferenceEvaluator(onnx.load_from_string(model))

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name=name) for name in self._evaluator.input_names]

    def run(self, names: None, values: dict[str, np.ndarray]) -> Any:  # noqa: ANN401  (arrays)
        return self._evaluator.run(names, values)


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime, or what stands for it."""
    if find_spec("onnxruntime") is None:
        module = SimpleNamespace(SessionOptions=SimpleNamespace, InferenceSession=ByReference)
        monkeypatch.setitem(sys.modules, "onnxruntime", module)


SCALE = float(np.abs(WEIGHT).max() / 127)
WHOLE = (WEIGHT / SCALE).round().astype(np.int8)


def quantised(file: Path, kind: str) -> Path:
    """The linear graph with whole numbers in it: for its weights, or for all that it computes."""
    scales = [constant("scale", SCALE), constant("zero", 0, np.int8), constant("step", 1 / 255), constant("nought", 0, np.uint8)]
    whole, levels = ["weight", "scale", "zero"], ["colour", "step", "nought"]
    dequantise, quantise = ("DequantizeLinear", "QuantizeLinear")
    nodes = {
        "weights": [helper.make_node(dequantise, whole, ["w"]), helper.make_node("MatMul", ["colour", "w"], ["logits"])],
        "all": [
            helper.make_node(dequantise, whole, ["w"]),
            helper.make_node(quantise, levels, ["c"]),
            helper.make_node(dequantise, ["c", "step", "nought"], ["d"]),
            helper.make_node("MatMul", ["d", "w"], ["logits"]),
        ],
        "all with softmax": [
            helper.make_node(dequantise, whole, ["w"]),
            helper.make_node("MatMul", ["colour", "w"], ["scores"]),
            helper.make_node("Softmax", ["scores"], ["p"], axis=1),
            helper.make_node(quantise, ["p", "step", "nought"], ["l"]),
            helper.make_node(dequantise, ["l", "step", "nought"], ["logits"]),
        ],
        "operators": [
            helper.make_node(quantise, levels, ["c"]),
            helper.make_node("QLinearMatMul", ["c", "step", "nought", *whole, "out", "middle"], ["l"]),
            helper.make_node(dequantise, ["l", "out", "middle"], ["logits"]),
        ],
        "dynamic": [
            helper.make_node("DynamicQuantizeLinear", ["colour"], ["c", "cs", "cz"]),
            helper.make_node("MatMulInteger", ["c", "weight", "cz", "zero"], ["sum"]),
            helper.make_node("Cast", ["sum"], ["l"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["cs", "scale"], ["both"]),
            helper.make_node("Mul", ["l", "both"], ["logits"]),
        ],
    }[kind]
    constants = [*scales, constant("out", 4 / 255), constant("middle", 128, np.uint8)]
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        [
            *(one for one in constants if one.output[0] in used),
            constant("axes", [2, 3], np.int64),
            helper.make_node("ReduceMean", ["pixels", "axes"], ["colour"], keepdims=0),
            *nodes,
        ],
        "graph",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 5])],
        [numpy_helper.from_array(WHOLE, "weight")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9), file)
    return file


KINDS = ("weights", "all", "all with softmax", "operators", "dynamic")


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("kind", KINDS)
def test_a_quantised_graph_has_logits_but_no_gradient(tmp_path: Path, kind: str) -> None:
    classifier = source.load(str(quantised(tmp_path / "a.onnx", kind)), PLAIN, name="a")
    assert classifier.architecture.startswith("quantised ONNX graph of ")
    for count in (1, 3):
        pixels = torch.rand(count, 3, 8, 8)
        expected = pixels.mean((2, 3)) @ (SCALE * torch.from_numpy(WHOLE).float())
        torch.testing.assert_close(classifier.logits(pixels), expected, atol=0.02, rtol=0)
    with pytest.raises(ClassifierError, match=r"a: its logits have no gradient .*; leave it out, or let it be a target only"):
        require_gradients(classifier, attack="LinfPGD")


@pytest.mark.usefixtures("runtime")
def test_the_weights_of_a_quantised_graph_are_its_identity(tmp_path: Path) -> None:
    first = source.load(str(quantised(tmp_path / "a.onnx", "weights")), PLAIN, name="a")
    model = onnx.load(tmp_path / "a.onnx")
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(-WHOLE, "weight"))
    onnx.save(model, tmp_path / "b.onnx")
    digests = {source.load(str(tmp_path / file), PLAIN, name="a").digest for file in ("a.onnx", "b.onnx")}
    assert len(digests) == 2
    assert first.digest in digests


@pytest.mark.usefixtures("runtime")
@pytest.mark.filterwarnings("ignore::zooscope.errors.OneSidedWarning")
def test_a_quantised_graph_is_measured_as_the_target_of_its_float_one(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for number in range(20):
        (tmp_path / f"images/{number % 5}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (8, 8, 3), np.uint8)).save(tmp_path / f"images/{number % 5}/{number}.png")
    floats, whole = linear(tmp_path / "a.onnx", weight=SCALE * WHOLE.astype(np.float32)), quantised(tmp_path / "b.onnx", "weights")
    classifiers = [source.load(str(file), PLAIN, name=name) for name, file in (("floats", floats), ("whole", whole))]
    images = zooscope.load_images(f"folder:{tmp_path / 'images'}")
    attack = zooscope.attacks.LinfPGD(epsilon=0.1, step_size=0.03, iterations=3)
    with zooscope.Study.in_memory(classifiers=classifiers, images=images, attack=attack, sources=["floats"]) as study:
        study.run(device="cpu", allow_chance=True)
        predictions = study.predictions
    np.testing.assert_array_equal(predictions.clean[0], predictions.clean[1])
    np.testing.assert_array_equal(predictions.transfer[0, 0], predictions.transfer[0, 1])
    assert (predictions.transfer[0, 1] != predictions.labels).any()


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_runtime_a_quantised_graph_says_what_it_needs(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    needed = r"it needs .* `pip install 'zooscope\[onnxruntime\]'`"
    message = rf"a\.onnx is quantised \(.*Linear.*\): it can be a target only, and {needed}"
    with pytest.raises(MissingExtraError, match=message):
        source.load(str(quantised(tmp_path / "a.onnx", kind)), PLAIN, name="a")


def test_a_quantised_graph_that_does_not_run_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        msg = "no kernel"
        raise RuntimeError(msg)

    file = str(quantised(tmp_path / "a.onnx", "all"))
    module = SimpleNamespace(SessionOptions=SimpleNamespace, InferenceSession=refuse)
    monkeypatch.setitem(sys.modules, "onnxruntime", module)
    with pytest.raises(ClassifierError, match=r"a\.onnx can't be run by onnxruntime \(no kernel\); export it anew\."):
        source.load(file, PLAIN, name="a")
    monkeypatch.setattr(ByReference, "run", refuse)
    module.InferenceSession = ByReference
    with pytest.raises(ClassifierError, match=r"a\.onnx can't be run by onnxruntime \(no kernel\)"):
        source.load(file, PLAIN, name="a")
