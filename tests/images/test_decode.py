"""Every kind of image file becomes 8-bit RGB; damaged ones are told apart."""

import io

import numpy as np
import pytest
from PIL import Image

from zooscope.errors import ImagesError
from zooscope.images.decode import decode

SIZE = (6, 5)


def decoded(image: Image.Image, kind: str = "PNG", **options: object) -> np.ndarray:
    file = io.BytesIO()
    image.save(file, kind, **options)
    result = decode(file.getvalue(), "image")
    assert result.mode == "RGB"
    return np.asarray(result)


def assert_every_pixel(levels: np.ndarray, colour: tuple[int, int, int], tolerance: int = 0) -> None:
    assert levels.shape == (*reversed(SIZE), 3)
    np.testing.assert_allclose(levels, np.broadcast_to(colour, levels.shape), atol=tolerance)


def test_rgb_stays_as_it_is() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decoded(Image.fromarray(levels)), levels)


def test_grey_becomes_three_equal_channels() -> None:
    assert_every_pixel(decoded(Image.new("L", SIZE, 77)), (77, 77, 77))


def test_grey_with_alpha_keeps_its_grey() -> None:
    assert_every_pixel(decoded(Image.new("LA", SIZE, (77, 128))), (77, 77, 77))


def test_transparency_is_dropped() -> None:
    assert_every_pixel(decoded(Image.new("RGBA", SIZE, (10, 20, 30, 40))), (10, 20, 30))


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
@pytest.mark.parametrize("options", [{}, {"transparency": 1}], ids=["opaque", "transparent"])
def test_palette_indices_become_their_colours(kind: str, options: dict[str, int]) -> None:
    image = Image.new("P", SIZE, 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    assert_every_pixel(decoded(image, kind, **options), (200, 100, 50))


def test_palette_with_one_alpha_per_colour_becomes_its_colours() -> None:
    image = Image.new("P", SIZE, 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    assert_every_pixel(decoded(image, "PNG", transparency=b"\x00\x40"), (200, 100, 50))


def test_one_bit_becomes_black_and_white() -> None:
    image = Image.new("1", SIZE, 1)
    image.putpixel((0, 0), 0)
    levels = decoded(image)
    np.testing.assert_array_equal(levels[0, 0], [0, 0, 0])
    np.testing.assert_array_equal(levels[1:], np.full((4, 6, 3), 255))


@pytest.mark.parametrize(("level", "expected"), [(0, 0), (256, 1), (0x80FF, 0x80), (65535, 255)])
def test_sixteen_bit_grey_keeps_its_upper_eight_bits(level: int, expected: int) -> None:
    assert_every_pixel(decoded(Image.fromarray(np.full(SIZE[::-1], level, np.uint16))), (expected, expected, expected))


@pytest.mark.parametrize(
    ("ink", "colour"),
    [
        ((0, 255, 255, 0), (255, 0, 0)),
        ((0, 0, 0, 0), (255, 255, 255)),
        ((0, 0, 0, 255), (0, 0, 0)),
        ((0, 0, 255, 0), (255, 255, 0)),
    ],
)
def test_cmyk_jpeg_shows_the_colours_of_its_inks(ink: tuple[int, ...], colour: tuple[int, int, int]) -> None:
    assert_every_pixel(decoded(Image.new("CMYK", SIZE, ink), "JPEG", quality=100, subsampling=0), colour, tolerance=3)


def test_grey_jpeg_becomes_three_equal_channels() -> None:
    assert_every_pixel(decoded(Image.new("L", SIZE, 77), "JPEG", quality=100), (77, 77, 77), tolerance=1)


def test_a_truncated_jpeg_is_named() -> None:
    file = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(file, "JPEG")
    with pytest.raises(ImagesError, match=r"cat/7\.jpg \(.*truncated"):
        decode(file.getvalue()[: len(file.getvalue()) // 2], "cat/7.jpg")


def test_an_empty_file_is_named() -> None:
    with pytest.raises(ImagesError, match=r"^cat/7\.png \(empty file\)$"):
        decode(b"", "cat/7.png")


def test_a_text_file_is_named() -> None:
    with pytest.raises(ImagesError, match=r"^cat/7\.png \(not an image\)$"):
        decode(b"This is no image.\n", "cat/7.png")
