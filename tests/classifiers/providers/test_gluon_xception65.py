"""Gluon's Xception-65 is the network that timm 0.6.7 built, by what was noted of that version, or beside it."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from zooscope import load_classifier
from zooscope.classifiers.providers import paper
from zooscope.classifiers.providers.gluon_xception65 import GluonXception65
from zooscope.components.reading.read import read_components
from zooscope.components.reading.skeleton import load_skeleton
from zooscope.errors import ClassifierError, InvalidValueError, MissingFileError, UnknownNameError

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).with_name("gluon_in_timm_067.py")

# Noted from timm 0.6.7, to which `gluon_in_timm_067.py` gave the weights of `draw` and the pixels of `draw_pixels(64)`.
NUM_PARAMETERS = 39_916_312
NUM_NAMES = 794
NAMES_AND_SHAPES = "8f344baa9a8066a9f4e8e742af21d244831b4f86a7fb0491a9a5fda674154a1a"
FIRST_LOGITS = [
    [2.1154098510742188, -1.1153967380523682, -3.1934399604797363, 2.0018808841705322, 4.6530046463012695],
    [2.9917640686035156, -1.138671875, -3.42374587059021, 2.0980331897735596, 4.550917148590088],
]
GRADIENT_SUMS = [28.5255, 26.6720]  # of absolute values, per image


def draw(expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights and statistics for these names and shapes, the same everywhere, that let values neither die out nor grow."""
    random = np.random.default_rng(0)
    drawn: dict[str, Tensor] = {}
    for name, tensor in expected.items():
        shape = tuple(tensor.shape)
        if name.endswith("num_batches_tracked"):
            drawn[name] = torch.zeros(shape, dtype=torch.int64)
        elif len(shape) > 1:
            drawn[name] = torch.from_numpy(random.standard_normal(shape, dtype=np.float32)) / np.sqrt(np.prod(shape[1:]))
        elif name.endswith(("running_var", "weight")):
            drawn[name] = torch.from_numpy(random.uniform(0.8, 1.6, shape).astype(np.float32))
        else:
            drawn[name] = torch.from_numpy(random.normal(0, 0.3, shape).astype(np.float32))
    return drawn


def draw_pixels(size: int) -> Tensor:
    """Two images of noise, normalized."""
    return torch.from_numpy(np.random.default_rng(1).normal(size=(2, 3, size, size)).astype(np.float32))


def save_constants(file: Path, *, num_classes: int = 1000, without: str | None = None) -> dict[str, float]:
    """Writes a small file of weights of which each has one value everywhere, and no counts of batches; gives these values."""
    with torch.device("meta"):
        shapes = {name: value.shape for name, value in GluonXception65(num_classes).state_dict().items() if value.ndim}
    values = {name: float(number) for number, name in enumerate(shapes)}
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.save({name: torch.tensor(values[name]).expand(shapes[name]) for name in shapes if name != without}, file)
    return values


