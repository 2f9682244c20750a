"""Every kind of image file becomes 8-bit RGB; damaged ones are told apart."""

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image
from timm.data import ImageDataset
from torchvision.datasets import ImageFolder

from tests.images.encoded import encoded
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


@pytest.mark.parametrize(("level", "expected"), [(0, 0), (0x5000, 0x50), (0x80FF, 0x80), (65535, 255)])
def test_sixteen_bit_grey_keeps_its_upper_eight_bits(level: int, expected: int) -> None:
    assert_every_pixel(decoded(Image.fromarray(np.full(SIZE[::-1], level, np.uint16))), (expected, expected, expected))


RAMP = np.tile(np.arange(256), (4, 1))


def sixteen_bits(levels: np.ndarray, colour_type: int) -> bytes:
    """A PNG of 16 bits, written by hand: Pillow writes none in colour. Colour type 0 is grey, 4 has alpha, 2 is RGB."""
    height, width = levels.shape
    channels = {0: 1, 4: 2, 2: 3}[colour_type]
    rows = b"".join(b"\0" + np.repeat(row, channels).astype(">u2").tobytes() for row in levels)

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize(("kind", "dtype"), [("PNG", np.uint16), ("TIFF", np.uint16), ("TIFF", np.int32)])
def test_levels_of_so_many_bits_as_are_given_show_the_same_ramp(bits: int, kind: str, dtype: type) -> None:
    data = encoded(Image.fromarray((RAMP << (bits - 8)).astype(dtype)), kind)
    np.testing.assert_array_equal(np.asarray(decode(data, "ramp", bits=bits))[..., 1], RAMP)


@pytest.mark.parametrize(("bits", "colour_type"), [*((bits, kind) for bits in (8, 10, 12) for kind in (0, 2, 4)), (14, 0)])
def test_levels_that_may_have_fewer_than_16_bits_are_not_guessed(bits: int, colour_type: int) -> None:
    data = sixteen_bits(RAMP << (bits - 8), colour_type)
    with pytest.raises(ImagesError, match=r"^x\.png \(.*may (have|hold) fewer.*bits=.*16 in the address"):
        decode(data, "x.png")
    assert np.asarray(decode(data, "x.png", bits=16)).max() == 255 >> (16 - bits)


@pytest.mark.parametrize("kind", ["JPEG2000", "PPM"])
def test_files_that_say_16_bits_and_are_nearly_black_are_not_guessed(kind: str) -> None:
    data = encoded(Image.fromarray((RAMP << 4).astype(np.uint16)), kind)
    with pytest.raises(ImagesError, match=r"the file says 16 bits, and its highest level is 40\d\d, .*\(bits=16 in the address\)"):
        decode(data, "dark")
    assert np.asarray(decode(data, "dark", bits=16)).max() == 15


def test_16_bits_in_colour_show_their_upper_eight() -> None:
    for colour_type in (0, 2, 4):
        shown = np.asarray(decode(sixteen_bits(RAMP << 8 | 0x80, colour_type), "x.png"))
        np.testing.assert_array_equal(shown, np.repeat(RAMP[..., None], 3, axis=2))


def test_fewer_bits_than_16_in_colour_are_refused_as_their_lower_half_is_lost() -> None:
    with pytest.raises(ImagesError, match=r"colours of 16 bits that may hold fewer; save it with 8 bits"):
        decode(sixteen_bits(RAMP << 8, 2), "x.png", bits=12)


def test_levels_beyond_the_bits_that_are_given_are_refused() -> None:
    with pytest.raises(ImagesError, match="levels from 0 to 4080 have no agreed range in 10 bits"):
        decode(sixteen_bits(RAMP << 4, 0), "x.png", bits=10)


