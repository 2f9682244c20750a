"""Image classifiers in Hugging Face's format: tiny networks, saved by transformers and loaded by address."""

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import nn

from tests.classifiers.hub_at_hand import into_cache, isolated, server
from tests.photographs import photographs
from zooscope import PixelTransform
from zooscope.classifiers.class_map import match_classes
from zooscope.classifiers.providers import huggingface
from zooscope.errors import ClassifierError, InvalidValueError, MissingFileError, UnknownNameError
from zooscope.images.make_pixels import make_pixels

SIDE = 32
SQUARE = {"height": SIDE, "width": SIDE}
LARGER = {"size": {"shortest_edge": 40}, "crop_size": SQUARE}
TOKENS: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
PATCHES: dict[str, Any] = {**TOKENS, "image_size": SIDE, "patch_size": 8}
LEVIT: dict[str, Any] = {"hidden_sizes": [16] * 3, "num_attention_heads": [1] * 3, "depths": [1] * 3, "key_dim": [8] * 3}
MOBILEVIT: dict[str, Any] = {"hidden_sizes": [16] * 3, "neck_hidden_sizes": [4, 4, 8, 8, 8, 8, 16], "num_attention_heads": 2}
TIMM: dict[str, Any] = {"input_size": (3, 64, 64), "mean": (0.5, 0.4, 0.3), "std": (0.2, 0.2, 0.3), "crop_pct": 0.9}
# What the network's class and its settings are called, its settings, its image processor's kind, its settings.
CASES: dict[str, tuple[str, dict[str, Any], str, dict[str, Any]]] = {
    "vit": ("ViT", PATCHES, "ViT", {"size": SQUARE}),
    "beit": ("Beit", PATCHES, "Beit", {"size": SQUARE}),
    "swin": (
        "Swin",
        {"image_size": SIDE, "embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "window_size": 4},
        "ViT",
        {"size": SQUARE},
    ),
    "convnext": (
        "ConvNext",
        {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2},
        "ConvNext",
        {"size": {"shortest_edge": SIDE}},
    ),
    "resnet": (
        "ResNet",
        {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]},
        "ConvNext",
        {"size": {"shortest_edge": 33}},
    ),
    "mobilenet v1": ("MobileNetV1", {"depth_multiplier": 0.25}, "MobileNetV1", LARGER),
    "mobilenet v2": ("MobileNetV2", {"depth_multiplier": 0.25}, "MobileNetV2", LARGER),
    "efficientnet": (
        "EfficientNet",
        {"width_coefficient": 0.25, "depth_coefficient": 0.25, "hidden_dim": 320},
        "EfficientNet",
        {"size": SQUARE},
    ),
    "levit": (
        "Levit",
        {"image_size": 64, **LEVIT},
        "Levit",
        {"size": {"shortest_edge": 64}, "crop_size": {"height": 64, "width": 64}},
    ),
    "mobilevit": ("MobileViT", {"image_size": 64, **MOBILEVIT, "expand_ratio": 1.0}, "MobileViT", LARGER),
    "segformer": (
        "Segformer",
        {"hidden_sizes": [8] * 4, "depths": [1] * 4, "num_attention_heads": [1] * 4},
        "Segformer",
        {"size": SQUARE},
    ),
    "siglip": ("Siglip", {"vision_config": PATCHES, "text_config": {**TOKENS, "vocab_size": 50000}}, "Siglip", {"size": SQUARE}),
    "dinov2": ("Dinov2", {**PATCHES, "intermediate_size": 32}, "Bit", LARGER),
    "timm": ("TimmWrapper", {"architecture": "test_vit", "model_args": {"img_size": 64}, "pretrained_cfg": TIMM}, "", {}),
}


def network_of(kind: str, settings: dict[str, Any], num_classes: int = 5) -> Any:  # noqa: ANN401  (one of many classes without types)
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**settings, num_labels=num_classes)
    network = getattr(transformers, f"{kind}ForImageClassification")(config)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight)  # with the small weights of a beginning the logits would vanish
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias)
    return network.eval()


