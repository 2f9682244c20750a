import json
import re
from pathlib import Path

import pytest

import zooscope
from zooscope.classifiers.providers import paper
from zooscope.components.reading.read import read_components
from zooscope.components.reading.skeleton import load_skeleton
from zooscope.errors import ClassifierError, InvalidValueError, UnknownNameError


def test_an_architecture_of_timms_is_built_without_values() -> None:
    found = load_skeleton("timm:resnet10t?num_classes=7")
    assert found.device.type == "meta"
    assert (found.name, found.num_classes, found.transform.size) == ("timm:resnet10t", 7, (176, 176))


def test_options_count_and_the_size_is_another_reading() -> None:
    assert load_skeleton("timm:vit_tiny_patch16_224?size=96&name=small").name == "small"
    assert read_components(load_skeleton("timm:vit_tiny_patch16_224?size=96"))["input resolution"].value == "96x96"


@pytest.mark.parametrize("name", ["resnet50", "tnt_s_patch16_224", "gluon_resnet101_v1c"])
def test_the_papers_networks_are_built_at_the_papers_size(name: str) -> None:
    found = load_skeleton(f"paper:{name}")
    assert (found.name, found.device.type) == (f"paper:{name}", "meta")
    assert found.transform.size == paper.find_entry(name).input_size


def test_other_sources_are_loaded_as_they_are() -> None:
    assert load_skeleton("bundled:vit").digest == zooscope.load_classifier("bundled:vit").digest


def test_the_network_that_timm_no_longer_has_is_built_here() -> None:
    found = load_skeleton("paper:gluon_xception65?num_classes=7&size=100")
    assert (found.device.type, found.num_classes, found.transform.size) == ("meta", 7, (100, 100))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("timm:resnet5", "unknown timm architecture 'resnet5'. Did you mean"),
        ("paper:resnet5", "unknown network of the paper 'resnet5'. Did you mean"),
        ("timm:resnet18?colour=red", "unknown option 'colour'"),
        ("tim:resnet18", "unknown classifier provider 'tim'. Did you mean timm"),
    ],
)
def test_unknown_names_are_refused_with_near_ones(address: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=re.escape(message)):
        load_skeleton(address)


def test_an_option_that_can_not_be_used_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="the option size takes a whole number"):
        load_skeleton("timm:resnet18?size=large")


def test_a_local_folder_is_loaded_with_its_weights(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "resnet10t", "num_classes": 3}), encoding="utf-8")
    with pytest.raises(ClassifierError):
        load_skeleton(f"timm:local-dir:{tmp_path}")
