"""Weights from a file into a network."""

import argparse
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from zooscope.classifiers.weights import fill, misfit, read_weights
from zooscope.errors import ClassifierError, MissingFileError


def weights() -> dict[str, Tensor]:
    return {"0.weight": torch.arange(6.0).view(2, 3), "0.bias": torch.tensor([1.0, -1.0])}


def other() -> dict[str, Tensor]:
    return {name: value + 1 for name, value in weights().items()}


def assert_same(read: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert read.keys() == expected.keys()
    assert all(torch.equal(read[name], expected[name]) for name in expected)


def test_safetensors_come_back(tmp_path: Path) -> None:
    save_file(weights(), tmp_path / "a.safetensors")
    assert_same(read_weights(tmp_path / "a.safetensors"), weights())


@pytest.mark.parametrize("ending", ["pth", "pt", "bin", "ckpt"])
@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "legacy"])
def test_what_torch_saves_comes_back(tmp_path: Path, ending: str, *, as_zip: bool) -> None:
    file = tmp_path / f"a.{ending}"
    torch.save(weights(), file, _use_new_zipfile_serialization=as_zip)
    assert_same(read_weights(file), weights())


@pytest.mark.parametrize(
    "content",
    [
        {"state_dict": weights(), "epoch": 3},
        {"model": weights(), "optimizer": {"state": {}}},
        {"state_dict": other(), "state_dict_ema": weights()},
        {"model": other(), "model_ema": weights()},
        {f"module.{name}": value for name, value in weights().items()},
        {"state_dict": {f"module.{name}": value for name, value in weights().items()}},
    ],
    ids=["state_dict", "model", "averaged state_dict", "averaged model", "parallel", "parallel state_dict"],
)
def test_the_network_is_found_in_a_training_checkpoint(tmp_path: Path, content: dict[str, Any]) -> None:
    torch.save(content, tmp_path / "a.pth")
    assert_same(read_weights(tmp_path / "a.pth"), weights())


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no checkpoint .*a\.pth; give the path of a \.safetensors or \.pth file"):
        read_weights(tmp_path / "a.pth")


def test_a_folder_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="there is no checkpoint"):
        read_weights(tmp_path)


def test_a_file_with_objects_is_not_opened(tmp_path: Path) -> None:
    torch.save({"model": weights(), "args": argparse.Namespace(epochs=3)}, tmp_path / "a.pth")
    with pytest.raises(ClassifierError, match=r"holds more than tensors .* and is not opened, since that could run code"):
        read_weights(tmp_path / "a.pth")


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, {"model": {}}, [torch.zeros(2)], torch.zeros(2)])
def test_a_file_without_weights_by_name_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(ClassifierError, match=r"holds no weights by name; save the network's state_dict\(\)"):
        read_weights(tmp_path / "a.pth")


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
@pytest.mark.parametrize("content", [b"", b"This is no checkpoint.\n", bytes(range(256)) * 8], ids=["empty", "text", "bytes"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, ending: str, content: bytes) -> None:
    file = tmp_path / f"a.{ending}"
    file.write_bytes(content)
    with pytest.raises(ClassifierError, match=rf"a\.{ending} (can't be read as a checkpoint|holds more than tensors)"):
        read_weights(file)


def save_legacy(content: dict[str, Tensor], file: Path) -> None:
    torch.save(content, file, _use_new_zipfile_serialization=False)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol:UserWarning")
@pytest.mark.parametrize("save", [torch.save, save_legacy, save_file], ids=["zip", "legacy", "safetensors"])
def test_a_damaged_file_gives_weights_or_a_sentence(tmp_path: Path, save: Callable[[dict[str, Tensor], Path], None]) -> None:
    file = tmp_path / ("a.safetensors" if save is save_file else "a.pth")
    save(weights(), file)
    whole, generator, num_refused = file.read_bytes(), random.Random(0), 0  # noqa: S311  (no secrets here)
    for _ in range(100):
        damaged = bytearray(whole[: generator.randrange(len(whole) // 2, len(whole) + 1)])
        for _ in range(3):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        file.write_bytes(damaged)
        try:
            read_weights(file)
        except ClassifierError:
            num_refused += 1
    assert num_refused > 50


# Into a network


def test_weights_fill_a_network() -> None:
    network = nn.Sequential(nn.Linear(3, 2))
    fill(network, weights(), file=Path("a.pth"), architecture="the network")
    assert_same(network.state_dict(), weights())


def test_counts_of_training_batches_may_be_missing() -> None:
    network = nn.BatchNorm1d(2)
    state = {name: value + 1 for name, value in network.state_dict().items() if name != "num_batches_tracked"}
    fill(network, state, file=Path("a.pth"), architecture="the network")
    assert_same({name: value for name, value in network.state_dict().items() if name in state}, state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"0.bias": None}, r"a\.pth doesn't fit the network: it lacks 0\.bias\. Check the architecture and its options"),
        ({"0.scale": torch.zeros(1)}, r"it has the unknown 0\.scale\. Check"),
        ({"0.bias": torch.zeros(5)}, r"it has other shapes for 0\.bias \(5,\) instead of \(2,\)\. Check"),
        ({f"{n}.x": torch.zeros(1) for n in range(5)}, r"it has the unknown 0\.x, 1\.x, 2\.x and 2 more\. Check"),
    ],
)
def test_weights_that_do_not_fit_are_named(change: dict[str, Tensor | None], message: str) -> None:
    changed = {name: value for name, value in (weights() | change).items() if value is not None}
    with pytest.raises(ClassifierError, match=message):
        fill(nn.Sequential(nn.Linear(3, 2)), changed, file=Path("a.pth"), architecture="the network")


# What PyTorch complains of


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"0.bias": None}, "lacks 0.bias"),
        ({"0.scale": torch.zeros(1)}, "has the unknown 0.scale"),
        ({"0.bias": torch.zeros(5)}, "has other shapes for 0.bias (5) instead of (2)"),
        ({"0.weight": torch.zeros(2, 4), "x": torch.zeros(1)}, "has other shapes for 0.weight (2, 4) instead of (2, 3)"),
        ({f"x{n}": torch.zeros(1) for n in range(5)}, "has the unknown x0, x1, x2 and 2 more"),
    ],
)
def test_a_complaint_of_pytorch_is_shortened(change: dict[str, Tensor | None], sentence: str) -> None:
    changed = {name: value for name, value in (weights() | change).items() if value is not None}
    with pytest.raises(RuntimeError) as caught:
        nn.Sequential(nn.Linear(3, 2)).load_state_dict(changed)
    assert misfit(caught.value) == sentence


def test_another_error_is_no_misfit() -> None:
    assert misfit(RuntimeError("out of memory")) is None
