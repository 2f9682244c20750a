"""torchvision's classifiers: its own preprocessing, its own settings, weights from torch.hub's cache."""

from argparse import Namespace
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models

from tests.photographs import photographs
from zooscope import Classifier, PixelTransform
from zooscope.classifiers.class_map import match_classes
from zooscope.classifiers.providers import torchvision as source
from zooscope.errors import ClassifierError, InvalidValueError, MissingFileError, UnknownNameError
from zooscope.images.class_order import read_synsets
from zooscope.images.make_pixels import make_pixels

SHUFFLENET = "ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1"
FILE = "shufflenetv2_x0.5-f707e7126e.pth"  # what torchvision's URL of these weights ends in
SMALLEST = {  # one architecture of each family, and each that is built in a way of its own
    "AlexNet_Weights.IMAGENET1K_V1": "alexnet",
    "ConvNeXt_Tiny_Weights.IMAGENET1K_V1": "convnext_tiny",
    "EfficientNet_B0_Weights.IMAGENET1K_V1": "efficientnet_b0",
    "EfficientNet_V2_S_Weights.IMAGENET1K_V1": "efficientnet_v2_s",
    "GoogLeNet_Weights.IMAGENET1K_V1": "googlenet",
    "Inception_V3_Weights.IMAGENET1K_V1": "inception_v3",
    "MaxVit_T_Weights.IMAGENET1K_V1": "maxvit_t",
    "MNASNet0_5_Weights.IMAGENET1K_V1": "mnasnet0_5",
    "MobileNet_V3_Small_Weights.IMAGENET1K_V1": "mobilenet_v3_small",
    "RegNet_Y_400MF_Weights.IMAGENET1K_V1": "regnet_y_400mf",
    "ResNeXt50_32X4D_Weights.IMAGENET1K_V1": "resnext50_32x4d",
    "Swin_V2_T_Weights.IMAGENET1K_V1": "swin_v2_t",
    "VGG11_BN_Weights.IMAGENET1K_V1": "vgg11_bn",
    "ViT_B_16_Weights.IMAGENET1K_V1": "vit_b_16",
    "ViT_B_16_Weights.IMAGENET1K_SWAG_E2E_V1": "vit_b_16",
    "ViT_H_14_Weights.IMAGENET1K_SWAG_E2E_V1": "vit_h_14",
}


@cache
def network_of(architecture: str, **settings: bool) -> nn.Module:
    torch.manual_seed(0)
    network: nn.Module = models.get_model_builder(architecture)(weights=None, **settings)
    return network.eval()


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of torch.hub."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub/checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def filled_cache(cache_folder: Path) -> Path:
    """A cache that holds ShuffleNet's file."""
    torch.save(network_of("shufflenet_v2_x0_5").state_dict(), cache_folder / FILE)
    return cache_folder


def test_normalised_pixels_are_those_of_torchvision_for_every_set_of_weights() -> None:
    presets = {}
    for name in source.list_names():
        preset = models.get_weight(name).transforms()
        assert preset.antialias  # Pillow, with which pixels are made here, always smooths
        presets[preset.resize_size[0], preset.crop_size[0], preset.interpolation, *preset.mean, *preset.std] = preset
    assert len(source.list_names()) > 100
    for preset in presets.values():
        transform, size = source.read_transform(preset), preset.crop_size[0]
        network = nn.Flatten().eval()  # its logits are what the classifier shows to its network
        classifier = Classifier(
            name="any",
            network=network,
            num_classes=3 * size * size,
            transform=transform,
            mean=tuple(preset.mean),
            std=tuple(preset.std),
        )
        for image in photographs():
            shown = classifier.logits(make_pixels(transform, image).unsqueeze(0)).view(3, size, size)
            torch.testing.assert_close(shown, preset(image), atol=1e-5, rtol=0)


def test_weights_come_from_the_cache_of_torch_hub(filled_cache: Path) -> None:
    classifier = source.load(SHUFFLENET, {}, name="mine")
    assert filled_cache.name == "checkpoints"
    assert (classifier.name, classifier.num_classes) == ("mine", 1000)
    assert (classifier.address, classifier.architecture) == (f"torchvision:{SHUFFLENET}", "shufflenet_v2_x0_5")
    assert classifier.transform == PixelTransform(height=224, width=224, interpolation="bilinear", crop_fraction=0.875)
    weights = models.ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1
    theirs = models.shufflenet_v2_x0_5(weights=weights).eval()  # reads the same file
    image = photographs()[0]
    with torch.no_grad():
        expected = theirs(weights.transforms()(image).unsqueeze(0))
        torch.testing.assert_close(
            classifier.logits(make_pixels(classifier.transform, image).unsqueeze(0)), expected, atol=1e-4, rtol=1e-4
        )