def differentiate(network: nn.Module, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Logits, and the gradient of the sum of their logsumexp with respect to the pixels."""
    pixels = pixels.clone().requires_grad_()
    logits: Tensor = network(pixels)
    (gradient,) = torch.autograd.grad(logits.logsumexp(1).sum(), pixels)
    return logits.detach(), gradient


@pytest.fixture(scope="module")
def network() -> GluonXception65:
    with torch.device("meta"):
        built = GluonXception65()
    built.load_state_dict(draw(built.state_dict()), strict=True, assign=True)
    return built.eval()


def test_names_and_shapes_are_those_of_timm_067(network: GluonXception65) -> None:
    lines = [f"{name} {tuple(value.shape)}" for name, value in network.state_dict().items()]
    assert sum(parameter.numel() for parameter in network.parameters()) == NUM_PARAMETERS
    assert (len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()) == (NUM_NAMES, NAMES_AND_SHAPES)


def test_logits_and_gradients_are_those_noted_from_timm_067(network: GluonXception65) -> None:
    logits, gradient = differentiate(network, draw_pixels(64))
    torch.testing.assert_close(logits[:, :5], torch.tensor(FIRST_LOGITS), atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(gradient.abs().sum((1, 2, 3)), torch.tensor(GRADIENT_SUMS), atol=0, rtol=1e-3)


def test_it_has_65_layers_of_convolution_and_shrinks_the_image_to_a_32nd() -> None:
    sides = list[int]()
    with torch.device("meta"):
        network = GluonXception65(7).eval()
        layers = {name: layer for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d)}
        for layer in layers.values():
            layer.register_forward_hook(lambda _layer, _given, values: sides.append(values.shape[-1]))
        assert network(torch.zeros(2, 3, 299, 299)).shape == (2, 7)
    assert len([name for name in layers if "skip" not in name and "conv_pw" not in name]) == 65
    assert list(dict.fromkeys(sides)) == [150, 75, 38, 19, 10]
    assert all(layer.dilation == (1, 1) for layer in layers.values())


def test_all_13_components_are_read_as_the_paper_has_them() -> None:
    found = read_components(load_skeleton("paper:gluon_xception65"))
    assert {name: reading.value for name, reading in found.items()} == paper.find_entry("gluon_xception65").components


@pytest.mark.slow
@pytest.mark.skipif(
    "ZOOSCOPE_TIMM_067" not in os.environ,
    reason="installs timm 0.6.7 into a folder of its own: set ZOOSCOPE_TIMM_067 to that folder, or to an empty one",
)
def test_logits_and_gradients_are_those_of_timm_067_beside_it(network: GluonXception65, tmp_path: Path) -> None:
    installed = Path(os.environ["ZOOSCOPE_TIMM_067"]).resolve()
    if not (installed / "timm").is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(installed), "timm==0.6.7"]
        subprocess.run(command, check=True)
    pixels = draw_pixels(299)
    save_file({**network.state_dict(), "pixels": pixels}, tmp_path / "given.safetensors")
    paths = os.pathsep.join([str(installed), str(ROOT / "src")])
    subprocess.run([sys.executable, str(PROGRAM), str(tmp_path)], check=True, env={**os.environ, "PYTHONPATH": paths})
    found = load_file(tmp_path / "found.safetensors")
    logits, gradient = differentiate(network, pixels)
    assert logits.std() > 1
    assert (logits[0] - logits[1]).abs().max() > 0.1
    torch.testing.assert_close(logits, found["logits"], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(gradient, found["gradient"], atol=1e-7, rtol=1e-4)


def test_weights_come_from_a_file_that_is_named(tmp_path: Path) -> None:
    values = save_constants(tmp_path / "any.pth", num_classes=7)
    classifier = load_classifier(f"paper:gluon_xception65?weights={tmp_path / 'any.pth'}&size=64")
    assert (classifier.name, classifier.num_classes, classifier.architecture) == ("paper:gluon_xception65", 7, "gluon_xception65")
    assert classifier.transform.size == (64, 64)
    for name, value in classifier.network.state_dict().items():
        assert (value == values.get(name, 0)).all()
    again = load_classifier(str(classifier.address))
    assert (again.digest, again.transform, again.address) == (classifier.digest, classifier.transform, classifier.address)


def test_weights_come_from_torch_hubs_folder_with_the_settings_of_timm_067(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    save_constants(tmp_path / "hub/checkpoints/gluon_xception-7015a15c.pth")
    assert paper.find_missing_weights() == {}
    classifier = load_classifier("paper:gluon_xception65")
    assert (classifier.address, classifier.num_classes) == ("paper:gluon_xception65", 1000)
    transform = classifier.transform
    assert (transform.size, transform.interpolation, transform.crop_fraction) == ((299, 299), "bicubic", 0.903)
    assert (classifier.mean, classifier.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def test_without_a_file_it_is_refused_and_what_to_do_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    place = re.escape(str(tmp_path / "hub/checkpoints/gluon_xception-7015a15c.pth"))
    sentence = rf"there is no {place}; put https://github\.com/\S+/gluon_xception-7015a15c\.pth there, or name a copy of it: paper:"
    with pytest.raises(
        ClassifierError, match=rf"paper:gluon_xception65 can't be loaded: timm no longer has its weights, and {sentence}"
    ):
        load_classifier("paper:gluon_xception65")
    (address,) = paper.find_missing_weights()
    assert address == "paper:gluon_xception65"


def test_what_can_not_be_used_is_refused(tmp_path: Path) -> None:
    save_constants(tmp_path / "whole.pth")
    save_constants(tmp_path / "part.pth", without="fc.bias")
    for options, error, sentence in (
        ("weights=nothing.pth", MissingFileError, r"there is no checkpoint .*nothing\.pth"),
        (f"weights={tmp_path}/part.pth", ClassifierError, r"doesn't fit Gluon's gluon_xception65: it lacks fc\.bias"),
        (f"weights={tmp_path}/whole.pth&num_classes=7", ClassifierError, r"has other shapes for fc\.weight \(1000, 2048\)"),
        (f"weights={tmp_path}/whole.pth&size=big", InvalidValueError, "the option size takes a whole number"),
        ("colour=red", UnknownNameError, "unknown option 'colour'"),
    ):
        with pytest.raises(error, match=sentence):
            load_classifier(f"paper:gluon_xception65?{options}")
