import math

import pytest

from zooscope.report.writing import decimal, fraction_of_255, interval, percent, plotly_text, shortened, without_shared_source


def test_numbers_have_fixed_digits_and_a_proper_minus() -> None:
    assert decimal(3.456) == "3.46"
    assert decimal(-4.605) == "\N{MINUS SIGN}4.61"
    assert decimal(-0.001) == "0.00"
    assert decimal(math.nan) == percent(math.nan) == interval(math.nan, 1.0) == "\N{EN DASH}"
    assert percent(24.54) == "24.5\N{NO-BREAK SPACE}%"
    assert interval(1, 2.5, 1) == "1.0 to 2.5"


@pytest.mark.parametrize("length", [3, 8, 15, 26])
def test_long_names_keep_both_ends(length: int) -> None:
    name = "abcdefghijklmnopqrstuvwxyz"
    short = shortened(name, length)
    assert len(short) == min(length, len(name))
    assert (short[0], short[-1]) == ("a", "z")


def test_a_source_that_all_names_share_is_left_out_of_labels() -> None:
    assert without_shared_source(["bundled:vit", "bundled:resnet"]) == ("vit", "resnet")
    assert without_shared_source(["bundled:vit", "timm:vit"]) == ("bundled:vit", "timm:vit")
    assert without_shared_source(["bundled:vit", "mine"]) == ("bundled:vit", "mine")
    assert without_shared_source(["a:", "a:b"]) == ("a:", "a:b")


def test_plotly_gets_no_tags_and_no_entities() -> None:
    assert plotly_text("<b>&lt;") == "&lt;b&gt;&amp;lt;"


def test_distances_of_pixels_are_written_as_people_write_them() -> None:
    assert [fraction_of_255(value) for value in (8 / 255, 2 / 255, 0.1, 1e-9)] == ["8/255", "2/255", "0.1", "1e-09"]
