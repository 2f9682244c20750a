"""Weights from a checkpoint into a network."""

import argparse
import random
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from zooscope.classifiers.weights import describe_misfit, fill, read_checkpoint
from zooscope.errors import ClassifierError, UnknownNameError


def weights() -> dict[str, Tensor]:
    return {"0.weight": torch.arange(6.0).view(2, 3), "0.bias": torch.tensor([1.0, -1.0])}


def other() -> dict[str, Tensor]:
    return {name: value + 1 for name, value in weights().items()}


def behind(start: str, tensors: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
    return {f"{start}{name}": value for name, value in (tensors or weights()).items()}


def assert_same(read: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    assert read.keys() == expected.keys()
    assert all(torch.equal(read[name], expected[name]) for name in expected)


def fill_from(
    file: Path, content: object, *, part: str | None = None, network: nn.Module | None = None
) -> tuple[dict[str, Tensor], str | None]:
    """The weights of a network that is filled from a file with this content, and the part of it that was chosen."""
    torch.save(content, file)
    network = network or nn.Sequential(nn.Linear(3, 2))
    chosen = fill(network, read_checkpoint(file, part=part), architecture="the network")
    return network.state_dict(), chosen


@pytest.mark.parametrize(
    "content",
    [
        {"state_dict": weights(), "epoch": 3},
        {"model": weights(), "optimizer": {"state": {0: {"momentum": torch.zeros(2, 3)}}}},
        {"model_state_dict": weights(), "optimizer_state_dict": {}, "loss": 0.1},
        {"params": weights()},
        {"net": behind("module."), "acc": 93.1},
        {"state_dict": {"model": weights()}},
        {"checkpoint": {"model": {"state_dict": weights()}}},
        {"state_dict": weights(), "model": None},
        {"student": weights(), "teacher": weights()},
        {"state_dict": behind("model."), "hyper_parameters": {"lr": 0.1}, "loops": {}},
        {"state_dict": OrderedDict(behind("net."))},
        behind("module."),
        behind("module.module."),
        behind("_orig_mod."),
        behind("module._orig_mod."),
        behind("_orig_mod.module."),
        behind("model.module."),
        behind("backbone."),
        behind("encoder.model._orig_mod."),
        behind("_fsdp_wrapped_module."),
        {"0._orig_mod.weight": weights()["0.weight"], "0._checkpoint_wrapped_module.bias": weights()["0.bias"]},
        {**weights(), "total_ops": torch.tensor(1.0), "0.total_params": torch.tensor([6.0])},
        {"n_averaged": torch.tensor(3), **behind("module.")},
        {"model": behind("model."), "args": argparse.Namespace(lr=0.1), "best": np.float64(0.5)},
        {name: nn.Parameter(value) for name, value in weights().items()},
        {"model": {name: value.double() for name, value in weights().items()}},
        {"model": {name: value.half() for name, value in weights().items()}},
    ],
)
def test_the_only_network_of_a_checkpoint_is_found(tmp_path: Path, content: object) -> None:
    filled, part = fill_from(tmp_path / "a.pth", content)
    assert_same(filled, weights())
    assert part is None


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ({"state_dict": other(), "state_dict_ema": weights()}, "state_dict_ema"),
        ({"model": other(), "model_ema": {"n_averaged": torch.tensor(10), **behind("module.")}}, "model_ema.module"),
        ({"ema": {"module": weights()}, "model": other()}, "ema.module"),
        ({"params": other(), "params_ema": weights()}, "params_ema"),
        (
            {"initted": torch.tensor([1]), "step": torch.tensor([7]), **behind("ema_model."), **behind("online_model.", other())},
            "ema_model",
        ),
        (behind("ema.ema_model.") | other(), "ema.ema_model"),
        ({"state_dict": behind("model.", other()), "callbacks": {"EMA": {"ema_weights": weights()}}}, "callbacks.EMA.ema_weights"),
    ],
)
def test_of_a_network_and_its_average_the_average_is_taken(tmp_path: Path, content: object, part: str) -> None:
    filled, chosen = fill_from(tmp_path / "a.pth", content)
    assert_same(filled, weights())
    assert chosen == part
    again, _ = fill_from(tmp_path / "a.pth", content, part=chosen)
    assert_same(again, weights())


@pytest.mark.parametrize("part", ["state_dict", "best.model", "best.model.module", "student", "ema_decay.x"])
def test_a_part_of_a_checkpoint_can_be_named(tmp_path: Path, part: str) -> None:
    content = {
        "state_dict" if part != "state_dict" else "last": other(),
        "best": {"model": behind("module.", other())},
        **behind("student.", other()),
        "ema_decay": {"x": other()},
    }
    *path, last = part.split(".")
    place: Any = content
    for key in path if part != "best.model.module" else ["best", "model"]:
        place = place[key]
    if part in {"student", "best.model.module"}:
        place |= behind(f"{last}.")
    else:
        place[last] = weights()
    filled, _ = fill_from(tmp_path / "a.pth", content, part=part)
    assert_same(filled, weights())


