"""The pixels that an image processor of transformers makes, made without it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from tests.photographs import photographs
from zooscope.classifiers.providers.image_processor import Preprocessing, read_preprocessing
from zooscope.errors import ClassifierError

SQUARE = {"height": 224, "width": 224}
# Processor, settings that differ from the library's own, and the families of image classifiers that use it.
CASES: list[tuple[str, dict[str, Any]]] = [
    ("ViT", {}),  # also Swin, SwinV2, DiNAT, I-JEPA, SwiftFormer, ViT-MSN
    ("DeiT", {}),
    ("DeiT", {"size": {"height": 259, "width": 259}}),
    ("Beit", {}),  # also Data2Vec
    ("Beit", {"size": {"height": 256, "width": 256}, "do_center_crop": True}),
    ("ConvNext", {}),  # also ConvNeXt V2, ResNet, RegNet, CvT
    ("ConvNext", {"size": {"shortest_edge": 224}}),
    ("ConvNext", {"size": {"shortest_edge": 288}, "crop_pct": 0.95}),
    ("MobileNetV1", {}),
    ("MobileNetV2", {"size": {"shortest_edge": 257}}),
    ("EfficientNet", {}),
    ("EfficientNet", {"do_center_crop": True, "rescale_offset": True, "rescale_factor": 1 / 127.5, "include_top": False}),
    ("Levit", {}),
    ("MobileViT", {"size": {"shortest_edge": 288}, "crop_size": {"height": 256, "width": 256}}),  # blue, green, red
    ("Segformer", {}),
    ("CLIP", {}),  # also MetaCLIP 2
    ("Siglip", {}),
    ("Bit", {"size": {"shortest_edge": 256}}),  # also DINOv2, FocalNet, Hiera
    ("Pvt", {}),
    ("PoolFormer", {}),
    ("ViT", {"do_normalize": False}),
    ("ViT", {"do_rescale": False}),
    ("ViT", {"rescale_factor": 1 / 127.5, "image_mean": 1.0, "image_std": 1.0}),
    *(("ViT", {"resample": number}) for number in (0, 1, 3, 4, 5)),
]


def processor(kind: str, settings: dict[str, Any], ending: str = "Pil") -> Any:  # noqa: ANN401  (one of many classes without types)
    return getattr(transformers, f"{kind}ImageProcessor{ending}")(**settings)


def differences(found: Preprocessing, theirs: Callable[..., Any]) -> torch.Tensor:
    """How far each value is from the processor's, in levels of 255, over a wide, a tall and a small photograph."""
    std = torch.tensor(found.std).view(3, 1, 1)
    levels = 255 * (std.flip(0) if found.is_flipped else std)
    return torch.cat(
        [
            ((theirs(images=image, return_tensors="pt")["pixel_values"][0] - found.normalised(image)) * levels).abs().flatten()
            for image in photographs()[:3]
        ]
    )


@pytest.mark.parametrize(("kind", "settings"), CASES, ids=str)
def test_normalised_pixels_are_those_of_the_processor(kind: str, settings: dict[str, Any]) -> None:
    theirs = processor(kind, settings)
    assert differences(read_preprocessing(theirs, name="any"), theirs).max() < 1e-3


@pytest.mark.parametrize(
    ("kind", "settings", "worst"),
    [
        ("ViT", {}, 1),
        ("MobileNetV1", {}, 1),
        ("Segformer", {}, 1),
        ("DeiT", {}, 8),
        ("ConvNext", {"size": {"shortest_edge": 224}}, 8),
    ],
)
def test_what_is_resized_by_torchvision_instead_is_a_few_levels_off(kind: str, settings: dict[str, Any], worst: int) -> None:
    found = read_preprocessing(processor(kind, settings), name="any")
    off = differences(found, processor(kind, settings, ending=""))
    assert off.max() < worst + 0.01
    assert (off > 0.5).float().mean() < 0.1


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("ViT", {"do_resize": False}, r"can't be followed \(do_resize=False leaves every image at its own size\)"),
        (
            "ViT",
            {"size": {"shortest_edge": 224}},
            r"\(size={'shortest_edge': 224} without a crop leaves images of different shapes\)",
        ),
        ("CLIP", {"size": {"shortest_edge": 224, "longest_edge": 300}}, r"\(size=.*'longest_edge': 300.* neither a fixed height"),
        ("MobileViT", {}, r"\(a crop of 256 pixels can't be taken out of 224; make it smaller or resize to more\)"),
        (
            "CLIP",
            {"crop_size": {"height": 224, "width": 160}},
            r"\(crop_size=.* keeps another share of the height than of the width",
        ),
        (
            "DeiT",
            {"crop_size": {"height": 224, "width": 160}},
            r"\(crop_size=.* keeps another share of the height than of the width",
        ),
        ("CLIP", {"crop_size": {"shortest_edge": 224}}, r"\(crop_size={'shortest_edge': 224} has no height and width"),
        ("ViT", {"image_mean": [0.5] * 4, "image_std": [0.5] * 4}, r"\(4 values of image_mean or image_std don't fit"),
        (
            "Donut",
            {"size": {"height": 64, "width": 48}},
            r"DonutImageProcessorPil does more than its settings say: .* \d+x\d+ pixels",
        ),
        ("ImageGPT", {}, r"its image processor can't read an image of \d+x\d+ pixels \(Clusters must be provided"),
    ],
)
def test_a_setting_that_can_not_be_followed_is_refused(kind: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ClassifierError, match=f"mine.*{message}"):
        read_preprocessing(processor(kind, settings), name="mine")


class Shifted(transformers.ViTImageProcessorPil):
    """A processor that does more than its settings say: it leaves out a column."""

    def resize(self, image: np.ndarray, *args: Any, **keywords: Any) -> np.ndarray:  # noqa: ANN401  (as they are handed on)
        smaller: np.ndarray = super().resize(image[..., 1:], *args, **keywords)
        return smaller


def test_a_processor_that_does_more_than_its_settings_say_is_refused() -> None:
    with pytest.raises(ClassifierError, match=r"its image processor Shifted does more than its settings say"):
        read_preprocessing(Shifted(), name="mine")


def test_a_processor_of_timm_is_followed() -> None:
    config = {
        "input_size": (3, 64, 64),
        "mean": (0.5, 0.4, 0.3),
        "std": (0.2, 0.2, 0.3),
        "crop_pct": 0.9,
        "interpolation": "bicubic",
    }
    theirs = transformers.TimmWrapperImageProcessor(pretrained_cfg=config)
    assert differences(read_preprocessing(theirs, name="any"), theirs).max() < 1e-3


def test_half_a_margin_is_rounded_as_the_processor_does() -> None:
    theirs = processor("CLIP", {"size": {"shortest_edge": 40}, "crop_size": {"height": 37, "width": 37}, "do_normalize": False})
    found, generator = read_preprocessing(theirs, name="any"), np.random.default_rng(0)
    image = Image.fromarray(generator.integers(0, 256, (40, 40, 3), dtype=np.uint8))
    levels = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)
    torch.testing.assert_close(found.normalised(image), levels[:, 1:38, 1:38].float() / 255)
