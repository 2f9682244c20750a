"""From an image to a classifier's pixels: exactly what timm evaluates with."""

import subprocess
import sys
from math import floor
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from timm.data import create_transform
from torch import nn

from zooscope import Classifier, PixelTransform, load_images
from zooscope.errors import InvalidValueError
from zooscope.images.make_pixels import MOST_PIXELS, make_pixels
from zooscope.images.pixel_transform import find_crop_fraction

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CASES: list[dict[str, Any]] = [
    {"height": 32, "width": 32, "interpolation": "bilinear"},
    {"height": 24, "width": 24, "interpolation": "bicubic", "crop_fraction": 0.875},
    {"height": 64, "width": 64, "interpolation": "lanczos", "crop_fraction": 0.95},
    {"height": 30, "width": 40, "interpolation": "bicubic", "crop_fraction": 0.9},
    {"height": 28, "width": 28, "interpolation": "nearest", "crop_fraction": 0.9, "crop_mode": "squash"},
    {"height": 48, "width": 48, "interpolation": "bicubic", "crop_fraction": 0.9, "crop_mode": "border"},
]
DOWN: list[dict[str, Any]] = [{**CASES[1], "crop_mode": "center_down"}, {**CASES[4], "crop_mode": "squash_down"}]


def photographs() -> list[Image.Image]:
    """Bundled images at several sizes and shapes."""
    images, sizes = load_images("bundled:cifar10").sample(5), [(32, 32), (57, 41), (33, 90), (100, 100), (20, 20)]
    return [images.image(position).resize(size, Image.Resampling.BICUBIC) for position, size in enumerate(sizes)]


@pytest.mark.parametrize("settings", CASES, ids=lambda settings: str(PixelTransform(**settings)))
def test_normalised_pixels_are_those_of_timm(settings: dict[str, Any]) -> None:
    transform = PixelTransform(**settings)
    timm_transform = create_transform(
        input_size=(3, *transform.size),
        is_training=False,
        interpolation=transform.interpolation,
        crop_pct=transform.crop_fraction,
        crop_mode=transform.crop_mode,
        mean=MEAN,
        std=STD,
    )
    height, width = transform.size
    network = nn.Flatten().eval()  # its logits are what the classifier shows to its network
    classifier = Classifier(name="any", network=network, num_classes=3 * height * width, transform=transform, mean=MEAN, std=STD)
    for image in photographs():
        shown = classifier.logits(make_pixels(transform, image).unsqueeze(0)).view(3, height, width)
        torch.testing.assert_close(shown, timm_transform(image), atol=1e-5, rtol=0)


@pytest.mark.parametrize("settings", [*CASES, *DOWN], ids=lambda settings: str(PixelTransform(**settings)))
def test_pixels_have_the_asked_size_and_lie_in_zero_to_one(settings: dict[str, Any]) -> None:
    transform = PixelTransform(**settings)
    for image in photographs():
        pixels = make_pixels(transform, image)
        assert pixels.dtype == torch.float32
        assert pixels.shape == (3, *transform.size)
        assert 0 <= pixels.min() <= pixels.max() <= 1


def test_an_image_of_the_right_size_is_left_as_it_is() -> None:
    image = photographs()[0]
    expected = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255
    torch.testing.assert_close(
        make_pixels(PixelTransform(height=32, width=32, interpolation="bicubic"), image), expected, atol=0, rtol=0
    )


def test_equal_transforms_have_equal_texts_and_different_ones_different() -> None:
    texts = {str(PixelTransform(**settings)) for settings in CASES}
    assert len(texts) == len(CASES)
    assert str(PixelTransform(**CASES[1])) == str(PixelTransform(**CASES[1]))