def test_a_part_that_is_not_there_suggests_those_that_are(tmp_path: Path) -> None:
    two = {**other(), "1.bias": torch.zeros(2)}
    content = {"student": behind("model.", two), "teacher": two}
    with pytest.raises(
        UnknownNameError, match=r"unknown part of .*a\.pth 'techer'\. Did you mean teacher\? It has student\.model, teacher\."
    ):
        fill_from(tmp_path / "a.pth", content, part="techer")
    with pytest.raises(UnknownNameError, match=r"unknown part of .*a\.pth 'model'\. It has none; leave part= out\."):
        fill_from(tmp_path / "a.pth", {"weight": torch.zeros(2), "0.bias": torch.zeros(2)}, part="model")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"student": weights(), "teacher": other()},
            r"2 networks for the network \(student, teacher\); say which, as in part=student\.",
        ),
        (behind("student.") | behind("teacher.", other()), r"2 networks for the network \(student, teacher\); say which"),
        (
            {"model": weights(), "model_ema": other(), "best": behind("x.") | {"x.0.bias": torch.ones(2)}},
            r"3 networks .* \(model, model_ema, best\.x\)",
        ),
        ({"ema_1": weights(), "ema_2": other()}, r"2 networks .* \(ema_1, ema_2\)"),
    ],
)
def test_networks_that_differ_must_be_told_apart(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(ClassifierError, match=rf"a\.pth holds {message}"):
        fill_from(tmp_path / "a.pth", content)


def test_networks_of_other_shapes_are_no_choice(tmp_path: Path) -> None:
    small = {"0.weight": torch.zeros(2, 1), "0.bias": torch.zeros(2)}
    filled, part = fill_from(tmp_path / "a.pth", {"teacher": small, "student": weights()})
    assert_same(filled, weights())
    assert part is None


def test_a_prefix_that_only_some_names_have_is_named(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2), nn.Linear(2, 5))
    content = {f"{'' if name.startswith('2') else 'backbone.'}{name}": value for name, value in network.state_dict().items()}
    message = r"it has 2\.weight, 2\.bias as named, but the other weights have backbone\. in front of their names\. Save"
    with pytest.raises(ClassifierError, match=message):
        fill_from(tmp_path / "a.pth", content, network=network)


def test_weights_beside_the_network_are_not_dropped_without_a_word(tmp_path: Path) -> None:
    content = {"state_dict": {**behind("backbone."), "head.weight": torch.zeros(5, 2), "head.bias": torch.zeros(5)}}
    message = (
        r"its weights are all in the part state_dict\.backbone, and beside them it has the unknown head\.weight, head\.bias\. Say"
    )
    with pytest.raises(ClassifierError, match=message):
        fill_from(tmp_path / "a.pth", content)
    filled, _ = fill_from(tmp_path / "a.pth", content, part="state_dict.backbone")
    assert_same(filled, weights())


def test_a_network_whose_own_names_have_a_common_start_keeps_it(tmp_path: Path) -> None:
    for content in (behind("net."), behind("module.net."), {"model": behind("net.")}):
        filled, _ = fill_from(tmp_path / "a.pth", content, network=nn.Sequential(OrderedDict(net=nn.Sequential(nn.Linear(3, 2)))))
        assert_same(filled, behind("net."))


def test_wrapped_networks_take_weights_of_wrapped_and_of_bare_ones(tmp_path: Path) -> None:
    bare = nn.Sequential(nn.Linear(3, 2))
    bare.load_state_dict(weights())
    compiled, wrapped = (cast("nn.Module", torch.compile(one, backend="eager")) for one in (nn.Sequential(nn.Linear(3, 2)), bare))
    for trained in (bare, wrapped, nn.DataParallel(bare), AveragedModel(bare)):
        filled, _ = fill_from(tmp_path / "a.pth", trained.state_dict())
        assert_same(filled, weights())
        filled, _ = fill_from(tmp_path / "a.pth", trained.state_dict(), network=compiled)
        assert_same(filled, behind("_orig_mod."))


