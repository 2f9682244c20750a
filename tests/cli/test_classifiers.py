import json

from tests.cli.calling import call
from zooscope.classifiers.bundled.zoo import cards
from zooscope.classifiers.load import bundled_names


def test_names_come_one_a_line() -> None:
    assert tuple(call("classifiers", "--names").stdout.splitlines()) == bundled_names()


def test_the_table_holds_name_seed_accuracy_and_architecture() -> None:
    lines = call("classifiers").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    (line,) = (line for line in lines if line.startswith("bundled:resnet "))
    card = cards()["resnet"]
    assert line.split()[1:4] == [str(card.seed), f"{100 * card.test_accuracy:.1f}", "%"]
    assert "ResNet" in line


def test_json_holds_the_cards() -> None:
    found = json.loads(call("classifiers", "--json").stdout)
    assert [card["name"] for card in found] == list(bundled_names())
    (vit,) = (card for card in found if card["name"] == "bundled:vit")
    assert vit["architecture"] == "vit"
    assert vit["test_accuracy"] == cards()["vit"].test_accuracy
