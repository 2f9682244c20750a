"""The recipe of CONTRIBUTING.md: a provider of classifiers and one of images, added from outside the package."""

import io
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from tests.cli.calling import call
from zooscope.addresses import write_address
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.load import load_classifier
from zooscope.classifiers.providers import registry as classifiers
from zooscope.classifiers.selection import classifier_addresses
from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.images.image_set import ImageSet
from zooscope.images.load import load_images
from zooscope.images.pixel_transform import PixelTransform
from zooscope.images.providers import registry as images
from zooscope.providers import Provider, Registry

COLOURS = ("red", "green", "blue")


def load_toy_classifier(rest: str, options: Mapping[str, str], *, name: str) -> Classifier:
    """Tells which colour an image has most of."""
    network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()).eval()
    size = int(options.get("size", "8"))
    return Classifier(
        name=name,
        network=network,
        num_classes=len(COLOURS),
        transform=PixelTransform(height=size, width=size),
        address=write_address("toy", rest, options),
    )


def load_toy_images(rest: str, options: Mapping[str, str], *, classes: tuple[str, ...] | None) -> ImageSet:
    """As many grey images with a tinge of each colour as the address says."""
    count = int(rest)
    ids = tuple(f"{colour}-{number}" for number in range(count) for colour in COLOURS)

    def read(name: str) -> bytes:
        colour, _, number = name.partition("-")
        levels = np.full((8, 8, 3), 100 + int(number), dtype=np.uint8)
        levels[..., COLOURS.index(colour)] += 2
        file = io.BytesIO()
        Image.fromarray(levels).save(file, "PNG")
        return file.getvalue()

    return ImageSet(
        address=write_address("toy", rest, options),
        ids=ids,
        labels=np.tile(np.arange(3), count),
        class_names=classes or COLOURS,
        read=read,
    )


TOY = Provider(
    name="toy",
    form="toy:COLOURS",
    module=SimpleNamespace(OPTIONS=("size",), load=load_toy_classifier, list_names=lambda: ("colours", "tinges")),
    lists_names=True,
)
TOY_IMAGES = Provider(name="toy", form="toy:COUNT", module=SimpleNamespace(OPTIONS=(), load=load_toy_images))


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both providers, for one test."""
    for registry, provider in ((classifiers, TOY), (images, TOY_IMAGES)):
        monkeypatch.setattr(registry, "PROVIDERS", Registry("toy", registry.GROUP, registry.PROVIDERS._known.values()))  # noqa: SLF001  (a copy, so that other tests don't see the toys)
        registry.register_provider(provider)


@pytest.mark.usefixtures("added")
def test_its_addresses_load() -> None:
    classifier = load_classifier("toy:colours?size=4&group=toys")
    assert (classifier.name, classifier.address) == ("toy:colours", "toy:colours?size=4&group=toys")
    found = load_images("toy:5")
    assert len(found) == 15
    assert (classifier.logits(found.pixels(classifier)).argmax(1).numpy() == found.labels).all()


@pytest.mark.usefixtures("added")
def test_patterns_stand_for_its_names() -> None:
    assert classifier_addresses(["toy:*?group=toys"]) == ("toy:colours?group=toys", "toy:tinges?group=toys")


@pytest.mark.usefixtures("added")
def test_it_is_used_on_the_command_line(tmp_path: Path) -> None:
    words = ["--classifiers", "toy:colours", "toy:tinges?size=4", "--images", "toy:4", "--epsilon", "8/255"]
    assert call("measure", str(tmp_path / "study"), *words).exit_code == 0
    shown = call("show", str(tmp_path / "study"))
    assert shown.exit_code == 0
    assert "colours and tinges" in shown.stdout


@pytest.mark.usefixtures("added")
def test_an_option_that_it_does_not_take_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown option 'size'.*toy: takes bits"):
        load_images("toy:5?size=3")


@pytest.mark.usefixtures("added")
def test_a_name_can_be_taken_once() -> None:
    with pytest.raises(InvalidValueError, match="there is a toy provider toy already; choose another name"):
        classifiers.register_provider(TOY)


def test_a_name_must_stand_before_a_colon() -> None:
    with pytest.raises(InvalidValueError, match="must be a word of letters, digits and _: got 'a:b'"):
        images.register_provider(Provider(name="a:b", form="a:b:", module=None))


def test_an_installed_package_adds_one_by_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "toy = zooscope_toy:TOY\nbroken = zooscope_toy:SOMETHING\n", monkeypatch)
    registry = Registry("classifier", "zooscope.classifiers", [])
    assert registry.names == ("broken", "toy")
    assert registry.find("toy", "").form == "toy:NAME"
    with pytest.raises(
        InvalidValueError,
        match=r"entry point broken of zooscope\.classifiers \(.*SOMETHING\) must lead to a Provider called broken",
    ):
        registry.find("broken", "")
    with pytest.raises(UnknownNameError, match=r"unknown classifier provider 'toi'\. Did you mean toy\? Install it\."):
        registry.find("toi", "Install it.")


def install(folder: Path, entry_points: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What pip leaves of a package with entry points."""
    facts = folder / "zooscope_toy-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: zooscope-toy\nVersion: 1.0\n", encoding="utf-8")
    (facts / "entry_points.txt").write_text(f"[zooscope.classifiers]\n{entry_points}", encoding="utf-8")
    (folder / "zooscope_toy.py").write_text(
        "from zooscope.providers import Provider\nTOY = Provider(name='toy', form='toy:NAME', module='json')\nSOMETHING = 3\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(folder)