def test_counts_of_training_batches_may_be_missing_or_averaged(tmp_path: Path) -> None:
    network = nn.BatchNorm1d(2)
    state = {name: value + 1 for name, value in network.state_dict().items() if name != "num_batches_tracked"}
    filled, _ = fill_from(tmp_path / "a.pth", state, network=network)
    assert_same({name: value for name, value in filled.items() if name in state}, state)
    filled, _ = fill_from(tmp_path / "a.pth", {**state, "num_batches_tracked": torch.tensor(1.5)}, network=network)
    assert filled["num_batches_tracked"] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"0.bias": None}, r"a\.pth doesn't fit the network: it lacks 0\.bias\. Check the architecture and its options"),
        ({"0.scale": torch.zeros(1)}, r"it has the unknown 0\.scale\. Check"),
        ({"0.bias": torch.zeros(5)}, r"it has other shapes for 0\.bias \(5,\) instead of \(2,\)\. Check"),
        ({f"{n}.x": torch.zeros(1) for n in range(5)}, r"it has the unknown 0\.x, 1\.x, 2\.x and 2 more\. Check"),
        (
            {"0.weight": torch.ones(2, 3, dtype=torch.int8)},
            r"its 0\.weight has whole numbers \(int8\), .*; take the weights in full precision\.$",
        ),
        (
            {"0.weight": torch.ones(2, 3, dtype=torch.uint8), "0.weight_scale": torch.ones(1)},
            r"its 0\.weight has whole numbers \(uint8\)",
        ),
        ({"0.weight": torch.ones(2, 3, device="meta")}, r"its 0\.weight has a shape but no values"),
        ({"0.weight": torch.ones(2, 3).to_sparse()}, r"its 0\.weight is sparse; save it as a dense tensor"),
        ({"0.weight": torch.ones(2, 3, dtype=torch.complex64)}, r"its 0\.weight has complex numbers"),
        (
            {"0.weight": None, "0.bias": None, "enc.a.w": torch.ones(1), "enc.a.v": torch.ones(1)},
            r"lacks 0\.weight, 0\.bias \(all its names begin with enc\.a\.\)\. Check",
        ),
    ],
)
def test_weights_that_do_not_fit_are_named(tmp_path: Path, change: dict[str, Tensor | None], message: str) -> None:
    changed = {name: value for name, value in (weights() | change).items() if value is not None}
    with pytest.raises(ClassifierError, match=message):
        fill_from(tmp_path / "a.pth", changed)


@pytest.mark.filterwarnings("ignore:.*quantized tensor creation functions.*:UserWarning")
def test_quantised_weights_are_refused(tmp_path: Path) -> None:
    quantised = {**weights(), "0.weight": torch.quantize_per_tensor(torch.ones(2, 3), 0.1, 0, torch.qint8)}
    with pytest.raises(ClassifierError, match=r"its 0\.weight is quantised \(qint8\); take the weights in full precision\.$"):
        fill_from(tmp_path / "a.pth", quantised)


def test_fractions_do_not_become_whole_numbers(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(3, 2))
    network.register_buffer("index", torch.tensor([3, 1]))
    filled, _ = fill_from(tmp_path / "a.pth", {**weights(), "index": torch.tensor([1.0, 0.0])}, network=network)
    assert filled["index"].tolist() == [1, 0]
    with pytest.raises(ClassifierError, match=r"its index has fractions in place of whole numbers; check the architecture"):
        fill_from(tmp_path / "a.pth", {**weights(), "index": torch.tensor([1.5, 0.0])}, network=network)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "0 entries without tensors"),
        ({"epoch": 3}, "1 entries without tensors"),
        ({"model": {}}, "1 entries without tensors"),
        ([torch.zeros(2)], "a list"),
        (torch.zeros(2), "a Tensor"),
        ({name: value.numpy() for name, value in weights().items()}, r"objects \(numpy.*_reconstruct, \.\.\.\)"),
        (
            nn.Sequential(nn.Linear(3, 2)),
            r"an object \(torch\.nn\.modules\.container\.Sequential\), which is not built, since that could run code",
        ),
    ],
)
def test_a_file_without_weights_by_name_is_refused(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(ClassifierError, match=rf"holds no weights by name, but {message}; save the network's state_dict\(\)"):
        fill_from(tmp_path / "a.pth", content)


def save_legacy(content: dict[str, Tensor], file: Path) -> None:
    torch.save(content, file, _use_new_zipfile_serialization=False)


def save_with_objects(content: dict[str, Tensor], file: Path) -> None:
    torch.save({"args": argparse.Namespace(), "model": content}, file, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize(
    "save", [torch.save, save_legacy, save_with_objects, save_file], ids=["zip", "legacy", "objects", "safetensors"]
)
def test_a_damaged_file_gives_weights_or_a_sentence(tmp_path: Path, save: Callable[[dict[str, Tensor], Path], None]) -> None:
    file = tmp_path / ("a.safetensors" if save is save_file else "a.pth")
    save(weights(), file)
    whole, generator, refused = file.read_bytes(), random.Random(0), []  # noqa: S311  (no secrets here)
    for _ in range(100):
        damaged = bytearray(whole[: generator.randrange(len(whole) // 2, len(whole) + 1)])
        for _ in range(3):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        file.write_bytes(damaged)
        try:
            fill(nn.Sequential(nn.Linear(3, 2)), read_checkpoint(file), architecture="the network")
        except ClassifierError as error:
            refused.append(str(error))
    assert len(refused) > 50
    assert not any("weights_only" in message for message in refused)


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
    assert describe_misfit(caught.value) == sentence


def test_another_error_is_no_misfit() -> None:
    assert describe_misfit(RuntimeError("out of memory")) is None