def test_default_weights_are_remembered_by_their_own_name(filled_cache: Path) -> None:
    assert filled_cache.is_dir()
    assert source.load("ShuffleNet_V2_X0_5_Weights.DEFAULT", {}, name="a").address == f"torchvision:{SHUFFLENET}"
    assert "ShuffleNet_V2_X0_5_Weights.DEFAULT" not in source.list_names()


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_a_checkpoint_of_ones_own_is_read_instead(cache_folder: Path, tmp_path: Path, ending: str) -> None:
    network, file = network_of("squeezenet1_1"), tmp_path / f"a.{ending}"
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(state, file) if ending == "safetensors" else torch.save(state, file)
    options = {"weights": str(file), "mean": "0.5", "std": "0.1,0.2,0.3", "interpolation": "bicubic", "crop": "0.9", "size": "96"}
    classifier = source.load("SqueezeNet1_1_Weights.IMAGENET1K_V1", options, name="mine")
    assert not list(cache_folder.iterdir())
    assert classifier.transform == PixelTransform(height=96, width=96, interpolation="bicubic", crop_fraction=0.9)
    assert (classifier.mean, classifier.std) == ((0.5, 0.5, 0.5), (0.1, 0.2, 0.3))
    pixels = torch.rand(2, 3, 96, 96)
    with torch.no_grad():
        expected = network((pixels - 0.5) / torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1))
        torch.testing.assert_close(classifier.logits(pixels), expected)
    assert not any(parameter.requires_grad for parameter in classifier.network.parameters())


def test_torchvisions_own_training_checkpoint_is_read(tmp_path: Path) -> None:
    torch.manual_seed(1)
    last, averaged = (models.get_model("shufflenet_v2_x0_5", weights=None).eval() for _ in range(2))
    averaged_names = {f"module.{name}": value for name, value in averaged.state_dict().items()}
    content = {
        "model": last.state_dict(),
        "model_ema": {"n_averaged": torch.tensor(9), **averaged_names},
        "args": Namespace(lr=0.1),
    }
    torch.save(content, tmp_path / "a.pth")
    for options, network, part in (({}, averaged, "model_ema.module"), ({"part": "model"}, last, "model")):
        classifier = source.load(SHUFFLENET, {"weights": str(tmp_path / "a.pth"), **options}, name="a")
        assert all(torch.equal(value, network.state_dict()[name]) for name, value in classifier.network.state_dict().items())
        assert classifier.address is not None
        assert classifier.address.endswith(f"&part={part}")


def settings_of(network: nn.Module) -> dict[str, dict[str, Any]]:
    """All plain settings of all modules, but for the heads that take part in training alone."""
    return {
        name: {key: value for key, value in vars(module).items() if isinstance(value, int | float | str | tuple)}
        | {"aux_logits": None, "type": type(module).__name__}
        for name, module in network.named_modules()
        if not name.startswith(("aux", "AuxLogits"))
    }


@pytest.mark.parametrize("name", SMALLEST)
def test_a_network_is_built_as_torchvision_builds_it_for_these_weights(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(models.get_weight(name)), "get_state_dict", lambda *_, **__: {})
    monkeypatch.setattr(nn.Module, "load_state_dict", lambda *_, **__: None)
    with torch.device("cpu" if name.startswith("RegNet") else "meta"):  # RegNet computes its widths with tensors
        theirs = models.get_model_builder(SMALLEST[name])(weights=models.get_weight(name))
        ours = source.build(SMALLEST[name], models.get_weight(name), ())
    assert settings_of(ours) == settings_of(theirs)


def test_auxiliary_heads_are_left_out_and_the_input_is_transformed_as_for_googlenets_weights(tmp_path: Path) -> None:
    trained = network_of("googlenet", aux_logits=True, init_weights=False, transform_input=True)
    torch.save(trained.state_dict(), tmp_path / "a.pth")
    classifier = source.load("GoogLeNet_Weights.IMAGENET1K_V1", {"weights": str(tmp_path / "a.pth"), "size": "64"}, name="a")
    pixels = torch.rand(2, 3, 64, 64)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (classifier.mean, classifier.std))
    with torch.no_grad():
        torch.testing.assert_close(classifier.logits(pixels), trained((pixels - mean) / std))
    assert not [name for name in classifier.network.state_dict() if name.startswith("aux")]


def test_densenets_weights_are_found_under_the_names_of_their_file(cache_folder: Path) -> None:
    network = network_of("densenet121")
    old = {name.replace("norm1", "norm.1").replace("conv2", "conv.2"): value for name, value in network.state_dict().items()}
    assert set(old) != set(network.state_dict())
    torch.save(old, cache_folder / "densenet121-a639ec97.pth")
    classifier = source.load("DenseNet121_Weights.IMAGENET1K_V1", {}, name="a")
    assert classifier.digest == Classifier(name="b", network=network, num_classes=1000, transform=classifier.transform).digest