def saved(folder: Path, case: str) -> tuple[Any, Any]:
    """A folder in the hub's format; the network and its image processor."""
    kind, settings, processor_kind, processor_settings = CASES[case]
    network = network_of(kind, settings)
    network.save_pretrained(folder)
    if not processor_kind:
        return network, transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    processor = getattr(transformers, f"{processor_kind}ImageProcessorPil")(**processor_settings)
    processor.save_pretrained(folder)
    return network, processor


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a tiny ViT."""
    saved(tmp_path / "vit", "vit")
    return tmp_path / "vit"


@pytest.mark.parametrize("case", CASES)
def test_logits_are_those_of_processor_and_network(tmp_path: Path, case: str) -> None:
    network, processor = saved(tmp_path, case)
    classifier = huggingface.load(str(tmp_path), {}, name="mine")
    assert (classifier.name, classifier.num_classes, classifier.architecture) == ("mine", 5, type(network).__name__)
    image = photographs()[0]
    with torch.no_grad():
        expected = network(**processor(images=image, return_tensors="pt")).logits
        logits = classifier.logits(make_pixels(classifier.transform, image).unsqueeze(0))
    scale = expected.abs().max()  # far from one where nothing was trained
    assert scale > 1e-20
    torch.testing.assert_close(logits / scale, expected / scale, atol=1e-4, rtol=0)
    pixels = torch.rand(1, 3, *classifier.transform.size, requires_grad=True)
    assert torch.autograd.grad(classifier.logits(pixels).square().sum(), pixels)[0].any()
    assert not any(parameter.requires_grad for parameter in classifier.network.parameters())


def test_options_replace_the_settings_of_the_processor(folder: Path) -> None:
    options = {"size": "48", "mean": "0.1,0.2,0.3", "std": "0.4", "interpolation": "bicubic", "crop": "0.8"}
    classifier = huggingface.load(str(folder), options, name="mine")
    assert (classifier.mean, classifier.std) == ((0.1, 0.2, 0.3), (0.4, 0.4, 0.4))
    assert classifier.transform == PixelTransform(
        height=48, width=48, interpolation="bicubic", crop_fraction=0.8, crop_mode="squash"
    )
    network = transformers.ViTForImageClassification.from_pretrained(folder)
    pixels = torch.rand(2, 3, 48, 48)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (classifier.mean, classifier.std))
    with torch.no_grad():
        expected = network((pixels - mean) / std, interpolate_pos_encoding=True).logits
        torch.testing.assert_close(classifier.logits(pixels), expected)
    assert classifier.address is not None
    assert classifier.address.startswith(f"huggingface:{folder}?size=48&mean=0.1,0.2,0.3&")


def test_a_size_that_the_network_does_not_take_is_refused(tmp_path: Path) -> None:
    saved(tmp_path, "levit")
    with pytest.raises(ClassifierError, match=r"can't take images of 48x48 pixels \(The size of tensor"):
        huggingface.load(str(tmp_path), {"size": "48"}, name="a")


def test_a_size_of_the_processor_that_the_network_does_not_take_is_refused(folder: Path) -> None:
    transformers.ViTImageProcessorPil(size={"height": 64, "width": 64}).save_pretrained(folder)
    with pytest.raises(ClassifierError, match=r"can't take images of 64x64 pixels \(Input image size \(64\*64\) doesn't match"):
        huggingface.load(str(folder), {}, name="a")


def test_the_weights_are_loaded_in_float32_whatever_they_were_saved_in(tmp_path: Path) -> None:
    network, processor = saved(tmp_path, "vit")
    network.half().save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    classifier = huggingface.load(str(tmp_path), {}, name="a")
    assert {value.dtype for value in classifier.network.parameters()} == {torch.float32}


def test_weights_in_pytorchs_format_have_the_same_digest(folder: Path) -> None:
    digest = huggingface.load(str(folder), {}, name="a").digest
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    assert huggingface.load(str(folder), {}, name="a").digest == digest


def change(folder: Path, name: str = "config.json", **values: object) -> None:
    facts = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**facts, **values}))


def without_head(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file(
        {name: value for name, value in weights.items() if "classifier" not in name}, folder / "model.safetensors", {"format": "pt"}
    )


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), MissingFileError, r"has no config\.json; give a network in the format"),
        (lambda folder: (folder / "config.json").write_text("{"), ClassifierError, r"config\.json is no JSON"),
        (lambda folder: change(folder, model_type="novel"), ClassifierError, r"transformers can't read the settings of .*novel"),
        (lambda folder: change(folder, model_type="bert"), ClassifierError, r"is no image classifier .*\(its model_type is bert\)"),
        (
            lambda folder: change(folder, model_type="novel", auto_map={"AutoConfig": "code.Novel"}),
            ClassifierError,
            r"brings code of its own, which is never run",
        ),
        (lambda folder: change(folder, quantization_config={"bits": 4}), ClassifierError, r"quantised: they have no gradient"),
        (
            without_head,
            ClassifierError,
            r"don't fit ViTForImageClassification: they lack classifier\.bias and 1 more; transformers",
        ),
        (
            lambda folder: change(folder, num_labels=7, id2label=None),
            ClassifierError,
            r"other shapes for classifier\.bias and 1 more",
        ),
        (lambda folder: change(folder, num_hidden_layers=1), ClassifierError, r"have more layers of a kind .*: vit\..*\.1\."),
        (lambda folder: change(folder, num_hidden_layers=3), ClassifierError, r"they lack vit\..*\.2\..* more; transformers"),
        (lambda folder: (folder / "model.safetensors").unlink(), ClassifierError, r"can't load the weights of .*no file named"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"half"), ClassifierError, r"can't load the weights of"),
        (
            lambda folder: (folder / "preprocessor_config.json").unlink(),
            MissingFileError,
            r"has no preprocessor_config\.json, so nothing says how its pixels are made",
        ),
        (
            lambda folder: change(folder, "preprocessor_config.json", image_processor_type="Novel"),
            ClassifierError,
            r"transformers can't read the image processor of",
        ),
        (
            lambda folder: change(folder, "preprocessor_config.json", do_resize=False),
            ClassifierError,
            r"\(do_resize=False leaves every image at its own size\)",
        ),
    ],
)
def test_a_folder_that_is_not_whole_is_refused(
    folder: Path, spoil: Callable[[Path], object], error: type[Exception], message: str
) -> None:
    spoil(folder)
    with pytest.raises(error, match=message):
        huggingface.load(str(folder), {}, name="a")


@pytest.mark.parametrize("place", ["./nothing", "/no/such/folder", "nothing", "a/b/c"])
def test_a_folder_that_is_not_there_is_named(place: str) -> None:
    with pytest.raises(MissingFileError, match=rf"there is no folder {place.removeprefix('./')}; give one with config\.json"):
        huggingface.load(place, {}, name="a")


def test_an_unknown_option_is_refused(folder: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown option 'weights'\. huggingface: takes size, mean, std"):
        huggingface.load(str(folder), {"weights": "a.pth"}, name="a")


def test_an_impossible_value_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"the option size takes a whole number"):
        huggingface.load(str(folder), {"size": "big"}, name="a")


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, which can't be reached."""
    return isolated(monkeypatch, tmp_path)


