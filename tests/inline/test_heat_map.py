import base64
import io

import numpy as np
import pytest
from PIL import Image

from tests.inline.reading import Shown
from zooscope.inline.heat_map import MOST_PIXELS, SCALE, average_blocks, find_colours, format_heat_map

HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "\u202eabc")


def show(values: np.ndarray, names: list[str]) -> Shown:
    return Shown(format_heat_map(values, names, names, "SAT"))


def picture_of(shown: Shown) -> np.ndarray:
    (image,) = shown.all("img")
    data = base64.b64decode(image["src"].removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(data)))


def test_a_small_matrix_is_a_table_of_its_numbers() -> None:
    shown = show(np.array([[4.605, 2.0], [np.nan, 1.234]]), ["a", "b"])
    assert shown.rows == [["", "1", "2"], ["1 a", "4.61", "2.00"], ["2 b", "-", "1.23"]]
    assert shown.text.startswith("SAT, 2 x 2: 1.23  4.61")


def test_numbers_can_be_read_on_every_colour() -> None:
    """Contrast of at least 4.5, as WCAG asks for text."""
    values = np.linspace(0, 1, 144).reshape(12, 12)
    cells = [cell["style"] for cell in show(values, [f"n{place}" for place in range(12)]).all("td")]
    assert len(cells) == 144
    for style in cells:
        background, ink = style.split("background: rgb(")[1].split("); color: ")
        channels = np.array([int(part) for part in background.split(",")]) / 255
        linear = np.where(channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        bright = float(linear @ [0.2126, 0.7152, 0.0722])
        light, dark = (bright, 0.0) if ink == "#000" else (1.0, bright)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, style


def test_colours_go_from_the_lowest_to_the_highest_value() -> None:
    colours = find_colours(np.array([[1.0, 2.0, 3.0, np.nan]]), 1.0, 3.0)
    assert colours[0, 0].tolist() == SCALE[0].tolist()
    assert colours[0, 1].tolist() == SCALE[2].tolist()
    assert colours[0, 2].tolist() == SCALE[-1].tolist()
    bright = find_colours(np.linspace(0, 1, 50)[None], 0.0, 1.0)[0].astype(float) @ [0.299, 0.587, 0.114]
    assert (np.diff(bright) > 0).all()


def test_a_larger_matrix_is_a_picture_with_a_pixel_per_cell() -> None:
    values = np.random.default_rng(0).random((40, 40))
    shown = show(values, [f"net {place}" for place in range(40)])
    assert (picture_of(shown) == find_colours(values, values.min(), values.max())).all()
    assert shown.all("img")[0]["alt"].startswith("heat map of 40 x 40 values")


@pytest.mark.parametrize("size", [257, 1000])
def test_a_large_matrix_is_a_picture_of_bounded_size(size: int) -> None:
    names = [f"timm:a_classifier_with_quite_a_long_name_{place}" for place in range(size)]
    page = format_heat_map(np.random.default_rng(0).random((size, size)), names, names, "SAT")
    assert max(picture_of(Shown(page)).shape) <= MOST_PIXELS
    assert len(page) < 300_000
    assert "Each pixel is the mean of" in page


def test_blocks_are_means_of_what_is_known() -> None:
    values = np.arange(25.0).reshape(5, 5)
    values[0, 1] = np.nan
    small = average_blocks(values, 3)
    assert small.shape == (3, 3)
    assert small[0, 0] == np.mean([0, 5, 6])
    assert small[2, 2] == 24
    assert np.isnan(average_blocks(np.full((4, 4), np.nan), 2)).all()


def test_nothing_in_a_name_is_read_as_html() -> None:
    shown = show(np.eye(3), list(HOSTILE))
    assert {tag for tag, _ in shown.tags} == {"div", "span", "table", "tr", "th", "td"}
    assert all(set(attributes) <= {"style", "title"} for _, attributes in shown.tags)
    assert "\u202e" not in shown.text


def test_nothing_known_is_said() -> None:
    assert "no value is known yet" in show(np.full((2, 2), np.nan), ["a", "b"]).text
    assert "0 x 0: no value is known yet" in show(np.empty((0, 0)), []).text
