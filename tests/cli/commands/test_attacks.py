import json

from tests.cli.calling import call
from zooscope.attacks import AutoAttack, parse_attack
from zooscope.attacks.registry import list_attacks


def own() -> list[str]:
    return [name for name, kind in list_attacks().items() if kind.__module__.startswith("zooscope.")]


def test_every_attack_is_listed_with_fields_cost_and_reference() -> None:
    text = call("attacks").stdout
    assert max(map(len, text.splitlines())) <= 132
    for name in own():
        assert f"{name}: " in text
    assert "epsilon=8/255 iterations=100 loss=ce" in text
    assert "50 gradients per image; Madry et al., ICLR 2018" in text
    assert "5,000 forward passes per image; Andriushchenko et al., ECCV 2020" in text


def test_json_holds_defaults_that_can_be_spelt_again() -> None:
    found = {one["name"]: one for one in json.loads(call("attacks", "--json").stdout)}
    assert set(own()) <= set(found)
    for name in own():
        one = found[name]
        assert one["summary"]
        assert one["reference"]
        spelt = "&".join(f"{field}={str(value).lower()}" for field, value in one["fields"].items())
        assert parse_attack(f"{name}?{spelt}") == parse_attack(name)
    auto = found["AutoAttack"]
    assert (auto["gradients"], auto["forwards"]) == AutoAttack().cost
