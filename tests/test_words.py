import json
import math
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zooscope.words import (
    cut_middle,
    escape_controls,
    escape_in_json,
    escape_markup,
    format_attack,
    format_interval,
    format_number,
    format_percent,
    format_setting,
    guard_cell,
    quote_path,
    shorten_names,
    unguard_cell,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b]0;title\x07\x1b[2J", r"a\x1b]0;title\x07\x1b[2J"),
        ("a\tb\rc\nd\0", r"a\tb\rc\nd\x00"),
        ("\x7f\x85\x9b31m", r"\x7f\x85\x9b31m"),
        ("\u202eevil\u2066\u200f\u2028\u061c", r"\u202eevil\u2066\u200f\u2028\u061c"),
        ("bad\udc80name", r"bad\udc80name"),
        ("résumé 変 👩‍🔬 C:\\x", "résumé 変 👩‍🔬 C:\\x"),
    ],
    ids=["terminal", "spaces", "c1", "direction", "surrogate", "harmless"],
)
def test_what_would_steer_a_terminal_is_shown(text: str, shown: str) -> None:
    assert escape_controls(text) == shown
    assert escape_controls(shown) == shown


def test_newlines_of_ours_stay() -> None:
    assert escape_controls("a\nb\r\n", keep_newlines=True) == "a\nb\\r\n"


@given(st.text())
def test_nothing_that_is_escaped_can_be_unprintable_control(text: str) -> None:
    shown = escape_controls(text)
    assert not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in shown)
    shown.encode()


@given(st.text(st.characters(max_codepoint=0xFFFF)))
def test_json_holds_the_same_text_in_characters_that_can_be_shown(text: str) -> None:
    written = escape_in_json(json.dumps(text, ensure_ascii=False))
    assert json.loads(written) == text
    assert written == escape_controls(written)


@pytest.mark.parametrize("text", ["=cmd|'/c calc'!A0", "+1+1", "-a", "@SUM(A1)", "\t=1", "\r=1", "'=1", "-inf"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert guard_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "vit", "-1.5", "+2e-3", "-.5", "it's", "'quoted'", "1=2"])
def test_numbers_and_plain_texts_stay_as_they_are(text: str) -> None:
    assert guard_cell(text) == text


@given(st.text(st.sampled_from("'=+-@\t\r1e.a"), max_size=6) | st.text())
def test_every_text_comes_back_from_its_cell(text: str) -> None:
    assert unguard_cell(guard_cell(text)) == text


def test_numbers_have_fixed_decimals_and_no_minus_before_nothing() -> None:
    assert format_number(3.456) == "3.46"
    assert format_number(-4.605) == "-4.61"
    assert format_number(-0.001) == "0.00"
    assert format_percent(24.54) == "24.5 %"
    assert format_interval(1, 2.5, 1) == "1.0 to 2.5"
    assert (
        format_number(math.nan)
        == format_percent(math.nan)
        == format_interval(math.nan, 1.0)
        == format_interval(1.0, math.nan)
        == "-"
    )


def test_settings_are_written_as_people_write_them() -> None:
    values = (8 / 255, 2 / 255, 0.1, 0.8, 1.0, 1e-9, 1 / 254, 50, True, "text")
    expected = ["8/255", "2/255", "0.1", "0.8", "1", "1e-09", "0.00393701", "50", "yes", "text"]
    assert [format_setting(value) for value in values] == expected


def test_an_attack_names_only_the_switches_that_are_on() -> None:
    assert format_attack({"attack": "A", "step_size": 0.1, "restarts": 0, "random_start": True}) == (
        "A (step size 0.1, restarts 0, random start)"
    )
    assert format_attack({"attack": "as published"}) == "as published"


def test_names_are_shortened_as_far_as_they_stay_different() -> None:
    assert shorten_names(["timm:vit", "timm:resnet"]) == {"timm:vit": "vit", "timm:resnet": "resnet"}
    assert shorten_names(["bundled:vit", "timm:vit"]) == {"bundled:vit": "vit", "timm:vit": "timm:vit"}
    assert shorten_names(["bundled:vit", "vit"]) == {"bundled:vit": "bundled:vit", "vit": "vit"}
    assert shorten_names(["bundled:vit", "mine"]) == {"bundled:vit": "vit", "mine": "mine"}
    assert shorten_names(["bundled:vit", "timm:vit", "bundled:"]) == {
        "bundled:vit": "vit",
        "timm:vit": "timm:vit",
        "bundled:": "bundled:",
    }
    assert shorten_names(["a:", "a:b"]) == {"a:": "a:", "a:b": "a:b"}
    assert shorten_names([]) == {}


@pytest.mark.parametrize("path", ["study", "my study", "it's", "a;b", "$HOME"])
def test_a_quoted_path_is_one_word_to_a_shell(path: str) -> None:
    assert shlex.split(f"zooscope show {quote_path(path)}") == ["zooscope", "show", path]


@pytest.mark.parametrize("length", [3, 8, 15, 26])
def test_long_names_keep_both_ends(length: int) -> None:
    name = "abcdefghijklmnopqrstuvwxyz"
    short = cut_middle(name, length)
    assert len(short) == min(length, len(name))
    assert (short[0], short[-1]) == ("a", "z")


def test_plotly_gets_no_tags_and_no_entities() -> None:
    assert escape_markup("<b>&lt;") == "&lt;b&gt;&amp;lt;"
