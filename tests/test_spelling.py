import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zooscope.errors import InvalidValueError
from zooscope.spelling import parse_number, parse_spelling, spell, spell_number, split_list, strip_parentheses, unescape


def test_an_attack_is_spelt_with_all_its_fields() -> None:
    settings = {"attack": "LinfPGD", "epsilon": 8 / 255, "step_size": 0.1, "iterations": 50, "random_start": False}
    assert spell(json.dumps(settings)) == "LinfPGD?epsilon=8/255&step_size=0.1&iterations=50&random_start=false"
    assert spell('{"attack": "Idle"}') == "Idle"


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 255).map(lambda level: level / 255))
def test_a_number_is_read_back_exactly(value: float) -> None:
    assert parse_number(spell_number(value)) == value


@pytest.mark.parametrize(("value", "text"), [(8 / 255, "8/255"), (0.2, "0.2"), (1.0, "1"), (0.0, "0"), (1e-3, "0.001")])
def test_a_number_is_spelt_the_short_way(value: float, text: str) -> None:
    assert spell_number(value) == text


@given(st.dictionaries(st.text("abc", min_size=1), st.text()))
def test_a_text_with_any_characters_is_read_back(fields: dict[str, str]) -> None:
    text = spell(json.dumps({"attack": "X", **fields}))
    assert {field: unescape(value) for field, value in parse_spelling(text).fields.items()} == fields


def test_attacks_within_an_attack_stand_in_parentheses() -> None:
    inner = {"attack": "LinfPGD", "epsilon": 4 / 255, "iterations": 3}
    text = spell(json.dumps({"attack": "Both", "attacks": [inner, {"attack": "Idle"}], "last": inner}))
    assert text == "Both?attacks=(LinfPGD?epsilon=4/255&iterations=3),(Idle)&last=(LinfPGD?epsilon=4/255&iterations=3)"
    name, fields = parse_spelling(text)
    assert name == "Both"
    assert split_list(fields["attacks"]) == ("LinfPGD?epsilon=4/255&iterations=3", "Idle")
    assert strip_parentheses(fields["last"]) == "LinfPGD?epsilon=4/255&iterations=3"


@pytest.mark.parametrize(
    ("text", "fault"), [("A?b", "'b' is not FIELD=VALUE"), ("A?=1", "'=1' is not FIELD=VALUE"), ("A?b=1&b=2", "b is given twice")]
)
def test_a_spelling_that_cannot_be_read_is_an_error(text: str, fault: str) -> None:
    with pytest.raises(InvalidValueError, match=rf"the attack '.*' can't be read: {fault}; write NAME\?FIELD=VALUE"):
        parse_spelling(text)


def test_what_is_spelled_is_named_in_the_error() -> None:
    with pytest.raises(InvalidValueError, match=r"the measurement 'planes\?x' can't be read: .*, as in planes\?seed=1\."):
        parse_spelling("planes?x", what="measurement", example="planes?seed=1")


@pytest.mark.parametrize("description", ["", "3", "[]", "{}", '{"attack": 3}', "nonsense", "[" * 100_000])
def test_what_describes_no_attack_is_an_error(description: str) -> None:
    with pytest.raises(InvalidValueError, match="doesn't describe an attack"):
        spell(description)


@pytest.mark.parametrize("text", ["", "eight", "8/", "1/0", "8/255/2"])
def test_what_is_no_number_is_an_error(text: str) -> None:
    with pytest.raises(InvalidValueError, match=r"is no number; write it as 0\.03 or as 8/255\."):
        parse_number(text)