def test_offline_the_cache_that_was_looked_in_is_named(offline: Path) -> None:
    message = (
        rf"google/vit is not in the cache \({offline / 'models--google--vit'}\), and HF_HUB_OFFLINE is set; .*huggingface:FOLDER"
    )
    with pytest.raises(ClassifierError, match=message):
        huggingface.load("google/vit", {}, name="a")


def test_a_repository_is_read_from_the_cache(offline: Path, folder: Path) -> None:
    into_cache(offline, "google/vit", folder)
    classifier = huggingface.load("google/vit", {"size": "32"}, name="mine")
    assert (classifier.address, classifier.num_classes) == ("huggingface:google/vit?size=32", 5)


@pytest.mark.usefixtures("offline")
def test_only_settings_and_weights_are_fetched_and_pickled_ones_only_without_safetensors(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str | None, list[str]]] = []

    def download(repository: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append((repository, revision, allow_patterns))
        return str(folder)

    monkeypatch.setattr(huggingface, "snapshot_download", download)
    address = huggingface.load("google/vit@v2", {}, name="a").address
    assert [(repository, revision) for repository, revision, _ in asked] == [("google/vit", "v2")]
    assert "model.safetensors" in asked[0][2]
    assert not [pattern for pattern in asked[0][2] if pattern.endswith((".bin", ".py"))]
    assert address == "huggingface:google/vit@v2"
    (folder / "model.safetensors").unlink()
    with pytest.raises(ClassifierError, match="can't load the weights of google/vit "):
        huggingface.load("google/vit", {}, name="a")
    assert "pytorch_model.bin" in asked[-1][2]


@pytest.mark.parametrize(
    ("answer", "token", "message"),
    [
        (
            (404, {"X-Error-Code": "RepoNotFound"}),
            None,
            r"has no repository me/mine; check the spelling, or if it is private, give",
        ),
        ((401, {"X-Error-Code": "GatedRepo"}), None, r"me/mine is gated: accept its terms at https://huggingface\.co/me/mine"),
        (
            (401, {"X-Error-Message": "Invalid credentials in Authorization header"}),
            "hf_x",
            r"refuses the token that was sent for me/mine",
        ),
        ((404, {"X-Error-Code": "RevisionNotFound"}), None, r"me/mine has no such revision; leave out what follows the @"),
        ((503, {}), None, r"me/mine is not in the cache .* can't be reached; .*huggingface:FOLDER"),
    ],
    ids=["missing", "gated", "wrong token", "revision", "down"],
)
def test_what_the_hub_refuses_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: tuple[int, dict[str, str]], token: str | None, message: str
) -> None:
    isolated(monkeypatch, tmp_path, offline=False)
    monkeypatch.setattr("time.sleep", lambda _: None)  # the client waits before it asks again
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    with server(monkeypatch, status=answer[0], headers=answer[1]), pytest.raises(ClassifierError, match=message) as caught:
        huggingface.load("me/mine@v2", {}, name="a")
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("offline")
def test_what_is_no_name_of_a_repository_is_refused() -> None:
    with pytest.raises(ClassifierError, match=r"'me/my mine' is no name of a repository; write ORG/NAME"):
        huggingface.load("me/my mine", {}, name="a")


