"""Networks as ONNX graphs: exported or put together here, converted, and compared with the originals."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import timm
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from torch import Tensor, nn
from torchvision import models

from tests.classifiers.providers.onnx_graphs import PLAIN, WEIGHT, linear
from zooscope import PixelTransform
from zooscope.classifiers.providers import onnx as source
from zooscope.errors import ClassifierError, InvalidValueError, MissingFileError, UnknownNameError

BUILDERS: dict[str, Callable[[], nn.Module]] = {
    "squeezenet": lambda: models.squeezenet1_1(num_classes=7),
    "shufflenet": lambda: models.shufflenet_v2_x0_5(num_classes=7),
    "mobilenet": lambda: models.mobilenet_v3_small(num_classes=7),
    "vit": lambda: timm.create_model("test_vit", num_classes=7, img_size=64),
    "convnext": lambda: timm.create_model("test_convnext", num_classes=7),
    "efficientnet": lambda: timm.create_model("test_efficientnet", num_classes=7),
}


@cache
def network_of(name: str) -> nn.Module:
    torch.manual_seed(0)
    network = BUILDERS[name]().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))  # equal biases would be exported as one
    return network


def exported(name: str, file: Path, *, opset: int = 17, batch: int | None = None) -> nn.Module:
    network = network_of(name)
    with pytest.warns(DeprecationWarning, match="legacy TorchScript"):  # this exporter needs nothing but PyTorch
        torch.onnx.export(
            network,
            (torch.rand(batch or 1, 3, 64, 64),),
            file,
            dynamo=False,
            opset_version=opset,
            input_names=["pixels"],
            output_names=["logits"],
            dynamic_axes=None if batch else {"pixels": {0: "batch"}, "logits": {0: "batch"}},
        )
    return network


def logits_and_gradient(network: nn.Module, pixels: Tensor) -> tuple[Tensor, Tensor]:
    shown = pixels.clone().requires_grad_()
    logits = network(shown)
    (gradient,) = torch.autograd.grad(logits.square().sum(), shown)
    return logits.detach(), gradient


@pytest.mark.filterwarnings("ignore")  # PyTorch's exporter and tracer have much to say
@pytest.mark.parametrize(("name", "opset"), [*((name, 17) for name in BUILDERS), ("mobilenet", 13), ("vit", 18), ("convnext", 20)])
def test_logits_and_gradients_are_those_of_the_exported_network(tmp_path: Path, name: str, opset: int) -> None:
    network = exported(name, tmp_path / "a.onnx", opset=opset)
    classifier = source.load(str(tmp_path / "a.onnx"), PLAIN, name="mine")
    assert (classifier.name, classifier.num_classes) == ("mine", 7)
    assert classifier.transform == PixelTransform(height=64, width=64)
    pixels = torch.rand(3, 3, 64, 64)
    for ours, theirs in zip(logits_and_gradient(classifier.network, pixels), logits_and_gradient(network, pixels), strict=True):
        off = (ours - theirs).abs() / theirs.abs().max()
        assert off.quantile(0.999) < 1e-4  # a kink of ReLU may lie between two roundings
    assert not any(parameter.requires_grad for parameter in classifier.network.parameters())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("batch", [1, 4])
def test_a_batch_that_is_written_into_the_graph_is_kept_to(tmp_path: Path, batch: int) -> None:
    network = exported("shufflenet", tmp_path / "a.onnx", batch=batch)
    classifier = source.load(str(tmp_path / "a.onnx"), PLAIN, name="mine")
    assert isinstance(classifier.network, source.Converted)
    assert classifier.network.piece == batch
    for count in (1, 4, 6):
        pixels = torch.rand(count, 3, 64, 64)
        with torch.no_grad():
            torch.testing.assert_close(classifier.logits(pixels), network(pixels), atol=1e-4, rtol=1e-4)


def test_a_graph_put_together_by_hand_gives_what_it_says(tmp_path: Path) -> None:
    options = {"mean": "0.5", "std": "0.1,0.2,0.4", "interpolation": "bilinear", "crop": "0.875", "num_classes": "5"}
    classifier = source.load(str(linear(tmp_path / "a.onnx")), options, name="a")
    assert classifier.transform == PixelTransform(height=8, width=8, interpolation="bilinear", crop_fraction=0.875)
    pixels = torch.rand(2, 3, 8, 8)
    expected = (pixels.mean((2, 3)) - 0.5) / torch.tensor([0.1, 0.2, 0.4]) @ torch.from_numpy(WEIGHT)
    torch.testing.assert_close(classifier.logits(pixels), expected)
    assert (
        classifier.address == f"onnx:{tmp_path / 'a.onnx'}?mean=0.5&std=0.1,0.2,0.4&interpolation=bilinear&crop=0.875&num_classes=5"
    )


def test_a_softmax_at_the_end_is_left_out(tmp_path: Path) -> None:
    plain = source.load(str(linear(tmp_path / "a.onnx")), PLAIN, name="a")
    ending = source.load(
        str(linear(tmp_path / "b.onnx", after=[helper.make_node("Softmax", ["scores"], ["logits"])])), PLAIN, name="b"
    )
    pixels = torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(plain.logits(pixels), ending.logits(pixels))


def test_channels_may_come_last(tmp_path: Path) -> None:
    file = linear(tmp_path / "a.onnx", shape=("n", 6, 8, 3), axes=(1, 2))
    classifier = source.load(str(file), PLAIN, name="a")
    pixels = torch.rand(2, 3, 6, 8)
    torch.testing.assert_close(classifier.logits(pixels), pixels.mean((2, 3)) @ torch.from_numpy(WEIGHT))


def test_a_graph_for_any_size_takes_the_one_that_is_asked_for(tmp_path: Path) -> None:
    file = linear(tmp_path / "a.onnx", shape=("n", 3, "height", "width"))
    assert source.load(str(file), {**PLAIN, "size": "12"}, name="a").transform.size == (12, 12)
    with pytest.raises(ClassifierError, match=r"a\.onnx takes images of any size; say which with size=\."):
        source.load(str(file), PLAIN, name="a")


def test_weights_may_lie_in_a_file_beside_the_graph(tmp_path: Path) -> None:
    digest = source.load(str(linear(tmp_path / "a.onnx")), PLAIN, name="a").digest
    model = onnx.load(tmp_path / "a.onnx")
    onnx.save(model, tmp_path / "b.onnx", save_as_external_data=True, location="b.data", size_threshold=0)
    assert (tmp_path / "b.data").stat().st_size >= WEIGHT.nbytes
    assert source.load(str(tmp_path / "b.onnx"), PLAIN, name="a").digest == digest
    (tmp_path / "b.data").unlink()
    with pytest.raises(ClassifierError, match=r"b\.onnx can't be read as an ONNX graph .*b\.data"):
        source.load(str(tmp_path / "b.onnx"), PLAIN, name="a")


def test_weights_outside_the_folder_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    model = onnx.load(linear(tmp_path / "a.onnx"))
    onnx.save(model, tmp_path / "b.onnx", save_as_external_data=True, location="b.data", size_threshold=0)
    model = onnx.load(tmp_path / "b.onnx", load_external_data=False)
    model.graph.initializer[0].external_data[0].value = "../b.data"
    onnx.save(model, tmp_path / "inside/b.onnx")
    with pytest.raises(ClassifierError, match=r"b\.onnx can't be read as an ONNX graph"):
        source.load(str(tmp_path / "inside/b.onnx"), PLAIN, name="a")


def test_weights_and_operators_are_the_identity(tmp_path: Path) -> None:
    relu = [helper.make_node("Relu", ["pixels"], ["positive"])]
    files = [
        linear(tmp_path / "a.onnx"),
        linear(tmp_path / "b.onnx", weight=2 * WEIGHT),
        linear(tmp_path / "c.onnx", before=relu, pooled="positive"),
        linear(tmp_path / "d.onnx"),
    ]
    first, other_weights, other_operators, same = (source.load(str(file), PLAIN, name="a").digest for file in files)
    assert len({first, other_weights, other_operators}) == 3
    assert first == same


def test_no_code_in_the_names_of_a_graph_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    code = f'training"),open("{mark}","w"),getattr(self,"training'
    named = helper.make_node("Relu", ["pixels"], ["positive"], name=code)
    classifier = source.load(str(linear(tmp_path / "a.onnx", before=[named], pooled="positive")), PLAIN, name="a")
    classifier.logits(torch.rand(1, 3, 8, 8))
    assert not mark.exists()
    assert "getattr" not in str(classifier.network)


def test_a_wrong_conversion_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            return pixels.amax((2, 3)) @ torch.from_numpy(WEIGHT)

    monkeypatch.setattr(source, "convert", lambda _: Wrong())
    with pytest.raises(ClassifierError, match=r"a\.onnx gives other logits in PyTorch than by ONNX's reference"):
        source.load(str(linear(tmp_path / "a.onnx")), PLAIN, name="a")


def test_a_conversion_that_does_not_run_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "convert", lambda _: nn.Linear(5, 5))
    with pytest.raises(ClassifierError, match=r"a\.onnx was converted to PyTorch but doesn't run \(mat1 and mat2"):
        source.load(str(linear(tmp_path / "a.onnx")), PLAIN, name="a")


ARGMAX = [helper.make_node("ArgMax", ["scores"], ["logits"], axis=1)]
ACROSS_IMAGES = [helper.make_node("Softmax", ["scores"], ["logits"], axis=0)]
DROPPING = [
    helper.make_node("Constant", [], ["half"], value_float=0.5),
    helper.make_node("Constant", [], ["training"], value=numpy_helper.from_array(np.array(True))),  # noqa: FBT003  (what ONNX takes)
    helper.make_node("Dropout", ["scores", "half", "training"], ["logits"]),
]
NORMALISING = [
    helper.make_node("Constant", [], ["ones"], value=numpy_helper.from_array(np.ones(3, np.float32))),
    helper.make_node("BatchNormalization", ["pixels", *4 * ["ones"]], ["normal", "mean", "var"], training_mode=1),
]
HARDMAX = [helper.make_node("Hardmax", ["scores"], ["logits"])]
DROP = [helper.make_node("Identity", ["scores"], ["logits"]), helper.make_node("Identity", ["scores"], ["more"])]
FOREIGN = [helper.make_node("Novel", ["pixels"], ["new"], domain="com.example")]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"after": ARGMAX}, r"a\.onnx gives whole numbers \(int64\), not logits; export it without ArgMax\."),
        ({"after": ACROSS_IMAGES}, r"the softmax at the end of .*a\.onnx is not over the classes, so its logits can't be told"),
        (
            {"after": DROPPING},
            r"a\.onnx was exported in training mode \(its Dropout\); call network\.eval\(\) first, and export it again",
        ),
        ({"before": NORMALISING, "pooled": "normal"}, r"a\.onnx was exported in training mode \(its BatchNormalization\)"),
        ({"after": HARDMAX}, r"a\.onnx can't be converted to PyTorch \(Converter is not implemented .*'Hardmax'"),
        (
            {"after": DROP, "outputs": ("logits", "more")},
            r"a\.onnx gives 2 outputs \(logits, more\); export it with the logits alone",
        ),
        ({"before": FOREIGN, "imports": (("", 17), ("com.example", 1))}, r"a\.onnx has operators of com\.example, which are not"),
        ({"shape": ("n", 1, 8, 8), "weight": WEIGHT[:1]}, r"must take one input, .*: got pixels \(float, \['n', 1, 8, 8\]\)"),
        ({"shape": (3, 8, 8), "axes": (1, 2)}, r"must take one input, .*: got pixels \(float, \[3, 8, 8\]\)"),
        ({"inputs": ("pixels", "mask")}, r"must take one input, .*: got pixels \(float, .*\), mask \(float, "),
        ({"kind": TensorProto.DOUBLE, "weight": WEIGHT.astype(float)}, r"must take one input, .*: got pixels \(double"),
    ],
)
def test_a_graph_that_is_no_image_classifier_is_refused(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    file = linear(tmp_path / "a.onnx", **settings)
    with pytest.raises(ClassifierError, match=message):
        source.load(str(file), PLAIN, name="a")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"std": "1"}, ClassifierError, r"names no mean; a graph doesn't say how it wants its pixels: add mean=0\.5&std=0\.5"),
        ({"mean": "0"}, ClassifierError, r"names no std; a graph doesn't say"),
        ({**PLAIN, "size": "16"}, ClassifierError, r"was made for images of 8x8 pixels; leave size= out"),
        ({**PLAIN, "num_classes": "7"}, ClassifierError, r"gives 5 logits, not 7; correct num_classes="),
        ({**PLAIN, "weights": "a.pth"}, UnknownNameError, r"unknown option 'weights'.* onnx: takes size, mean"),
        ({**PLAIN, "crop": "2"}, InvalidValueError, r"crop_fraction must be in \(0, 1\]: got 2\.0"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path: Path, options: dict[str, str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        source.load(str(linear(tmp_path / "a.onnx")), options, name="a")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no ONNX file .*nothing\.onnx"):
        source.load(str(tmp_path / "nothing.onnx"), PLAIN, name="a")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"half a graph")
    with pytest.raises(ClassifierError, match=r"a\.onnx can't be read as an ONNX graph"):
        source.load(str(tmp_path / "a.onnx"), PLAIN, name="a")


def test_what_the_reference_can_not_evaluate_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> None:
        msg = "no such operator"
        raise NotImplementedError(msg)

    monkeypatch.setattr(ReferenceEvaluator, "run", run)
    with pytest.raises(
        ClassifierError, match=r"can't be evaluated by ONNX's reference \(no such operator\), so its conversion can't"
    ):
        source.load(str(linear(tmp_path / "a.onnx")), PLAIN, name="a")
