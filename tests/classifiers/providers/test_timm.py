"""timm's architectures with weights from a local checkpoint."""

from argparse import Namespace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from zooscope import Classifier, PixelTransform, load_classifier
from zooscope.classifiers.providers.timm import list_class_names
from zooscope.errors import ClassifierError, InvalidValueError, MissingFileError, UnknownNameError

# Small members of timm's families that it keeps for tests; 160 pixels, 0.1 to 0.4 million parameters.
FAMILIES = ("test_resnet", "test_efficientnet", "test_vit", "test_byobnet")


@cache
def network_of(architecture: str, num_classes: int = 7, size: int | None = None) -> nn.Module:
    options: dict[str, Any] = {} if size is None else {"img_size": size}
    network: nn.Module = timm.create_model(architecture, num_classes=num_classes, **options)
    return network.eval()


def saved(network: nn.Module, file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(state, file) if file.suffix == ".safetensors" else torch.save(state, file)
    return file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A checkpoint of test_resnet with seven classes."""
    return saved(network_of("test_resnet"), tmp_path / "a.safetensors")


@pytest.mark.parametrize("architecture", FAMILIES)
@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_a_checkpoint_comes_back_with_the_settings_of_its_architecture(tmp_path: Path, architecture: str, ending: str) -> None:
    network, pixels = network_of(architecture), torch.rand(2, 3, 160, 160)
    facts = timm.get_pretrained_cfg(architecture)
    assert facts is not None
    address = f"timm:{architecture}?weights={saved(network, tmp_path / f'a.{ending}')}"
    classifier = load_classifier(address)
    assert (classifier.name, classifier.address, classifier.architecture) == (f"timm:{architecture}", address, architecture)
    assert classifier.num_classes == 7
    assert (classifier.mean, classifier.std) == (facts.mean, facts.std)
    assert classifier.transform == PixelTransform(
        height=160, width=160, interpolation=facts.interpolation, crop_fraction=facts.crop_pct, crop_mode=facts.crop_mode
    )
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (facts.mean, facts.std))
    torch.testing.assert_close(classifier.logits(pixels), network((pixels - mean) / std))


def test_the_same_weights_have_the_same_digest_in_every_format(tmp_path: Path, file: Path) -> None:
    other = saved(network_of("test_resnet"), tmp_path / "b.pth")
    digests = {load_classifier(f"timm:test_resnet?weights={path}").digest for path in (file, other)}
    assert len(digests) == 1


def test_options_replace_the_settings_of_the_architecture(file: Path) -> None:
    classifier = load_classifier(
        f"timm:test_resnet?weights={file}&size=96&mean=0.1,0.2,0.3&std=0.4&interpolation=bicubic&crop=0.8&num_classes=7&name=mine"
    )
    assert classifier.name == "mine"
    assert (classifier.mean, classifier.std) == ((0.1, 0.2, 0.3), (0.4, 0.4, 0.4))
    assert classifier.transform == PixelTransform(height=96, width=96, interpolation="bicubic", crop_fraction=0.8)
    assert classifier.logits(torch.rand(1, 3, 96, 96)).shape == (1, 7)


def test_an_argument_goes_before_the_option_name(file: Path) -> None:
    assert load_classifier(f"timm:test_resnet?weights={file}&name=mine", name="yours").name == "yours"


def test_a_transformer_of_fixed_size_is_built_at_another(tmp_path: Path) -> None:
    network, pixels = network_of("test_vit", size=64), torch.rand(2, 3, 64, 64)
    classifier = load_classifier(f"timm:test_vit?weights={saved(network, tmp_path / 'a.pth')}&size=64&mean=0&std=1")
    assert classifier.transform.size == (64, 64)
    torch.testing.assert_close(classifier.logits(pixels), network(pixels))


def test_a_transformer_whose_weights_are_for_another_size_is_refused(tmp_path: Path) -> None:
    file = saved(network_of("test_vit"), tmp_path / "a.pth")
    with pytest.raises(ClassifierError, match=r"it has other shapes for pos_embed \(1, 101, 64\) instead of \(1, 17, 64\)"):
        load_classifier(f"timm:test_vit?weights={file}&size=64")


def test_a_path_with_special_characters_is_percent_encoded(tmp_path: Path) -> None:
    file = saved(network_of("test_resnet"), tmp_path / "my weights & co + 100%" / "a?b=c#d.pth")
    assert load_classifier(f"timm:test_resnet?weights={quote(str(file))}").num_classes == 7


def test_the_file_is_named_when_another_architecture_is_asked_for(file: Path) -> None:
    with pytest.raises(ClassifierError, match=r"a\.safetensors doesn't fit timm's test_vit: it lacks cls_token, .* more"):
        load_classifier(f"timm:test_vit?weights={file}")


def test_another_number_of_classes_than_the_checkpoints_is_refused(file: Path) -> None:
    with pytest.raises(ClassifierError, match=r"it has other shapes for fc\.weight \(7, \d+\) instead of \(10, \d+\)"):
        load_classifier(f"timm:test_resnet?weights={file}&num_classes=10")


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no checkpoint .*nothing\.pth"):
        load_classifier(f"timm:test_resnet?weights={tmp_path / 'nothing.pth'}")


def test_an_unknown_architecture_suggests_near_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown timm architecture 'resnet_18'\. Did you mean .*resnet18"):
        load_classifier("timm:resnet_18?weights=a.pth")


def test_an_unknown_option_suggests_the_near_one(file: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown option 'interpolate'\. Did you mean interpolation\? timm: takes weights"):
        load_classifier(f"timm:test_resnet?weights={file}&interpolate=bicubic")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("size=big", "the option size takes a whole number from 1 on: got 'big'"),
        ("size=0", "the option size takes a whole number from 1 on: got '0'"),
        ("size=inf", "the option size takes a whole number from 1 on: got 'inf'"),
        ("num_classes=7.5", r"the option num_classes takes a whole number from 1 on: got '7\.5'"),
        ("mean=a", "the option mean takes 3 numbers with commas between, or one: got 'a'"),
        ("mean=0.1,0.2", r"the option mean takes 3 numbers with commas between, or one: got '0\.1,0\.2'"),
        ("std=nan", "the option std takes 3 numbers with commas between, or one: got 'nan'"),
        ("std=0", "timm:test_resnet: std must be positive: got"),
        ("crop=0.8,0.9", r"the option crop takes one number: got '0\.8,0\.9'"),
        ("crop=87.5", r"crop_fraction must be in \(0, 1\]: got 87\.5"),
        ("interpolation=cubic", "interpolation must be one of nearest, .*: got 'cubic'"),
    ],
)
def test_an_impossible_option_is_refused(file: Path, option: str, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        load_classifier(f"timm:test_resnet?weights={file}&{option}")


def test_a_tag_that_timm_does_not_know_is_refused(file: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"'test_resnet\.r161_in1k'\. Did you mean test_resnet\.r160_in1k\? Leave out what"):
        load_classifier(f"timm:test_resnet.r161_in1k?weights={file}")


def test_a_loaded_classifier_is_frozen_and_in_eval_mode(file: Path) -> None:
    classifier: Classifier = load_classifier(f"timm:test_resnet?weights={file}")
    assert not any(module.training for module in classifier.network.modules())
    assert not any(parameter.requires_grad for parameter in classifier.network.parameters())


# Which network of a training checkpoint


def two_networks(file: Path, *, num_classes: int = 7) -> tuple[nn.Module, nn.Module]:
    """A checkpoint as timm's training writes it."""
    torch.manual_seed(0)
    last, averaged = (timm.create_model("test_resnet", num_classes=count).eval() for count in (num_classes, 7))
    content = {"epoch": 3, "args": Namespace(lr=0.1), "state_dict": last.state_dict(), "state_dict_ema": averaged.state_dict()}
    torch.save(content, file)
    return last, averaged


@pytest.mark.parametrize("address", ["timm:test_resnet?weights={}", "checkpoint:{}?architecture=test_resnet"])
def test_the_average_is_taken_and_recorded_unless_a_part_is_named(tmp_path: Path, address: str) -> None:
    last, averaged = two_networks(tmp_path / "a.pth")
    pixels = torch.rand(2, 3, 160, 160)
    for part, network in (("", averaged), ("&part=state_dict", last), ("&part=state_dict_ema", averaged)):
        classifier = load_classifier(address.format(tmp_path / "a.pth") + f"{part}&mean=0&std=1")
        torch.testing.assert_close(classifier.logits(pixels), network(pixels))
        assert classifier.address is not None
        assert ("part=state_dict_ema" if network is averaged else "part=state_dict&") in f"{classifier.address}&"
        assert load_classifier(classifier.address).digest == classifier.digest


def test_networks_of_other_numbers_of_classes_must_be_told_apart(tmp_path: Path) -> None:
    two_networks(tmp_path / "a.pth", num_classes=5)
    with pytest.raises(ClassifierError, match=r"a\.pth holds networks of 5 and 7 classes; say which with num_classes= or part=\."):
        load_classifier(f"timm:test_resnet?weights={tmp_path / 'a.pth'}")
    assert load_classifier(f"timm:test_resnet?weights={tmp_path / 'a.pth'}&num_classes=5").num_classes == 5
    assert load_classifier(f"timm:test_resnet?weights={tmp_path / 'a.pth'}&part=state_dict_ema").num_classes == 7


def test_a_part_needs_a_checkpoint() -> None:
    with pytest.raises(
        InvalidValueError, match=r"timm:resnet18: part= chooses among what a checkpoint holds; name one with weights="
    ):
        load_classifier("timm:resnet18?part=model")
    with pytest.raises(InvalidValueError, match="part= chooses among what a checkpoint holds"):
        load_classifier("timm:hf-hub:me/mine?part=model")


@pytest.mark.parametrize(
    ("facts", "num_classes", "first"),
    [
        ({"tag": "a1_in1k"}, 1000, "n01440764"),
        ({"tag": "augreg_in21k_ft_in1k"}, 1000, "n01440764"),
        ({"tag": "miil_in21k"}, 11221, "n00005787"),
        ({"tag": "a1_in1k", "label_names": ["owl", "cat"]}, 2, "owl"),
        ({"label_names": {"1": "cat", "0": "owl"}}, 2, "owl"),
        ({"tag": "a1_in1k"}, 10, None),
        ({"tag": "in1kish"}, 1000, None),
        ({}, 1000, None),
        ({"label_names": ["owl", "cat", "emu"]}, 2, None),
        ({"label_names": {"1": "cat"}}, 2, None),
    ],
)
def test_outputs_have_the_names_of_the_repository_or_of_the_data_set_in_the_tag(
    facts: dict[str, Any], num_classes: int, first: str | None
) -> None:
    names = list_class_names(facts, num_classes)
    assert (None if names is None else names[0]) == first
    assert names is None or len(names) == num_classes


def test_a_checkpoint_says_the_names_of_its_outputs(tmp_path: Path) -> None:
    names = tuple("gfedcba")
    torch.save({"model": network_of("test_resnet").state_dict(), "classes": names}, tmp_path / "a.pth")
    assert load_classifier(f"timm:test_resnet?weights={tmp_path}/a.pth").class_names == names
