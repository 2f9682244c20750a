"""Lines end between words, and never inside a command."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zooscope.cli.wrapping import glue, unglue, wrap_text

COMMAND = "`zooscope measure a/long/folder --classifiers ...`"


def test_lines_are_as_long_as_the_width_allows() -> None:
    assert wrap_text("one two three four", 9) == "one two\nthree\nfour"
    assert wrap_text("one two", 7) == "one two"


def test_a_command_stays_on_one_line_with_what_is_attached_to_it() -> None:
    assert wrap_text(f"To go on ({COMMAND}).", 30) == f"To go on\n({COMMAND})."
    assert wrap_text(f"{COMMAND} goes on", 20) == f"{COMMAND}\ngoes on"


def test_a_backtick_alone_is_a_character_like_others() -> None:
    assert wrap_text("a ` b c", 3) == "a `\nb c"


def test_the_indentation_of_a_line_is_that_of_all_its_parts() -> None:
    assert wrap_text("  one two\nthree", 6) == "  one\n  two\nthree"


def test_wide_characters_take_two_columns() -> None:
    assert wrap_text("犬猫 鳥魚", 8) == "犬猫\n鳥魚"


@given(st.lists(st.text("ab`- ", min_size=1, max_size=12), min_size=1).map(" ".join), st.integers(1, 30))
def test_no_word_is_lost_or_changed(text: str, width: int) -> None:
    assert wrap_text(text, width).split() == text.split()


@pytest.mark.parametrize("text", ["", "plain", f"a {COMMAND} b", "write --num-clusters NUMBER", "`a`"])
def test_what_is_glued_has_no_place_to_break_in_a_command_and_comes_back(text: str) -> None:
    glued = glue(text)
    assert unglue(glued) == text
    if "`" in text:
        assert " " not in glued[glued.index("`") : glued.rindex("`")]


def test_lines_of_a_command_become_one() -> None:
    assert unglue(glue("`zooscope\n    show study`")) == "`zooscope show study`"
