"""What timm's networks are shown is what timm's own evaluation would show them: the paper's 69, and every other setting.

With ZOOSCOPE_IMAGENET (a folder of images, one subfolder per class) photographs are used, else generated images.
"""

import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from timm.data import IMAGENET_DEFAULT_MEAN, create_transform, resolve_data_config
from torch import nn

from zooscope.classifiers.providers import paper
from zooscope.classifiers.providers.gluon_xception65 import SETTINGS
from zooscope.classifiers.providers.timm import make_classifier
from zooscope.images.make_pixels import make_pixels
from zooscope.images.pixel_transform import DOWN

SIZES = ((500, 375), (352, 613), (97, 101), (224, 224), (1000, 251))
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos", "hamming", "box")
Settings = dict[str, Any]


class Shown(nn.Flatten):
    """A network as timm leaves it, with the settings of some weights; its logits are what it is shown."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.pretrained_cfg, self.num_classes = settings, int(np.prod(settings["input_size"]))


def settings_of_the_paper() -> dict[str, Settings]:
    """What timm says, or said, of the weights of the 69, each different way once, under the names of the networks that share it."""
    shared, texts = defaultdict[str, list[str]](list), dict[str, Settings]()
    for entry in paper.read_entries():
        facts = timm.get_pretrained_cfg(entry.timm) if entry.timm else None
        settings = dict(SETTINGS) if facts is None else facts.to_dict()
        key = str(sorted((name, str(value)) for name, value in resolve_data_config(pretrained_cfg=settings).items()))
        shared[key].append(entry.name)
        texts[key] = settings
    return {f"{names[0]} and {len(names) - 1} more": texts[key] for key, names in shared.items()}


def photographs() -> list[Image.Image]:
    """Eight photographs of ImageNet where they are at hand, else waves and noise at odd sizes."""
    folder = os.environ.get("ZOOSCOPE_IMAGENET")
    if folder:
        files = sorted(Path(folder).glob("*/*.JPEG"))
        return [Image.open(file).convert("RGB") for file in files[:: max(1, len(files) // 8)][:8]]
    return [drawn(width, height) for width, height in SIZES]


def drawn(width: int, height: int) -> Image.Image:
    """Waves that get finer from left to right, and noise."""
    row, column = np.mgrid[:height, :width]
    waves = np.stack([np.sin(column**1.5 / step + row / (3 * step)) for step in (40, 90, 200)], axis=-1)
    spread = np.random.default_rng(width).normal(0, 0.3, waves.shape)
    return Image.fromarray(np.clip(127.5 + 80 * (waves + spread), 0, 255).astype(np.uint8))


def same_as_timm(settings: Settings, images: list[Image.Image]) -> None:
    """Compares what a network with these settings is shown, in normalised units, with timm's own transform."""
    config = resolve_data_config(pretrained_cfg=settings)
    expected = create_transform(**config, is_training=False)
    classifier = make_classifier(Shown(settings).eval(), {}, name="any", address="timm:any", asked="any")
    for image in images:
        shown = classifier.logits(make_pixels(classifier.transform, image).unsqueeze(0)).view(*config["input_size"])
        torch.testing.assert_close(shown, expected(image), atol=2e-6, rtol=1e-6)


@pytest.mark.parametrize("settings", [pytest.param(settings, id=names) for names, settings in settings_of_the_paper().items()])
def test_networks_of_the_paper_are_shown_what_timm_shows_them(settings: Settings) -> None:
    same_as_timm(settings, photographs())


@pytest.mark.parametrize("size", [(48, 48), (40, 64), (61, 37)])
@pytest.mark.parametrize("crop_mode", ["center", "squash", "border"])
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_every_interpolation_and_crop_is_that_of_timm(interpolation: str, crop_mode: str, size: tuple[int, int]) -> None:
    mean = IMAGENET_DEFAULT_MEAN if crop_mode == "border" else (0.5, 0.45, 0.4)
    settings = {"input_size": (3, *size), "interpolation": interpolation, "crop_mode": crop_mode, "architecture": "any"}
    for crop_fraction in (1.0, 0.875):
        more = {"crop_pct": crop_fraction, "mean": mean, "std": (0.2, 0.25, 0.3)}
        same_as_timm(settings | more, [drawn(*shape) for shape in SIZES[1:4]])


@pytest.mark.xfail(strict=True, reason="PixelTransform fills borders with ImageNet's mean, timm with that of the network")
def test_borders_are_filled_with_the_mean_of_the_network() -> None:
    settings = {"input_size": (3, 48, 48), "crop_mode": "border", "mean": (0.5, 0.5, 0.5), "architecture": "any"}
    same_as_timm(settings, [drawn(97, 61)])


def test_all_69_are_covered_by_the_settings_compared() -> None:
    assert sum(1 + int(names.split(" ")[2]) for names in settings_of_the_paper()) == 69
    assert DOWN not in {settings.get("crop_mode", "center") for settings in settings_of_the_paper().values()}
