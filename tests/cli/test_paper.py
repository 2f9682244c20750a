"""`zooscope classifiers --paper`."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.calling import call
from zooscope import Classifier, load_classifier
from zooscope.addresses import Address
from zooscope.classifiers.providers import paper
from zooscope.cli.paper import format_components
from zooscope.components.vocabulary import COMPONENTS


def test_names_are_addresses_one_a_line() -> None:
    assert call("classifiers", "--paper", "--names").stdout.splitlines() == [f"paper:{name}" for name in paper.list_names()]


def test_json_holds_everything() -> None:
    found = json.loads(call("classifiers", "--paper", "--json").stdout)
    assert len(found) == 69
    assert all(list(network["components"]) == list(COMPONENTS) for network in found)
    (nest,) = (network for network in found if network["name"] == "paper:jx_nest_tiny")
    assert (nest["paper_name"], nest["timm"], nest["input_size"]) == ("NesT-T", "nest_tiny_jx.goog_in1k", [224, 224])
    assert [network["name"] for network in found if network["timm"] is None] == ["paper:gluon_xception65"]


def test_the_table_names_all_69_in_80_columns() -> None:
    text = call("classifiers", "--paper").stdout
    assert max(map(len, text.splitlines())) <= 80
    for entry in paper.read_entries():
        assert f"\n{entry.name} " in text
        assert f"\n  {entry.paper_name} " in text
        assert entry.timm is None or f" {entry.timm} " in text
    assert "gluon_xception65              not in timm any more: weights from a file" in text


def test_a_summary_names_what_the_network_has() -> None:
    assert format_components(paper.find_entry("sebotnet33ts_256")) == (
        "CNN; hierarchical; stem 3s2/3/3s2; 256x256; BN; ReLU + SiLU; GAP; 2D self-attention (BoT); "
        "channel-wise attention (SE), middle of the block"
    )
    assert format_components(paper.find_entry("resnest50d")) == (
        "CNN; hierarchical; stem 3s2/3/3 and pooling; 224x224; BN; ReLU; GAP; channel-wise attention; group convolution"
    )
    assert (
        format_components(paper.find_entry("resnetv2_50d_evos"))
        == "CNN; hierarchical; stem 3s2/3/3 and pooling; 224x224; EvoNorm; GAP"
    )
    assert format_components(paper.find_entry("convit_base")) == "Transformer; stem 16s16; 224x224; LN; GeLU; CLS token"


def test_different_networks_have_different_summaries_exactly_where_their_components_differ() -> None:
    by_components = {tuple(entry.components.values()): format_components(entry) for entry in paper.read_entries()}
    assert len(set(by_components.values())) == len(by_components)


def test_a_pattern_beside_it_is_refused() -> None:
    result = call("classifiers", "vit", "--paper")
    assert result.exit_code != 0
    assert "--paper lists all 69 and takes no pattern: got vit" in result.stderr


def test_a_pattern_leaves_out_what_lacks_its_weights_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    loaded: list[str] = []
    vit = load_classifier("bundled:vit")

    def load(address: Address) -> Classifier:
        loaded.append(str(address))
        return replace(vit, name=str(address))

    monkeypatch.setattr("zooscope.classifiers.collect.load_classifier", load)
    words = ("--images", "bundled:cifar10", "--count", "10", "--iterations", "1")
    result = call("measure", tmp_path / "study", "--classifiers", "paper:gluon_*", *words)
    assert result.exit_code == 0
    assert loaded == ["paper:gluon_resnet101_v1c"]
    assert "Note: paper:gluon_xception65 is left out: timm no longer has its weights, and there is no" in result.stderr


def test_a_pattern_keeps_it_where_its_weights_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    (tmp_path / "hub/checkpoints/gluon_xception-7015a15c.pth").touch()
    result = call("measure", tmp_path / "study", "--classifiers", "paper:gluon_x*", "--images", "bundled:cifar10", "--count", "10")
    assert result.exit_code != 0
    assert "gluon_xception-7015a15c.pth can't be read as a checkpoint" in result.stderr
    assert "left out" not in result.stderr
