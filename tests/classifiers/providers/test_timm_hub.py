"""timm's networks with weights from the hub and from folders in its format; the hub is a cache on disk or a server in a thread."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from torch import nn

from tests.classifiers.hub_at_hand import COMMIT, into_cache, isolated, saved_folder, server
from zooscope import PixelTransform, load_classifier
from zooscope.classifiers.providers.timm import read_facts
from zooscope.errors import ClassifierError, InvalidValueError, MissingFileError, UnknownNameError

REPOSITORY = "timm/test_resnet.r160_in1k"
CONFIG: Mapping[str, Any] = {
    "architecture": "test_resnet",
    "num_classes": 5,
    "pretrained_cfg": {
        "input_size": [3, 96, 96],
        "interpolation": "bilinear",
        "crop_pct": 0.8,
        "crop_mode": "squash",
        "mean": [0.1, 0.2, 0.3],
        "std": [0.4, 0.5, 0.6],
        "num_classes": 5,
        "first_conv": "conv1.0",
        "classifier": "fc",
    },
}


@cache
def network_of(architecture: str = "test_resnet", num_classes: int = 1000) -> nn.Module:
    torch.manual_seed(0)
    network: nn.Module = timm.create_model(architecture, num_classes=num_classes)
    return network.eval()


@pytest.fixture(autouse=True)
def cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache, offline."""
    return isolated(monkeypatch, tmp_path)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """What the repository of test_resnet holds."""
    return saved_folder(tmp_path / "files", network_of(), CONFIG)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A network of five classes in the hub's format."""
    return saved_folder(tmp_path / "mine", network_of(num_classes=5), CONFIG)


# Weights that timm knows


@pytest.mark.parametrize("asked", ["test_resnet", "test_resnet.r160_in1k"])
def test_weights_in_the_cache_are_loaded_with_their_settings(cache_folder: Path, files: Path, asked: str) -> None:
    into_cache(cache_folder, REPOSITORY, files)
    classifier = load_classifier(f"timm:{asked}")
    facts = timm.get_pretrained_cfg("test_resnet.r160_in1k")
    assert facts is not None
    assert (classifier.name, classifier.num_classes, classifier.architecture) == (f"timm:{asked}", 1000, "test_resnet")
    assert (classifier.mean, classifier.std) == (facts.mean, facts.std)
    assert classifier.transform == PixelTransform(
        height=160, width=160, interpolation=facts.interpolation, crop_fraction=facts.crop_pct, crop_mode=facts.crop_mode
    )
    pixels, (mean, std) = torch.rand(2, 3, 160, 160), (torch.tensor(values).view(3, 1, 1) for values in (facts.mean, facts.std))
    torch.testing.assert_close(classifier.logits(pixels), network_of()((pixels - mean) / std))


def test_the_recorded_address_names_the_tag_and_loads_the_same_weights(cache_folder: Path, files: Path) -> None:
    into_cache(cache_folder, REPOSITORY, files)
    classifier = load_classifier("timm:test_resnet?size=96&crop=0.9")
    assert classifier.address == "timm:test_resnet.r160_in1k?size=96&crop=0.9"
    again = load_classifier(classifier.address)
    assert (again.digest, again.transform) == (classifier.digest, classifier.transform)


def test_options_replace_the_settings_of_the_weights(cache_folder: Path, files: Path) -> None:
    into_cache(cache_folder, REPOSITORY, files)
    classifier = load_classifier("timm:test_resnet?size=64&mean=0.1,0.2,0.3&std=0.4&interpolation=bilinear&crop=0.5&name=mine")
    assert (classifier.name, classifier.mean, classifier.std) == ("mine", (0.1, 0.2, 0.3), (0.4, 0.4, 0.4))
    assert classifier.transform == PixelTransform(height=64, width=64, interpolation="bilinear", crop_fraction=0.5)


def test_a_transformer_at_another_size_gets_the_positions_that_timm_interpolates(cache_folder: Path, tmp_path: Path) -> None:
    into_cache(cache_folder, "timm/test_vit.r160_in1k", saved_folder(tmp_path / "vit", network_of("test_vit"), {}))
    classifier, pixels = load_classifier("timm:test_vit?size=96&mean=0&std=1"), torch.rand(1, 3, 96, 96)
    expected = timm.create_model("test_vit", img_size=96, pretrained=True).eval()
    torch.testing.assert_close(classifier.logits(pixels), expected(pixels))