@pytest.mark.parametrize("highest", [1023, 4095])
def test_a_pgm_says_its_range(highest: int) -> None:
    levels = (RAMP * highest // 255).astype(">u2")
    data = f"P5 256 4 {highest}\n".encode() + levels.tobytes()
    np.testing.assert_allclose(np.asarray(decode(data, "x.pgm"))[..., 0], RAMP, atol=1)


def test_a_tiff_of_12_bits_says_its_range() -> None:
    shown = np.asarray(decode(tiff(packed_in_12_bits(RAMP << 4), bits=12, photometric=1), "x.tif"))
    np.testing.assert_array_equal(shown[..., 0], RAMP)


def test_a_tiff_in_which_white_is_zero_is_turned_round() -> None:
    shown = np.asarray(decode(tiff((RAMP << 8).astype("<u2").tobytes(), bits=16, photometric=0), "x.tif"))
    np.testing.assert_array_equal(shown[..., 0], 255 - RAMP)


def packed_in_12_bits(levels: np.ndarray) -> bytes:
    pairs = levels.reshape(-1, 2)
    parts = np.stack([pairs[:, 0] >> 4, (pairs[:, 0] & 15) << 4 | pairs[:, 1] >> 8, pairs[:, 1] & 255], axis=1)
    return parts.astype(np.uint8).tobytes()


def tiff(pixels: bytes, *, bits: int, photometric: int) -> bytes:
    """One strip of grey levels, 256 by 4, without compression."""
    tags = [(256, 256), (257, 4), (258, bits), (259, 1), (262, photometric), (273, 8 + 2 + 9 * 12 + 4), (277, 1), (278, 4)]
    tags.append((279, len(pixels)))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0) + pixels


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


# Decided in design/0009-images.md


def test_the_orientation_that_a_camera_notes_is_ignored_as_by_torchvision_and_timm(tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (8, 16, 3), dtype=np.uint8)
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    data = encoded(Image.fromarray(levels), "PNG", exif=turned)
    file = tmp_path / "cat" / "0.png"
    file.parent.mkdir()
    file.write_bytes(data)
    with Image.open(file) as stored:
        assert stored.getexif()[ExifTags.Base.Orientation] == 6
    ours = np.asarray(decode(data, "image"))
    np.testing.assert_array_equal(ours, levels)
    np.testing.assert_array_equal(ours, np.asarray(ImageFolder(tmp_path)[0][0]))
    with pytest.warns(ResourceWarning, match="unclosed file"):  # by timm
        np.testing.assert_array_equal(ours, np.asarray(ImageDataset(str(tmp_path))[0][0]))


@pytest.mark.parametrize(("width", "height"), [(101, 100), (300, 100)], ids=["where PIL warns", "where PIL refuses"])
def test_an_image_of_too_many_pixels_is_named(width: int, height: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(Image.new("L", (width, height)), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in a program that doesn't turn warnings into errors
        with pytest.raises(ImagesError, match=r"^bomb\.png \(.*(more than the 10000 of|exceeds limit)"):
            decode(data, "bomb.png")
        warnings.simplefilter("error")
        with pytest.raises(ImagesError, match=r"^bomb\.png \(.*exceeds limit of"):
            decode(data, "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert decode(data, "bomb.png").size == (width, height)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", SIZE, colour) for colour in ((200, 100, 50), (0, 0, 255))]
    options = {"lossless": True} if kind == "WEBP" else {}
    assert_every_pixel(decoded(frames[0], kind, save_all=True, append_images=frames[1:], **options), (200, 100, 50))


def test_levels_in_floating_point_are_refused() -> None:
    with pytest.raises(ImagesError, match=r"^x\.tif \(levels in floating point have no agreed range; save it with 8 or 16 bits\)$"):
        decode(encoded(Image.fromarray(np.full((4, 4), 0.5, np.float32)), "TIFF"), "x.tif")


@pytest.mark.parametrize("level", [-1, 65536])
def test_levels_beyond_16_bits_are_refused(level: int) -> None:
    with pytest.raises(ImagesError, match=r"^x\.tif \(levels from .* to .* have no agreed range in 16 bits; save it"):
        decode(encoded(Image.fromarray(np.full((4, 4), level, np.int32)), "TIFF"), "x.tif")


@given(st.integers(0, 2000), st.binary(min_size=1, max_size=40), st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "BMP"]))
def test_damage_anywhere_is_named_or_does_no_harm(place: int, content: bytes, kind: str) -> None:
    data = bytearray(encoded(Image.effect_noise((40, 40), 50), kind))
    start = place % len(data)
    data[start : start + len(content)] = content
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = decode(bytes(data), "damaged")
        except ImagesError as error:
            assert str(error).startswith("damaged (")  # noqa: PT017  (either outcome is right)
        else:
            assert image.mode == "RGB"


def test_a_format_that_starts_a_program_is_no_image(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr("subprocess.Popen", lambda *arguments, **_: started.append(arguments))
    monkeypatch.setattr("subprocess.check_call", lambda *arguments, **_: started.append(arguments))
    file = io.BytesIO()
    Image.new("RGB", SIZE).save(file, "EPS")
    with pytest.raises(ImagesError, match=r"^picture\.png \(not an image\)$"):
        decode(file.getvalue(), "picture.png")
    assert not started
