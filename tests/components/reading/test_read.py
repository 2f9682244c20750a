import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from tests.components.networks import (
    NUM_CLASSES,
    AlongChannels,
    AlongTokens,
    ByTorch,
    Gate,
    GlobalContext,
    Merge,
    OnGrid,
    OnTokens,
    Residual,
    SelfAttention,
    Tokens,
    classifier,
    cnn,
)
from zooscope import load_classifier
from zooscope.components.reading.read import override_components, read_components
from zooscope.components.vocabulary import COMPONENTS, is_known
from zooscope.errors import UnknownNameError

PLAIN = {
    "base architecture": "CNN",
    "hierarchical": "Yes",
    "stem layer": "3s2",
    "input resolution": "32x32",
    "normalization": "BN",
    "activation": "ReLU",
    "pooling at stem": "No",
    "pooling for final feature": "GAP",
    "2D self-attention": "No",
    "channel-wise attention": "No",
    "location of channel-wise attention": "-",
    "depth-wise convolution": "No",
    "group convolution": "No",
}
TOKENS = PLAIN | {
    "base architecture": "Transformer",
    "hierarchical": "No",
    "stem layer": "4s4",
    "normalization": "LN",
    "activation": "GeLU",
}


def values(network: nn.Module, size: int = 32) -> dict[str, str]:
    return {component: reading.value for component, reading in read_components(classifier(network, size)).items()}


def gate() -> nn.Module:
    return Gate(nn.Conv2d(16, 4, 1), nn.ReLU(), nn.Conv2d(4, 16, 1))


BY_HAND: list[tuple[str, Callable[[], nn.Module], Mapping[str, str]]] = [
    ("a plain residual network", cnn, PLAIN),
    (
        "group norm, SiLU",
        lambda: cnn(norm=lambda n: nn.GroupNorm(4, n), activation=nn.SiLU()),
        PLAIN | {"normalization": "GN", "activation": "SiLU"},
    ),
    (
        "a deep stem, pooled",
        lambda: cnn(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 1, 1), nn.MaxPool2d(3, 2, 1)),
        PLAIN | {"stem layer": "3s2/3", "pooling at stem": "Yes"},
    ),
    (
        "two strides in the stem",
        lambda: cnn(nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 16, 3, 2, 1)),
        PLAIN | {"stem layer": "3s2/3s2"},
    ),
    ("7x7 kernels that overlap", lambda: cnn(nn.Conv2d(3, 16, 7, 4, 2)), PLAIN | {"stem layer": "7s4"}),
    ("groups", lambda: cnn(groups=4), PLAIN | {"group convolution": "Yes"}),
    ("depth-wise", lambda: cnn(groups=16, kernel=5), PLAIN | {"depth-wise convolution": "Yes"}),
    (
        "squeeze and excitation at the end",
        lambda: cnn(inside=gate()),
        PLAIN | {"channel-wise attention": "Yes (SE)", "location of channel-wise attention": "End"},
    ),
    (
        "squeeze and excitation in the middle",
        lambda: cnn(inside=nn.Sequential(gate(), nn.Conv2d(16, 16, 1))),
        PLAIN | {"channel-wise attention": "Yes (SE)", "location of channel-wise attention": "Middle"},
    ),
    (
        "one layer of excitation",
        lambda: cnn(inside=Gate(nn.Conv2d(16, 16, 1))),
        PLAIN | {"channel-wise attention": "Yes (ESE)", "location of channel-wise attention": "End"},
    ),
    (
        "a convolution along the channels",
        lambda: cnn(inside=AlongChannels()),
        PLAIN | {"channel-wise attention": "Yes (ECA)", "location of channel-wise attention": "End"},
    ),
    (
        "global context",
        lambda: cnn(inside=GlobalContext(16)),
        PLAIN | {"channel-wise attention": "Yes (GCA)", "location of channel-wise attention": "End"},
    ),
    (
        "attention in a convolutional block",
        lambda: cnn(inside=OnGrid(SelfAttention(16))),
        PLAIN | {"2D self-attention": "Yes (BoT)"},
    ),
    (
        "windows in a convolutional block",
        lambda: cnn(inside=OnGrid(SelfAttention(16, window=4))),
        PLAIN | {"2D self-attention": "Yes (Window)"},
    ),
    (
        "tokens, attention by torch, class token",
        lambda: Tokens(ByTorch(16), ByTorch(16), pool="token"),
        TOKENS | {"pooling for final feature": "CLS token"},
    ),
    ("tokens, attention written out, mean", lambda: Tokens(SelfAttention(16), SelfAttention(16)), TOKENS),
    ("tokens, maximum", lambda: Tokens(SelfAttention(16), pool="max"), TOKENS | {"pooling for final feature": "GMP"}),
    (
        "tokens, pooled by attention",
        lambda: Tokens(SelfAttention(16), pool="attention"),
        TOKENS | {"pooling for final feature": "Attention"},
    ),
    (
        "windows, shrinking",
        lambda: Tokens(SelfAttention(16, window=4), Merge(16), SelfAttention(16, window=2)),
        TOKENS | {"hierarchical": "Yes"},
    ),
    ("a mixer", lambda: Tokens(AlongTokens(64), AlongTokens(64)), TOKENS | {"base architecture": "MLP-Mixer"}),
    (
        "attention and convolutions",
        lambda: Tokens(OnTokens(Residual(nn.Conv2d(16, 16, 3, 1, 1, groups=16))), SelfAttention(16)),
        TOKENS | {"base architecture": "Hybrid", "depth-wise convolution": "Yes"},
    ),
]