def refuse(error: Exception) -> Callable[..., None]:
    def download(*_: object, **__: object) -> None:
        raise error

    return download


def test_missing_weights_name_the_place_where_they_were_looked_for(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse(URLError("no route to host")))
    with pytest.raises(ClassifierError, match=rf"are not in {cache_folder / FILE} and can't be fetched .*no route.*weights=FILE"):
        source.load(SHUFFLENET, {}, name="a")


def test_weights_are_fetched_once_with_their_checksum(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def download(url: str, file: str, checksum: str, *, progress: bool) -> None:
        asked.append((url.rpartition("/")[2], checksum, progress))
        torch.save(network_of("shufflenet_v2_x0_5").state_dict(), file)

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    source.load(SHUFFLENET, {}, name="a")
    source.load(SHUFFLENET, {}, name="a")
    assert asked == [(FILE, "f707e7126e", False)]
    assert (cache_folder / FILE).is_file()


def test_a_damaged_file_in_the_cache_is_named(cache_folder: Path) -> None:
    (cache_folder / FILE).write_bytes(b"half")
    with pytest.raises(ClassifierError, match=rf"{FILE} can't be read as a checkpoint"):
        source.load(SHUFFLENET, {}, name="a")


def test_weights_of_another_architecture_are_refused(filled_cache: Path) -> None:
    with pytest.raises(ClassifierError, match=rf"{FILE} doesn't fit torchvision's squeezenet1_1: it lacks features\.0\.weight"):
        source.load("SqueezeNet1_1_Weights.IMAGENET1K_V1", {"weights": str(filled_cache / FILE)}, name="a")


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no checkpoint .*nothing\.pth"):
        source.load(SHUFFLENET, {"weights": str(tmp_path / "nothing.pth")}, name="a")


def test_a_size_that_the_network_does_not_take_is_refused(cache_folder: Path) -> None:
    torch.save(network_of("squeezenet1_1").state_dict(), cache_folder / "squeezenet1_1-b8a52dc0.pth")
    with pytest.raises(ClassifierError, match=r"torchvision's squeezenet1_1 can't take images of 8x8 pixels"):
        source.load("SqueezeNet1_1_Weights.IMAGENET1K_V1", {"size": "8"}, name="a")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet18", r"torchvision:resnet18 is an architecture without weights; .*: ResNet18_Weights\.IMAGENET1K_V1\."),
        ("ResNet50_QuantizedWeights.IMAGENET1K_FBGEMM_V1", r"are quantised: they have no gradient to attack along"),
        ("FasterRCNN_ResNet50_FPN_Weights.COCO_V1", r"are not for classifying images"),
        ("VGG16_Weights.IMAGENET1K_FEATURES", r"have no layer that tells classes apart; choose others of vgg16"),
    ],
)
def test_what_classifies_no_images_is_refused(name: str, message: str) -> None:
    with pytest.raises(ClassifierError, match=message):
        source.load(name, {}, name="a")


@pytest.mark.parametrize(
    "name", ["ResNet50_Weights.IMAGENET1K_V3", "ResNet50_Weight.IMAGENET1K_V2", "ResNet50_Weights", "", "a.b.c"]
)
def test_unknown_weights_are_refused(name: str) -> None:
    with pytest.raises(UnknownNameError, match=rf"unknown weights of torchvision '{name}'"):
        source.load(name, {}, name="a")


def test_unknown_weights_suggest_near_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean .*ResNet50_Weights\.IMAGENET1K_V2"):
        source.load("ResNet50_Weights.IMAGENET1K_V3", {}, name="a")


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(
        UnknownNameError, match=r"unknown option 'sise'\. Did you mean size\? torchvision: takes weights, part, size"
    ):
        source.load(SHUFFLENET, {"sise": "96"}, name="a")


def test_an_impossible_value_is_refused(filled_cache: Path) -> None:
    assert filled_cache.is_dir()
    with pytest.raises(InvalidValueError, match=r"the option crop takes one number: got 'much'"):
        source.load(SHUFFLENET, {"crop": "much"}, name="a")


def test_outputs_have_torchvisions_names_which_are_those_of_imagenets_folders(filled_cache: Path, tmp_path: Path) -> None:
    classifier = source.load(SHUFFLENET, {}, name="mine")
    assert classifier.class_names is not None
    assert classifier.class_names[:2] == ("tench", "goldfish")
    assert match_classes(classifier, read_synsets()).class_matching == "by name"
    state = torch.load(filled_cache / FILE, weights_only=True)
    names = {f"thing {999 - output}": output for output in range(1000)}
    for content, expected in ((state, None), ({"model": state, "class_to_idx": names}, tuple(names))):
        torch.save(content, tmp_path / "own.pth")
        own = source.load(SHUFFLENET, {"weights": str(tmp_path / "own.pth")}, name="mine")
        assert own.class_names == expected, "weights of one's own need not be ImageNet's"
