"""The paper's 69: their names, today's names of their weights, and how they are loaded."""

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.data import resolve_data_config
from timm.models import get_deprecated_models

from zooscope import load_classifier
from zooscope.classifiers.providers import paper
from zooscope.errors import MissingFileError, UnknownNameError

OURS = "gluon_xception65"
# Today's timm calls these otherwise, or takes other weights where no tag is given.
MOVED = {
    "convnext_tiny": "convnext_tiny.fb_in1k",
    "gluon_resnet101_v1c": "resnet101c.gluon_in1k",
    "jx_nest_tiny": "nest_tiny_jx.goog_in1k",
    "regnetx_320": "regnetx_320.pycls_in1k",
    "seresnet50": "seresnet50.ra2_in1k",
    "tnt_s_patch16_224": "tnt_s_legacy_patch16_224.in1k",
}
WITH_WEIGHTS = [entry for entry in paper.read_entries() if entry.timm]


def test_there_are_69_of_which_timm_has_all_but_one() -> None:
    assert len(paper.list_names()) == len(set(paper.list_names())) == len(paper.read_entries()) == 69
    assert list(paper.list_names()) == sorted(paper.list_names())
    assert [entry.name for entry in paper.read_entries() if entry.timm is None] == [OURS]
    assert len({entry.timm for entry in WITH_WEIGHTS}) == 68


@pytest.mark.parametrize("entry", WITH_WEIGHTS, ids=lambda entry: entry.name)
def test_timm_has_the_weights_for_1000_classes_at_the_input_size(entry: paper.Entry) -> None:
    assert entry.timm in timm.list_pretrained()
    facts = timm.get_pretrained_cfg(str(entry.timm))
    assert facts is not None
    assert facts.num_classes == 1000
    assert resolve_data_config(pretrained_cfg=facts.to_dict())["input_size"] == (3, *entry.input_size)


def test_the_table_gives_the_input_size_that_timm_had() -> None:
    for entry in paper.read_entries():
        assert entry.components["input resolution"] == "x".join(map(str, entry.input_size))


def test_other_names_than_the_moved_ones_are_those_that_timm_takes_first() -> None:
    for entry in WITH_WEIGHTS:
        is_today = timm.is_model(entry.name) and entry.name not in get_deprecated_models()
        facts = timm.get_pretrained_cfg(entry.name) if is_today else None
        first = None if facts is None else f"{facts.architecture}.{facts.tag}"
        assert (first == entry.timm) == (entry.name not in MOVED)
    assert {name: paper.find_entry(name).timm for name in MOVED} == MOVED


@pytest.mark.parametrize("name", ["jx_nest_tiny", "nest_tiny_jx", "nest_tiny_jx.goog_in1k"])
def test_a_network_is_found_by_each_of_its_names(name: str) -> None:
    assert paper.find_entry(name).paper_name == "NesT-T"


def test_a_name_that_moved_on_stands_for_the_network_of_the_paper() -> None:
    assert timm.is_model("tnt_s_patch16_224")
    assert paper.find_entry("tnt_s_patch16_224").timm == "tnt_s_legacy_patch16_224.in1k"


@pytest.mark.parametrize(("name", "near"), [("resnet_50", "resnet50"), ("nfnet_10", "nfnet_l0"), ("mixnet_x1", "mixnet_xl")])
def test_an_unknown_name_suggests_near_ones(name: str, near: str) -> None:
    with pytest.raises(UnknownNameError, match=rf"unknown network of the paper '{name}'\. Did you mean .*{near}.*--paper"):
        paper.load(name, {}, name="any")


def test_timm_has_removed_the_one_that_is_built_here() -> None:
    assert not timm.is_model(OURS)


def test_missing_weights_are_refused() -> None:
    with pytest.raises(MissingFileError, match=r"there is no checkpoint .*nothing\.pth"):
        load_classifier("paper:rexnet_150?weights=nothing.pth")


@pytest.mark.slow
def test_a_network_is_loaded_from_a_file_and_again_from_its_address(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = timm.create_model("rexnet_150", pretrained=False).eval()
    file = tmp_path / "a b.safetensors"
    save_file(network.state_dict(), file)
    classifier = load_classifier(f"paper:rexnet_150?weights={file}&crop=0.5")
    assert classifier.name == "paper:rexnet_150"
    assert classifier.transform.size == (224, 224)
    assert classifier.transform.crop_fraction == 0.5
    pixels = torch.rand(1, 3, 224, 224)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (classifier.mean, classifier.std))
    torch.testing.assert_close(classifier.logits(pixels), network((pixels - mean) / std))
    assert classifier.address is not None
    assert classifier.address.startswith("paper:rexnet_150?")
    again = load_classifier(classifier.address)
    assert (again.digest, again.transform, again.address) == (classifier.digest, classifier.transform, classifier.address)