@pytest.mark.parametrize("mode", ["center", "squash"])
@pytest.mark.parametrize("margin", [0, 1, 2, 3, 4, 5])
def test_half_of_an_odd_margin_is_rounded_to_even_as_timm_does_or_down(mode: str, margin: int) -> None:
    generator, side = np.random.default_rng(0), 40 + margin
    image = Image.fromarray(generator.integers(0, 256, (side, side, 3), dtype=np.uint8))
    levels = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255
    for name, begin in ((mode, round(margin / 2)), (f"{mode}_down", margin // 2)):  # Python rounds a half to even
        transform = PixelTransform(height=40, width=40, crop_fraction=find_crop_fraction(40, side), crop_mode=name)
        pixels = make_pixels(transform, image)
        torch.testing.assert_close(pixels, levels[:, begin : begin + 40, begin : begin + 40], atol=0, rtol=0)


def test_the_middle_of_a_squashed_image_is_found_without_timm() -> None:
    image = photographs()[3].resize((27, 25))
    transform = PixelTransform(height=20, width=20, crop_fraction=find_crop_fraction(20, 23), crop_mode="squash_down")
    pixels = make_pixels(transform, image)
    resized = torch.from_numpy(np.asarray(image.resize((23, 23), Image.Resampling.BICUBIC)).copy()).permute(2, 0, 1)
    torch.testing.assert_close(pixels, resized[:, 1:21, 1:21].float() / 255, atol=0, rtol=0)


@given(st.integers(1, 3000), st.integers(0, 3000))
def test_the_fraction_kept_leads_timm_to_the_resized_side_and_to_no_other(size: int, margin: int) -> None:
    fraction = find_crop_fraction(size, size + margin)
    assert 0 < fraction <= 1
    assert floor(size / fraction) == size + margin
    assert fraction == pytest.approx(size / (size + margin))


def test_more_than_there_is_can_not_be_kept() -> None:
    with pytest.raises(InvalidValueError, match=r"a crop of 256 pixels can't be taken out of 224; make it smaller"):
        find_crop_fraction(256, 224)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"height": 0, "width": 8}, r"height and width must be positive: got 0 and 8"),
        ({"height": 8, "width": -8}, r"height and width must be positive: got 8 and -8"),
        ({"height": 8, "width": 8, "crop_fraction": 0.0}, r"crop_fraction must be in \(0, 1\]: got 0\.0"),
        ({"height": 8, "width": 8, "crop_fraction": 87.5}, r"crop_fraction must be in \(0, 1\]: got 87\.5"),
        ({"height": 8, "width": 8, "interpolation": "cubic"}, r"interpolation must be one of nearest, .*: got 'cubic'"),
        (
            {"height": 8, "width": 8, "crop_mode": "middle"},
            r"crop_mode must be one of center, border, squash, center_down, squash_down: got 'middle'",
        ),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        PixelTransform(**settings)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[3]",
        '{"height": 3}',
        '{"height": 3, "width": "x", "interpolation": "bicubic", "crop_fraction": 1, "crop_mode": "center"}',
    ],
)
def test_a_text_that_is_no_transform_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="is no transform of pixels; it must be a JSON object with height, width"):
        PixelTransform.parse(text)


def test_a_transform_is_read_without_torch() -> None:
    program = "import sys, zooscope.images.pixel_transform; sys.exit(any(name in sys.modules for name in ('torch', 'timm')))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# Lines


@pytest.mark.parametrize("settings", [*CASES, *DOWN], ids=lambda settings: str(PixelTransform(**settings)))
@pytest.mark.parametrize("size", [(1, 20_000), (20_000, 1), (2, 9_000)])
def test_a_line_never_becomes_an_image_of_hundreds_of_megapixels(
    settings: dict[str, Any], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    resize = Image.Image.resize

    def watch(image: Image.Image, size: tuple[int, int], *arguments: Any, **options: Any) -> Image.Image:  # noqa: ANN401
        made.append(size[0] * size[1])
        return resize(image, size, *arguments, **options)

    monkeypatch.setattr(Image.Image, "resize", watch)
    pixels = make_pixels(PixelTransform(**settings), Image.new("RGB", size, (255, 0, 51)))
    assert max(made) <= MOST_PIXELS
    assert pixels.shape == (3, settings["height"], settings["width"])
    centre = pixels[:, settings["height"] // 2, settings["width"] // 2]
    torch.testing.assert_close(centre, torch.tensor([1.0, 0.0, 0.2]) if settings.get("crop_mode") != "border" else centre)


@pytest.mark.parametrize("settings", [*CASES[:4], DOWN[0]], ids=lambda settings: str(PixelTransform(**settings)))
def test_the_centre_alone_is_the_centre_of_the_whole(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    transform = PixelTransform(**settings)
    for image in photographs():
        whole = make_pixels(transform, image)
        monkeypatch.setattr("zooscope.images.make_pixels.MOST_PIXELS", 0)
        torch.testing.assert_close(make_pixels(transform, image), whole, atol=2.5 / 255, rtol=0)
        monkeypatch.undo()
