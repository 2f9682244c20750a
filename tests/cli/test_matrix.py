import io

import pytest
import xarray as xr
from rich.console import Console

from zooscope.cli.matrix import COLOURS, choose_layout, draw_matrix, shorten_name


@pytest.mark.parametrize("count", [1, 8, 9, 20, 69, 120])
@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(count: int, width: int) -> None:
    plan = choose_layout(["n" * 30] * count, width=width)
    assert len(str(count)) + 1 + plan.name_width + plan.num_columns * plan.cell_width <= width
    assert plan.num_columns >= 1


def test_a_wide_terminal_leaves_room_for_a_hundred() -> None:
    assert choose_layout(["name"] * 20, width=120).cell_width == 4


@pytest.mark.parametrize(
    ("name", "fitted"), [("abc", "abc   "), ("abcdef", "abcdef"), ("abcdefghi", "ab~ghi"), ("日本語画像", "日~ 像")]
)
def test_a_long_name_is_cut_in_its_middle(name: str, fitted: str) -> None:
    assert shorten_name(name, 6).rstrip() == fitted.rstrip()


def test_on_a_terminal_the_most_alike_pair_has_another_colour_than_the_least_alike() -> None:
    names = ["a", "b", "c"]
    sat = xr.DataArray(
        [[4.6, 4.0, 1.0], [4.0, 4.6, 2.0], [1.0, 2.0, 4.6]],
        dims=("a", "b"),
        coords={"a": names, "b": names, "percent": (("a", "b"), [[0.0] * 3] * 3)},
    )
    target = io.StringIO()
    draw_matrix(Console(file=target, force_terminal=True, color_system="standard", width=80, no_color=False), sat)
    assert COLOURS[-1] == "red"
    assert "\x1b[31m   4.00" in target.getvalue()
    assert "\x1b[33m" not in target.getvalue()
    assert target.getvalue().splitlines()[3].count("   1.00") == 1
