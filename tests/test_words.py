import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zooscope.words import escape_controls, escape_in_json, guard_cell, unguard_cell


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
