"""A measured study of three bundled classifiers and one of another size, and a pack of two of its classifiers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from torch import nn

import zooscope
from zooscope.classifiers.classifier import Classifier
from zooscope.images.pixel_transform import PixelTransform
from zooscope.study.study import Study

LANDMARKS = ("bundled:vit", "small")


def make_small() -> Classifier:
    """A classifier that takes 24 pixels: a bundled one behind a layer that makes them 32."""
    network = nn.Sequential(nn.Upsample((32, 32), mode="bilinear"), zooscope.load_classifier("bundled:resnext_gn").network).eval()
    return Classifier(name="small", network=network, num_classes=10, transform=PixelTransform(height=24, width=24))


@pytest.fixture(scope="session")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """A study with the classifiers that are probed, and those that are landmarks, in `study`; the pack is beside it."""
    folder = tmp_path_factory.mktemp("probed")
    names = ["bundled:resnet", "bundled:vit", "bundled:mixer"]
    images = zooscope.load_images("bundled:cifar10").sample(30, seed=0)
    classifiers = [*names, make_small()]
    with Study.create(
        folder / "study", classifiers=classifiers, images=images, attack="LinfPGD?iterations=3", shard_size=12
    ) as study:
        study.run(device="cpu")
        zooscope.probe.make(study, folder / "pack.zoo", landmarks=LANDMARKS, device="cpu")
        yield study


@pytest.fixture(scope="session")
def pack_file(probed: Study) -> Path:
    """The pack."""
    assert probed.path is not None
    return probed.path.with_name("pack.zoo")