@pytest.mark.usefixtures("offline")
def test_another_fault_while_fetching_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def download(*_: object, **__: object) -> str:
        msg = "a fault of ours"
        raise KeyError(msg)

    monkeypatch.setattr(huggingface, "snapshot_download", download)
    with pytest.raises(KeyError, match="a fault of ours"):
        huggingface.load("a/b", {}, name="a")


def test_without_transformers_the_source_can_not_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "zooscope.classifiers.providers.huggingface")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ModuleNotFoundError, match="transformers"):
        import_module("zooscope.classifiers.providers.huggingface")


def test_outputs_have_the_names_of_the_settings_which_images_in_another_order_follow(folder: Path) -> None:
    classes, order = ("emu", "cat", "owl", "dog", "fish"), [3, 0, 4, 1, 2]
    settings = json.loads((folder / "config.json").read_text())
    plain = huggingface.load(str(folder), {}, name="mine")
    assert plain.class_names == tuple(f"LABEL_{output}" for output in range(5))
    settings["id2label"] = {str(output): classes[place] for output, place in enumerate(order)}
    settings["label2id"] = {name: int(output) for output, name in settings["id2label"].items()}
    (folder / "config.json").write_text(json.dumps(settings))
    named = huggingface.load(str(folder), {}, name="mine")
    assert named.class_names == tuple(classes[place] for place in order)
    assert named.digest == plain.digest
    pixels, outputs = torch.rand(2, 3, SIDE, SIDE), [order.index(place) for place in range(5)]
    matched = match_classes(named, classes)
    torch.testing.assert_close(matched.logits(pixels), plain.logits(pixels)[:, outputs], rtol=0, atol=0)
    assert match_classes(plain, classes).class_matching == "by position"
