import json
from pathlib import Path

from tests.cli.calling import call, one_line
from zooscope.classifiers.bundled.cards import read_cards
from zooscope.classifiers.providers.registry import PROVIDERS, list_bundled_names


def test_names_come_one_a_line() -> None:
    assert tuple(call("classifiers", "--names").stdout.splitlines()) == list_bundled_names()


def test_the_table_holds_name_seed_accuracy_and_architecture() -> None:
    lines = call("classifiers").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    (line,) = (line for line in lines if line.startswith("bundled:resnet "))
    card = read_cards()["resnet"]
    assert line.split()[1:4] == [str(card.seed), f"{100 * card.test_accuracy:.1f}", "%"]
    assert "ResNet" in line


def test_json_holds_the_cards() -> None:
    found = json.loads(call("classifiers", "--json").stdout)
    assert [card["name"] for card in found] == list(list_bundled_names())
    (vit,) = (card for card in found if card["name"] == "bundled:vit")
    assert vit["architecture"] == "vit"
    assert vit["test_accuracy"] == read_cards()["vit"].test_accuracy


def test_a_pattern_lists_the_addresses_that_it_stands_for() -> None:
    assert call("classifiers", "bundled:vit*").stdout.splitlines() == ["bundled:vit", "bundled:vit_seed1", "bundled:vit_seed2"]


def test_a_zoo_file_lists_addresses_or_names(tmp_path: Path) -> None:
    file = tmp_path / "zoo.toml"
    file.write_text('[[classifiers]]\naddress = "timm:resnet18"\nsize = 160\nname = "small"', encoding="utf-8")
    assert call("classifiers", file).stdout == "timm:resnet18?size=160&name=small\n"
    assert call("classifiers", file, "bundled:vit", "--names").stdout == "small\nbundled:vit\n"
    assert json.loads(call("classifiers", file, "--json").stdout) == [
        {"name": "small", "address": "timm:resnet18?size=160&name=small"}
    ]


def test_a_pattern_without_match_is_one_sentence() -> None:
    result = call("classifiers", "bundled:resnat*")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Did you mean bundled:resnet" in one_line(result.stderr)


def test_without_a_pattern_the_other_providers_are_named() -> None:
    text = call("classifiers").stdout
    assert [provider for provider in PROVIDERS.forms if f" {provider}:" not in text] == ["bundled"]
