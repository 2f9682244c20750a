"""Classifiers in any form in which they may be given."""

from pathlib import Path

import pytest
import timm
import torch
from torch import nn

from zooscope import collect_classifiers, load_classifier
from zooscope.addresses import parse_address
from zooscope.classifiers.collect import collect_classifier
from zooscope.errors import ClassifierError, InvalidValueError, UnknownNameError


def test_addresses_patterns_zoo_files_and_classifiers_are_taken_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "zoo.toml").write_text('[[classifiers]]\naddress = "bundled:swin"\n', encoding="utf-8")
    by_hand = load_classifier("bundled:resnet", name="mine")
    given = [
        by_hand,
        "bundled:vit_*",
        parse_address("bundled:mixer"),
        tmp_path / "zoo.toml",
        "bundled:vit_seed1, bundled:visformer",
    ]
    found = collect_classifiers(given)
    assert [one.name for one in found] == [
        "mine",
        "bundled:vit_seed1",
        "bundled:vit_seed2",
        "bundled:mixer",
        "bundled:swin",
        "bundled:visformer",
    ]
    assert found[0] is by_hand


@pytest.mark.parametrize("given", ["bundled:resnet", ["bundled:resnet"], load_classifier("bundled:resnet")])
def test_one_alone_needs_no_list(given: object) -> None:
    assert collect_classifier(given).name == "bundled:resnet"


def test_a_network_of_timms_brings_its_preprocessing() -> None:
    network = timm.create_model("resnet18", num_classes=7).eval()
    found = collect_classifier(network)
    config = timm.data.resolve_model_data_config(network)
    assert (found.name, found.num_classes, found.address) == ("resnet18", 7, None)
    assert (found.network, found.transform.size) == (network, config["input_size"][1:])
    assert (found.mean, found.std) == (config["mean"], config["std"])
    assert (found.transform.interpolation, found.transform.crop_fraction) == (config["interpolation"], config["crop_pct"])
    with pytest.raises(ClassifierError, match=r"resnet18: the network is in training mode.*; call network.eval\(\) first"):
        collect_classifier(timm.create_model("resnet18"))


def test_a_network_alone_is_told_what_is_missing() -> None:
    expected = (
        r"a network alone \(Sequential\) doesn't say how its pixels are made; give it as zooscope.Classifier\(name=..., network"
    )
    with pytest.raises(ClassifierError, match=expected):
        collect_classifiers([nn.Sequential()])


@pytest.mark.parametrize("given", [None, 3, [None], [3], [["bundled:resnet"]], {"a": 1}, torch.zeros(2), b"bundled:vit"])
def test_what_is_no_classifier_is_refused(given: object) -> None:
    with pytest.raises(
        InvalidValueError, match=r"classifiers must be addresses such as bundled:resnet, patterns .*, or Classifiers: got"
    ):
        collect_classifiers(given)


def test_wrong_names_and_two_of_one_name_are_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean bundled:resnet"):
        collect_classifiers("bundled:resnett*")
    with pytest.raises(ClassifierError, match=r"two classifiers are called bundled:vit; give one of them another name"):
        collect_classifiers([load_classifier("bundled:vit"), "bundled:vit"])
    with pytest.raises(ClassifierError, match=r"two classifiers are called a: bundled:vit\?name=a and bundled:swin\?name=a"):
        collect_classifiers(["bundled:vit?name=a", "bundled:swin?name=a"])
    with pytest.raises(InvalidValueError, match="one classifier is needed: got 2"):
        collect_classifier("bundled:vit_*")