def test_a_size_that_the_patches_do_not_divide_is_refused(cache_folder: Path, tmp_path: Path) -> None:
    into_cache(cache_folder, "timm/test_vit.r160_in1k", saved_folder(tmp_path / "vit", network_of("test_vit"), {}))
    with pytest.raises(ClassifierError, match=r"timm:test_vit\.r160_in1k can't take images of 100x100 pixels \(.*\); give another"):
        load_classifier("timm:test_vit?size=100")


def test_weights_are_fetched_once_and_then_lie_in_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache_folder: Path, files: Path
) -> None:
    isolated(monkeypatch, tmp_path, offline=False)
    with server(monkeypatch, files=files) as asked:
        digest = load_classifier("timm:test_resnet").digest
    assert set(asked) == {f"/{REPOSITORY}/resolve/main/model.safetensors"}
    assert (cache_folder / "models--timm--test_resnet.r160_in1k/snapshots" / COMMIT / "model.safetensors").is_file()
    isolated(monkeypatch, tmp_path, offline=True)
    assert load_classifier("timm:test_resnet").digest == digest


def test_a_retired_name_stands_for_todays(cache_folder: Path, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    into_cache(cache_folder, REPOSITORY, files)
    monkeypatch.setattr(
        "zooscope.classifiers.providers.timm.get_deprecated_models", lambda: {"old_resnet": "test_resnet.r160_in1k"}
    )
    classifier = load_classifier("timm:old_resnet")
    assert (classifier.name, classifier.address) == ("timm:old_resnet", "timm:test_resnet.r160_in1k")


def test_names_that_timm_has_retired_have_the_settings_of_their_successors() -> None:
    assert read_facts("jx_nest_tiny") == timm.get_pretrained_cfg("nest_tiny_jx.goog_in1k")
    assert read_facts("convnext_tiny_in22ft1k") == timm.get_pretrained_cfg("convnext_tiny.fb_in22k_ft_in1k")


# Folders and repositories that say themselves what they are


@pytest.mark.parametrize("kind", ["local-dir", "hf-hub", "revision"])
def test_a_folder_and_a_repository_bring_architecture_and_settings(cache_folder: Path, folder: Path, kind: str) -> None:
    into_cache(cache_folder, "me/mine", folder, revision="v1" if kind == "revision" else "main")
    rest = {"local-dir": f"local-dir:{folder}", "hf-hub": "hf-hub:me/mine", "revision": "hf-hub:me/mine@v1"}[kind]
    classifier = load_classifier(f"timm:{rest}")
    assert (classifier.name, classifier.address, classifier.architecture) == (f"timm:{rest}", f"timm:{rest}", "test_resnet")
    assert (classifier.num_classes, classifier.mean, classifier.std) == (5, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    assert classifier.transform == PixelTransform(
        height=96, width=96, interpolation="bilinear", crop_fraction=0.8, crop_mode="squash"
    )
    pixels, mean, std = torch.rand(1, 3, 96, 96), torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.4, 0.5, 0.6])
    expected = network_of(num_classes=5)((pixels - mean.view(3, 1, 1)) / std.view(3, 1, 1))
    torch.testing.assert_close(classifier.logits(pixels), expected)


def test_a_folder_is_found_again_from_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    classifier = load_classifier("timm:local-dir:mine")
    assert (classifier.name, classifier.address) == ("timm:local-dir:mine", f"timm:local-dir:{folder}")


def test_a_folder_with_a_question_mark_in_its_name_is_percent_encoded(tmp_path: Path) -> None:
    folder = saved_folder(tmp_path / "what? 100%", network_of(num_classes=5), CONFIG)
    address = load_classifier(f"timm:local-dir:{tmp_path}/what%3F 100%25").address
    assert address == f"timm:local-dir:{tmp_path}/what%3F 100%25"
    assert load_classifier(address).digest == load_classifier(f"timm:local-dir:{folder}".replace("?", "%3F")).digest


def test_a_folder_without_settings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no config\.json in .*nowhere; name a folder in the hub's format"):
        load_classifier(f"timm:local-dir:{tmp_path / 'nowhere'}")


def test_a_folder_without_weights_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(
        ClassifierError, match=r"timm can't load timm:local-dir:.* \(No suitable checkpoints found.*\); check the folder"
    ):
        load_classifier(f"timm:local-dir:{folder}")


