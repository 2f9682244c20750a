"""Checkpoints of one's own."""

import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from zooscope import Classifier, PixelTransform, load_classifier
from zooscope.addresses import parse_address
from zooscope.errors import (
    ClassifierError,
    ClassMatchingWarning,
    InvalidValueError,
    MissingFileError,
    UnknownNameError,
    ZooscopeError,
)

MODULE = """
from torch import nn

class Net(nn.Sequential):
    def __init__(self, num_classes=4, width=2, activation="relu"):
        super().__init__(nn.Conv2d(3, width, 3), {"relu": nn.ReLU, "gelu": nn.GELU}[activation](), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten(), nn.Linear(width, num_classes))

def small(**options):
    return Net(**options)

def fixed():
    return Net(num_classes=4)

def text():
    return "no network"

def three_dimensional():
    return nn.Conv2d(3, 2, 1)

def pair():
    class Pair(nn.Conv2d):
        def forward(self, pixels):
            return super().forward(pixels), None
    return Pair(3, 2, 1)

constant = 3
"""
PREPROCESSING = "size=16&mean=0.5&std=0.25"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a module `mynets` in it."""
    (tmp_path / "mynets.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "mynets", raising=False)
    return tmp_path


def saved(network: nn.Module, file: Path) -> Path:
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, file)
    return file


def own(num_classes: int = 4, width: int = 2) -> nn.Module:
    """What mynets:Net builds with relu."""
    layers = (nn.Conv2d(3, width, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, num_classes))
    return nn.Sequential(*layers).eval()


def load_own(here: Path, network: nn.Module, architecture: str, options: str = PREPROCESSING) -> Classifier:
    return load_classifier(f"checkpoint:{saved(network, here / 'a.safetensors')}?architecture={architecture}&{options}")


# An architecture of timm's


def test_keywords_build_another_network_than_timms_own(tmp_path: Path) -> None:
    keywords: dict[str, Any] = {"embed_dim": 48, "depth": 2, "num_heads": 3, "class_token": False, "global_pool": "avg"}
    network = timm.create_model("vit_tiny_patch16_224", img_size=32, num_classes=6, **keywords).eval()
    query = "&".join(f"architecture.{key}={value if value is not False else 'false'}" for key, value in keywords.items())
    file = saved(network, tmp_path / "a.safetensors")
    classifier = load_classifier(f"checkpoint:{file}?architecture=vit_tiny_patch16_224&size=32&mean=0&std=1&{query}")
    pixels = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(classifier.logits(pixels), network(pixels))
    assert classifier.num_classes == 6
    assert classifier.architecture == (
        "vit_tiny_patch16_224(embed_dim=48, depth=2, num_heads=3, class_token=False, global_pool=avg)"
    )
    assert load_classifier(str(classifier.address)).digest == classifier.digest


def test_without_keywords_it_is_the_same_as_timms_own_source(tmp_path: Path) -> None:
    file = saved(timm.create_model("test_resnet", num_classes=3), tmp_path / "a.safetensors")
    mine, timms = (
        load_classifier(address) for address in (f"checkpoint:{file}?architecture=test_resnet", f"timm:test_resnet?weights={file}")
    )
    assert (mine.digest, mine.transform, mine.mean, mine.std) == (timms.digest, timms.transform, timms.mean, timms.std)


@pytest.mark.parametrize(
    ("architecture", "unused"), [("test_vit", "pre_logits.fc.weight"), ("dla46_c", "level3.tree2.project.0.weight")]
)
def test_names_of_weights_that_timm_has_given_up_are_converted(tmp_path: Path, architecture: str, unused: str) -> None:
    network = timm.create_model(architecture, num_classes=3)
    save_file({**network.state_dict(), unused: torch.zeros(1)}, tmp_path / "old.safetensors")
    saved(network, tmp_path / "new.safetensors")
    old, new = (load_classifier(f"timm:{architecture}?weights={tmp_path / age}.safetensors") for age in ("old", "new"))
    assert old.digest == new.digest


def test_older_names_are_converted_wherever_they_are_in_the_file(tmp_path: Path) -> None:
    network = timm.create_model("test_vit", num_classes=3)
    older = {f"module.{name}": value for name, value in network.state_dict().items()}
    older["module.pre_logits.fc.weight"] = torch.zeros(1)
    torch.save({"epoch": 3, "state_dict": older}, tmp_path / "old.pth")
    saved(network, tmp_path / "new.safetensors")
    old, new = (load_classifier(f"timm:test_vit?weights={tmp_path / file}") for file in ("old.pth", "new.safetensors"))
    assert old.digest == new.digest


def test_weights_with_holes_are_refused_where_timm_would_take_them(tmp_path: Path) -> None:
    weights = dict(timm.create_model("dla46_c", num_classes=3).state_dict())
    del weights["base_layer.0.weight"]
    save_file(weights, tmp_path / "a.safetensors")
    with pytest.raises(ClassifierError, match=r"a\.safetensors doesn't fit timm's dla46_c: it lacks base_layer\.0\.weight\. Check"):
        load_classifier(f"timm:dla46_c?weights={tmp_path / 'a.safetensors'}")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ("", InvalidValueError, r"names no architecture; write \?architecture=NAME, or \?architecture=module:function"),
        ("architecture=test_rasnet", UnknownNameError, r"unknown timm architecture 'test_rasnet'\. Did you mean test_resnet"),
        (
            "architecture=test_vit&architecture.embed_dmi=8",
            ClassifierError,
            r"test_vit\(embed_dmi=8\) can't be built with .*embed_dmi",
        ),
        (
            "architecture=test_vit&architecture.embed_dim=7",
            ClassifierError,
            r"test_vit\(embed_dim=7\) can't be built with .* check these",
        ),
        ("architecture=test_vit&architecture.embed_dim=many", ClassifierError, r"can't be built with .*embed_dim=many"),
        ("architecture=test_vit&architecture.img_size=64", InvalidValueError, r"write size=64 instead of architecture\.img_size"),
        (
            "architecture=test_vit&architecture.num_classes=6",
            InvalidValueError,
            r"write num_classes=6 instead of architecture\.num_cl",
        ),
        ("architecture=test_vit&architecture.size=6", ClassifierError, r"test_vit\(size=6\) can't be built with"),
        ("architecture=test_vit", ClassifierError, r"a\.safetensors doesn't fit test_vit: it lacks cls_token"),
        ("architecture=test_resnet&szie=6", UnknownNameError, r"unknown option 'szie'\. Did you mean size"),
        ("architecture=test_resnet&size=1000000", ClassifierError, r"test_resnet can't take images of 1000000x1000000 pixels"),
    ],
)
def test_what_can_not_be_built_is_refused(tmp_path: Path, options: str, error: type[ZooscopeError], message: str) -> None:
    file = saved(timm.create_model("test_resnet", num_classes=3), tmp_path / "a.safetensors")
    with pytest.raises(error, match=message):
        load_classifier(f"checkpoint:{file}{'?' if options else ''}{options}")


def test_a_missing_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no checkpoint .*nothing\.pth"):
        load_classifier(f"checkpoint:{tmp_path / 'nothing.pth'}?architecture=test_resnet")


# A function of one's own


@pytest.mark.parametrize("architecture", ["mynets:Net", "mynets:small", "mynets:fixed"])
def test_a_function_or_class_in_the_current_folder_builds_the_network(here: Path, architecture: str) -> None:
    network, pixels = own(), torch.rand(2, 3, 16, 16)
    classifier = load_own(here, network, architecture)
    torch.testing.assert_close(classifier.logits(pixels), network((pixels - 0.5) / 0.25))
    assert (classifier.num_classes, classifier.architecture) == (4, architecture)
    assert (classifier.mean, classifier.std) == ((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    assert classifier.transform == PixelTransform(height=16, width=16)
    assert str(here) not in sys.path


def test_keywords_and_the_number_of_classes_go_to_the_function(here: Path) -> None:
    classifier = load_own(
        here,
        own(num_classes=7, width=5),
        "mynets:small",
        f"{PREPROCESSING}&num_classes=7&architecture.width=5&architecture.activation=gelu&interpolation=bilinear&crop=0.5&name=mine",
    )
    assert (classifier.name, classifier.num_classes) == ("mine", 7)
    assert classifier.architecture == "mynets:small(width=5, activation=gelu)"
    assert classifier.transform == PixelTransform(height=16, width=16, interpolation="bilinear", crop_fraction=0.5)
    assert isinstance(classifier.network.get_submodule("1"), nn.GELU)


def test_a_function_that_does_not_take_the_number_of_classes_is_not_given_it(here: Path) -> None:
    assert load_own(here, own(), "mynets:fixed", f"{PREPROCESSING}&num_classes=4").num_classes == 4


def test_the_checkpoint_is_found_again_from_elsewhere(here: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = saved(own(), here / "a?b c.safetensors")
    classifier = load_classifier(f"checkpoint:{quote(file.name)}?architecture=mynets:Net&{PREPROCESSING}")
    assert classifier.name == "checkpoint:a%3Fb%20c.safetensors"
    with pytest.MonkeyPatch.context() as elsewhere:
        elsewhere.chdir(tmp_path_factory.mktemp("elsewhere"))
        assert load_classifier(str(classifier.address)).digest == classifier.digest


@pytest.mark.parametrize(
    ("architecture", "options", "error", "message"),
    [
        (
            "mynest:Net",
            PREPROCESSING,
            MissingFileError,
            r"there is no module mynest on the Python path or in .*; start where it lies",
        ),
        ("mynets.inner:Net", PREPROCESSING, MissingFileError, r"there is no module mynets\.inner on the Python path"),
        (
            "mynets:Nets",
            PREPROCESSING,
            UnknownNameError,
            r"unknown function of mynets 'Nets'\. Did you mean Net\? Write module:function",
        ),
        ("mynets:constant", PREPROCESSING, UnknownNameError, r"unknown function of mynets 'constant'"),
        (
            "timm:resnet18",
            PREPROCESSING,
            UnknownNameError,
            r"unknown function of timm .*without `timm:`, as in architecture=resnet18\.",
        ),
        ("mynets:text", PREPROCESSING, ClassifierError, r"mynets:text must give a torch\.nn\.Module: got str"),
        (
            "mynets:Net",
            f"{PREPROCESSING}&architecture.wdith=2",
            ClassifierError,
            r"mynets:Net fails .*\(wdith=2\): TypeError, .*wdith",
        ),
        (
            "mynets:Net",
            f"{PREPROCESSING}&architecture.activation=x",
            ClassifierError,
            r"fails .* with \(activation=x\): KeyError, 'x'",
        ),
        (
            "mynets:Net",
            f"{PREPROCESSING}&architecture.width=3",
            ClassifierError,
            r"doesn't fit mynets:Net\(width=3\): it has other shapes",
        ),
        ("mynets:Net", "size=16", InvalidValueError, r"is not timm's, so nobody knows what images it wants: add mean=, std="),
        (
            "mynets:Net",
            "size=2&mean=0&std=1",
            ClassifierError,
            r"mynets:Net can't take images of 2x2 pixels \(.*\); give another size=",
        ),
        (
            "mynets:fixed",
            f"{PREPROCESSING}&num_classes=9",
            ClassifierError,
            r"mynets:fixed gives 4 logits, not 9; leave num_cl",
        ),
    ],
)
def test_what_one_s_own_function_lacks_is_said(
    here: Path, architecture: str, options: str, error: type[ZooscopeError], message: str
) -> None:
    with pytest.raises(error, match=message):
        load_own(here, own(), architecture, options)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("three_dimensional", r"must give logits of shape \(1, classes\) for one image: got float32 of shape \(1, 2, 16, 16\)"),
        (
            "pair",
            r"must give logits of shape \(1, classes\) for one image: got tuple of float32 .*, NoneType",
        ),
    ],
)
def test_a_network_that_gives_no_logits_is_refused(here: Path, function: str, message: str) -> None:
    with pytest.raises(ClassifierError, match=message):
        load_own(here, nn.Conv2d(3, 2, 1), f"mynets:{function}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("import not_installed_anywhere", r"the module broken_\w+ needs not_installed_anywhere, which is not installed"),
        ("1 / 0", r"the module broken_\w+ can't be imported: ZeroDivisionError, division by zero"),
        ("def f(:", r"the module broken_\w+ can't be imported: SyntaxError"),
    ],
    ids=["import", "error", "syntax"],
)
def test_a_module_that_can_not_be_imported_is_refused(here: Path, content: str, message: str) -> None:
    module = f"broken_{len(content)}"
    (here / f"{module}.py").write_text(content, encoding="utf-8")
    with pytest.raises(ClassifierError, match=message):
        load_own(here, own(), f"{module}:f")


# Keywords


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("96", 96),
        ("0.5", 0.5),
        ("true", True),
        ("[2, 2]", [2, 2]),
        ('"96"', "96"),
        ("gelu", "gelu"),
        ("a\nb = 1", "a\nb = 1"),
        ("2 2", "2 2"),
    ],
)
def test_the_value_of_a_keyword_is_read_as_toml_or_as_text(here: Path, text: str, value: object) -> None:
    (here / "keeps.py").write_text(
        f"{MODULE}\nseen = []\ndef net(value):\n    seen.append(value)\n    return Net()\n", encoding="utf-8"
    )
    load_own(here, own(), "keeps:net", f"{PREPROCESSING}&architecture.value={quote(text)}")
    seen: list[object] = sys.modules["keeps"].seen
    assert (seen[-1], type(seen[-1])) == (value, type(value))


def test_a_class_map_and_a_group_go_with_any_source(here: Path) -> None:
    (here / "map.txt").write_text("2\n0\n", encoding="utf-8")
    network, pixels = own(), torch.rand(2, 3, 16, 16)
    classifier = load_own(here, network, "mynets:Net", f"{PREPROCESSING}&class_map=map.txt&group=mine")
    torch.testing.assert_close(classifier.logits(pixels), network((pixels - 0.5) / 0.25)[:, [2, 0]])
    options = parse_address(str(classifier.address)).options
    assert (options["group"], options["class_map"]) == ("mine", str(here / "map.txt"))


def test_a_keyword_that_nests_too_deeply_is_refused(tmp_path: Path) -> None:
    deep = "[" * 10_000 + "]" * 10_000
    with pytest.raises(InvalidValueError, match="of an option nests too deeply; give a plain value"):
        load_classifier(f"checkpoint:{tmp_path / 'any.pth'}?architecture=resnet18&architecture.depth={deep}")


@pytest.mark.parametrize("keyword", ["checkpoint_path", "pretrained_cfg"])
def test_a_keyword_by_which_timm_would_load_another_file_is_refused(keyword: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=rf"architecture\.{keyword} would load other weights; those of resnet18"):
        load_classifier(f"checkpoint:{tmp_path / 'any.pth'}?architecture=resnet18&architecture.{keyword}=other.pth")


@pytest.mark.parametrize(("architecture", "num_classes"), [("mynets:Net", 4), ("test_resnet", 3)])
def test_outputs_have_the_names_that_the_training_script_has_kept(here: Path, architecture: str, num_classes: int) -> None:
    names = ("owl", "cat", "emu", "dog")[:num_classes]
    network = own() if architecture == "mynets:Net" else timm.create_model(architecture, num_classes=num_classes).eval()
    indices = dict(sorted((name, output) for output, name in enumerate(names)))
    address = f"checkpoint:{here}/a.pth?architecture={architecture}&{PREPROCESSING}"
    torch.save({"state_dict": network.state_dict(), "class_to_idx": indices}, here / "a.pth")
    assert load_classifier(address).class_names == names
    torch.save({"state_dict": network.state_dict(), "class_to_idx": {**indices, "further": num_classes}}, here / "a.pth")
    with pytest.warns(ClassMatchingWarning, match=f"there are {num_classes + 1} of them for {num_classes} outputs"):
        assert load_classifier(address).class_names is None