@pytest.mark.parametrize(("network", "expected"), [row[1:] for row in BY_HAND], ids=[row[0] for row in BY_HAND])
def test_networks_by_hand_read_as_they_were_built(network: Callable[[], nn.Module], expected: Mapping[str, str]) -> None:
    assert values(network()) == expected


def test_the_components_come_in_the_order_of_the_table_with_values_written_as_the_table_writes_them() -> None:
    found = values(cnn(inside=gate(), norm=lambda n: nn.GroupNorm(4, n)))
    assert tuple(found) == COMPONENTS
    assert all(is_known(component, value) for component, value in found.items())


class Renamed(nn.Module):
    """A network with other names for all its modules and classes."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.inner = network
        for number, module in enumerate(list(network.modules())):
            module.__class__ = type(f"Thing{number}", (type(module),), {})

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.inner(pixels)
        return logits

    def named_modules(self, *words: object, **options: object) -> Iterator[tuple[str, nn.Module]]:
        for path, module in super().named_modules(*words, **options):  # type: ignore[arg-type]  # handed on as they are
            yield ".".join(f"x{hash(name)}" for name in path.split(".") if name), module


@pytest.mark.parametrize(
    "network", [lambda: cnn(inside=gate()), lambda: Tokens(SelfAttention(16), pool="token")], ids=["convolutions", "tokens"]
)
def test_names_of_modules_and_classes_make_no_difference(network: Callable[[], nn.Module]) -> None:
    assert values(Renamed(network())) == values(network())


def test_why_names_the_module_that_decided() -> None:
    found = read_components(classifier(cnn(nn.Conv2d(3, 16, 3, 2, 1), nn.MaxPool2d(2))))
    assert "0.0" in found["stem layer"].why
    assert "0.1" in found["pooling at stem"].why
    assert "1.branch.1" in found["normalization"].why
    assert found["hierarchical"].why == "64 places in 1, 16 in 3"


BUNDLED = {  # as zooscope.classifiers.bundled.architectures says of each
    "resnet": {
        "base architecture": "CNN",
        "stem layer": "3s2",
        "normalization": "BN",
        "activation": "ReLU",
        "group convolution": "No",
    },
    "resnext_gn": {
        "base architecture": "CNN",
        "stem layer": "3s2",
        "normalization": "GN",
        "activation": "ReLU",
        "group convolution": "Yes",
    },
    "convnext": {
        "base architecture": "CNN",
        "stem layer": "2s2",
        "normalization": "LN",
        "activation": "GeLU",
        "depth-wise convolution": "Yes",
    },
    "efficientnet": {
        "base architecture": "NAS (CNN)",
        "normalization": "BN",
        "activation": "SiLU",
        "channel-wise attention": "Yes (SE)",
        "location of channel-wise attention": "Middle",
        "depth-wise convolution": "Yes",
    },
    "vit": {
        "base architecture": "Transformer",
        "hierarchical": "No",
        "stem layer": "4s4",
        "normalization": "LN",
        "activation": "GeLU",
        "pooling for final feature": "CLS token",
    },
    "swin": {
        "base architecture": "Transformer",
        "hierarchical": "Yes",
        "stem layer": "2s2",
        "normalization": "LN",
        "activation": "GeLU",
        "pooling for final feature": "GAP",
    },
    "visformer": {
        "base architecture": "Hybrid",
        "hierarchical": "No",
        "stem layer": "7s2",
        "normalization": "BN",
        "pooling for final feature": "GAP",
        "group convolution": "Yes",
    },
    "mixer": {
        "base architecture": "MLP-Mixer",
        "hierarchical": "No",
        "stem layer": "4s4",
        "normalization": "LN",
        "activation": "GeLU",
    },
}


@pytest.mark.parametrize("name", BUNDLED)
def test_the_bundled_classifiers_read_as_they_are_described(name: str) -> None:
    found = read_components(load_classifier(f"bundled:{name}"))
    assert {component: found[component].value for component in BUNDLED[name]} == BUNDLED[name]
    assert found["input resolution"].value == "32x32"


TORCHVISION = {
    "resnet18": ("CNN", "Yes", "7s2", "224x224", "BN", "ReLU", "Yes", "GAP", "No", "No", "-", "No", "No"),
    "resnext50_32x4d": ("CNN", "Yes", "7s2", "224x224", "BN", "ReLU", "Yes", "GAP", "No", "No", "-", "No", "Yes"),
    "vit_b_16": ("Transformer", "No", "16s16", "224x224", "LN", "GeLU", "No", "CLS token", "No", "No", "-", "No", "No"),
    "swin_t": ("Transformer", "Yes", "4s4", "224x224", "LN", "GeLU", "No", "GAP", "No", "No", "-", "No", "No"),
    "convnext_tiny": ("CNN", "Yes", "4s4", "224x224", "LN", "GeLU", "No", "GAP", "No", "No", "-", "Yes", "No"),
    "mobilenet_v3_small": (
        "NAS (CNN)",
        "Yes",
        "3s2",
        "224x224",
        "BN",
        "ReLU + HardSwish",
        "No",
        "GAP",
        "No",
        "Yes (SE)",
        "Middle",
        "Yes",
        "No",
    ),
    "densenet121": ("CNN", "Yes", "7s2", "224x224", "BN", "ReLU", "Yes", "GAP", "No", "No", "-", "No", "No"),
    "vgg11": ("CNN", "Yes", "3s1", "224x224", "Norm-free", "ReLU", "Yes", "Flatten", "No", "No", "-", "No", "No"),
}


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvisions_networks_read_as_their_papers_describe_them(name: str) -> None:
    with torch.device("meta"):
        network = getattr(models, name)(weights=None, num_classes=NUM_CLASSES)
    assert tuple(values(network, 224).values()) == TORCHVISION[name]


def test_a_users_file_overrides_what_it_gives_and_adds_its_own_components(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("name,base architecture,activation,training data\nby hand,NAS (CNN),,ImageNet\n", encoding="utf-8")
    found = read_components(classifier(cnn()))
    changed = override_components(found, file, name="by hand")
    assert changed["base architecture"].value == "NAS (CNN)"
    assert changed["base architecture"].why == str(file)
    assert changed["training data"].value == "ImageNet"
    assert {name: changed[name] for name in COMPONENTS[1:]} == {name: found[name] for name in COMPONENTS[1:]}


def test_a_file_without_the_classifier_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("name,activation\nby hands,ReLU\n", encoding="utf-8")
    with pytest.raises(
        UnknownNameError, match=re.escape(f"unknown classifier in {file} 'by hand'. Did you mean by hands? Its first")
    ):
        override_components(read_components(classifier(cnn())), file, name="by hand")


def test_only_what_other_networks_share_is_a_guess() -> None:
    found = read_components(load_classifier("bundled:efficientnet"))
    assert [component for component, reading in found.items() if reading.is_guess] == ["base architecture"]
    assert not any(reading.is_guess for reading in read_components(load_classifier("bundled:resnet")).values())


def test_a_network_without_anything_to_read_from_is_guessed() -> None:
    found = read_components(classifier(nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, NUM_CLASSES))))
    guessed = {component: reading.value for component, reading in found.items() if reading.is_guess}
    assert guessed == {"base architecture": "CNN", "hierarchical": "No"}
    assert all(found[component].why.startswith("a guess: no ") for component in guessed)