@pytest.mark.parametrize("config", [{"model_type": "vit", "architectures": ["ViTForImageClassification"]}, {}])
def test_settings_in_another_format_are_refused(folder: Path, config: Mapping[str, Any]) -> None:
    saved_folder(folder, network_of(num_classes=5), config)
    with pytest.raises(
        ClassifierError, match=r"its config\.json is not in timm's format \(it has no 'architecture'\).* huggingface:"
    ):
        load_classifier(f"timm:local-dir:{folder}")


def test_an_architecture_that_timm_does_not_know_is_refused(folder: Path) -> None:
    saved_folder(folder, network_of(num_classes=5), {**CONFIG, "architecture": "test_rasnet"})
    with pytest.raises(ClassifierError, match=r"timm can't load .* \(Unknown model \(test_rasnet\)\)"):
        load_classifier(f"timm:local-dir:{folder}")


def test_weights_of_another_architecture_are_refused_by_name(folder: Path) -> None:
    saved_folder(folder, network_of("test_vit", num_classes=5), CONFIG)
    with pytest.raises(
        ClassifierError, match=r"the weights of timm:local-dir:.* don't fit .*: the file lacks conv1\.0\.weight, .* and \d+ more"
    ):
        load_classifier(f"timm:local-dir:{folder}")


class Touches:
    """Makes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def test_no_code_in_a_folder_s_weights_is_run(folder: Path) -> None:
    mark = folder / "mark"
    saved_folder(folder, network_of(num_classes=5), CONFIG)
    (folder / "model.safetensors").unlink()
    torch.save({**network_of(num_classes=5).state_dict(), "extra": Touches(mark)}, folder / "pytorch_model.bin")
    with pytest.raises(
        ClassifierError,
        match=r"the weights of timm:local-dir:.* hold more than tensors and are not opened, .*; give safetensors\.$",
    ):
        load_classifier(f"timm:local-dir:{folder}")
    assert not mark.exists()


def test_weights_of_another_shape_are_refused_by_name(folder: Path) -> None:
    saved_folder(folder, network_of(num_classes=7), CONFIG)
    with pytest.raises(
        ClassifierError, match=r"the file has other shapes for fc\.weight \(7, \d+\) instead of \(5, \d+\), fc\.bias"
    ):
        load_classifier(f"timm:local-dir:{folder}")


def test_weights_that_would_stay_random_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of some architectures timm accepts checkpoints with holes; one that it is strict with is made such a one here."""
    network = network_of(num_classes=5)
    saved_folder(folder, nn.ModuleDict({"conv1": network.get_submodule("conv1")}), CONFIG)
    real = nn.Module.load_state_dict
    monkeypatch.setattr(nn.Module, "load_state_dict", lambda self, weights, **_: real(self, weights, strict=False))
    with pytest.raises(ClassifierError, match=r"lack bn1\.weight, bn1\.bias, .*, which would stay random; take other weights"):
        load_classifier(f"timm:local-dir:{folder}")


def test_features_without_classes_are_refused(folder: Path) -> None:
    config = {**CONFIG, "num_classes": 0, "pretrained_cfg": {**CONFIG["pretrained_cfg"], "num_classes": 0}}
    saved_folder(folder, network_of(num_classes=0), config)
    with pytest.raises(ClassifierError, match="gives features, not classes; take weights that were trained to classify"):
        load_classifier(f"timm:local-dir:{folder}")


def test_images_of_other_channels_are_refused(folder: Path) -> None:
    network = timm.create_model("test_resnet", num_classes=5, in_chans=4)
    config = {**CONFIG, "model_args": {"in_chans": 4}, "pretrained_cfg": {**CONFIG["pretrained_cfg"], "input_size": [4, 96, 96]}}
    saved_folder(folder, network, config)
    with pytest.raises(ClassifierError, match="takes images of 4 channels; only networks for RGB images can be compared"):
        load_classifier(f"timm:local-dir:{folder}")


def test_another_number_of_classes_is_refused(folder: Path) -> None:
    assert load_classifier(f"timm:local-dir:{folder}?num_classes=5").num_classes == 5
    with pytest.raises(ClassifierError, match=r"gives 5 logits, not 10; leave num_classes out, .* class_map=FILE"):
        load_classifier(f"timm:local-dir:{folder}?num_classes=10")


def test_weights_beside_those_of_a_folder_are_refused(folder: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"brings weights of its own; leave out weights="):
        load_classifier(f"timm:local-dir:{folder}?weights=a.pth")


@pytest.mark.parametrize("rest", ["me/mine", "./mine", "hub:resnet18"])
def test_a_repository_or_folder_without_its_prefix_is_refused(rest: str) -> None:
    with pytest.raises(InvalidValueError, match=r"for a repository write timm:hf-hub:.*, for a folder timm:local-dir:"):
        load_classifier(f"timm:{rest}")


# What can't be had


def test_an_architecture_without_weights_is_refused() -> None:
    with pytest.raises(
        ClassifierError, match=r"timm:darknet17 names no weights, and timm has none for it; write timm:darknet17\?wei"
    ):
        load_classifier("timm:darknet17")


def test_a_tag_without_weights_names_those_that_have_some() -> None:
    with pytest.raises(
        ClassifierError, match=r"has none for it \(but for .*resnext101_32x4d\.gluon_in1k.*\); write .*\?weights=FILE"
    ):
        load_classifier("timm:resnext101_32x4d.untrained")


def test_features_are_refused_before_anything_is_fetched() -> None:
    with pytest.raises(ClassifierError, match=r"timm:vit_small_patch14_dinov2\.lvd142m gives features, not classes"):
        load_classifier("timm:vit_small_patch14_dinov2")


def test_an_unknown_tag_suggests_near_ones() -> None:
    with pytest.raises(
        UnknownNameError, match=r"'resnet18\.a1_in2k'\. Did you mean resnet18\.a1_in1k .*Leave out what follows the dot"
    ):
        load_classifier("timm:resnet18.a1_in2k")


def test_offline_the_cache_that_was_looked_in_is_named(cache_folder: Path) -> None:
    with pytest.raises(ClassifierError) as caught:
        load_classifier("timm:test_resnet")
    assert str(caught.value) == (
        f"{REPOSITORY} is not in the cache ({cache_folder / 'models--timm--test_resnet.r160_in1k'}), and HF_HUB_OFFLINE is set; "
        "go online once, or give weights of your own: timm:test_resnet.r160_in1k?weights=FILE."
    )
    with pytest.raises(ClassifierError, match=r"me/mine is not in the cache .*; go online once, or put its files into a folder"):
        load_classifier("timm:hf-hub:me/mine")


@pytest.mark.parametrize(
    ("answer", "token", "message"),
    [
        (
            (401, {"X-Error-Code": "RepoNotFound"}),
            None,
            r"has no repository me/mine; check the spelling, or if it is private, give a token",
        ),
        (
            (404, {"X-Error-Code": "RepoNotFound"}),
            "hf_x",
            r"no repository me/mine; .* private, the token that was sent may not read it",
        ),
        (
            (401, {"X-Error-Code": "GatedRepo"}),
            None,
            r"me/mine is gated: accept its terms at https://huggingface\.co/me/mine \(then give",
        ),
        ((403, {"X-Error-Code": "GatedRepo"}), "hf_x", r"me/mine is gated: .*\(the owner of the token that was sent has not yet\)"),
        (
            (401, {"X-Error-Message": "Invalid credentials in Authorization header"}),
            "hf_x",
            r"the Hugging Face hub refuses the token that was sent for me/mine; give a token from .*, or none for",
        ),
        ((404, {"X-Error-Code": "RevisionNotFound"}), None, r"me/mine has no such revision; leave out what follows the @"),
        ((404, {"X-Error-Code": "EntryNotFound"}), None, r"me/mine lacks a file that is needed: weights, or config\.json"),
        ((503, {}), None, r"me/mine is not in the cache .* and the Hugging Face hub can't be reached; go online once, or put"),
    ],
    ids=["missing", "missing or private", "gated", "gated with token", "wrong token", "revision", "file", "down"],
)
def test_what_the_hub_refuses_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: tuple[int, Mapping[str, str]], token: str | None, message: str
) -> None:
    isolated(monkeypatch, tmp_path, offline=False)
    monkeypatch.setattr("time.sleep", lambda _: None)  # the client waits before it asks again
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    with server(monkeypatch, status=answer[0], headers=answer[1]), pytest.raises(ClassifierError, match=message) as caught:
        load_classifier("timm:hf-hub:me/mine")
    assert "\n" not in str(caught.value)


def test_what_is_no_name_of_a_repository_is_refused() -> None:
    with pytest.raises(ClassifierError, match=r"'me/my mine' is no name of a repository; write ORG/NAME"):
        load_classifier("timm:hf-hub:me/my mine")
