"""Pixels made ahead are those made when they are asked for."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests.images.encoded import encoded
from tests.photographs import photographs
from tests.specimens import as_is, classifier_of, images_of, noise
from zooscope import ImageSet
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import ImagesError
from zooscope.images.ahead import Ahead
from zooscope.images.make_pixels import make_pixels
from zooscope.images.pixel_transform import PixelTransform

SHARDS = tuple(range(start, start + 3) for start in range(0, 12, 3))


def classifier(size: int = 8, interpolation: str = "nearest") -> Classifier:
    transform = PixelTransform(height=size, width=size, interpolation=interpolation)
    return replace(classifier_of("any", nn.Identity(), num_classes=2, size=(8, 8)), transform=transform)


@pytest.fixture
def images() -> ImageSet:
    """Twelve images, four shards."""
    return images_of(noise(12, (8, 8)), [0, 1] * 6)


class Spied:
    """Images that tell which were read, and can be held back."""

    def __init__(self, images: ImageSet) -> None:
        self.places: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self._read = images.read
        self.images = replace(images, read=self)

    def __call__(self, name: str) -> bytes:
        self.gate.wait()
        self.places.append(self.images.ids.index(name))
        return self._read(name)

    def settled(self, count: int) -> list[int]:
        """What was read, once it is that many; and a little later still no more."""
        wait_until(lambda: len(self.places) >= count)
        time.sleep(0.05)
        return sorted(self.places)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it didn't come true within a minute"
        time.sleep(0.002)


def test_the_pixels_are_those_of_the_image_set() -> None:
    files = {f"{place}.png": encoded(image, "PNG") for place, image in enumerate(photographs())}
    labels = np.zeros(len(files), np.int64)
    images = ImageSet(address="by hand", ids=tuple(files), labels=labels, class_names=("any",), read=files.__getitem__)
    classifiers = [classifier(48, "bicubic"), classifier(48, "bilinear"), classifier(64, "bicubic")]
    shards = (range(2), range(2, 5))
    plan = [(each, shard) for shard in range(2) for each in (*classifiers, *classifiers)]
    with Ahead(images, shards, plan, threads=4) as ahead:
        for each, shard in plan:
            made = ahead.of(each, shard)
            expected = torch.stack([make_pixels(each.transform, images.image(place)) for place in shards[shard]])
            assert torch.equal(made, expected)
            assert torch.equal(made, images.pixels(each, shards[shard]))


def test_what_comes_next_is_made_before_it_is_asked_for_but_no_further_than_the_next_shard(images: ImageSet) -> None:
    spied, each = Spied(images), classifier()
    with Ahead(spied.images, SHARDS, [(each, shard) for shard in range(4)], threads=2) as ahead:
        assert spied.settled(6) == [0, 1, 2, 3, 4, 5]
        ahead.of(each, 0)
        assert spied.settled(6) == [0, 1, 2, 3, 4, 5]
        ahead.of(each, 1)
        assert spied.settled(9) == list(range(9))


def test_two_requests_at_most_are_made_ahead(images: ImageSet) -> None:
    spied, classifiers = Spied(images), [classifier(size) for size in (4, 5, 6, 7, 8)]
    with Ahead(spied.images, SHARDS, [(each, 0) for each in classifiers], threads=2) as ahead:
        assert spied.settled(6) == sorted([0, 1, 2] * 2)
        ahead.of(classifiers[0], 0)
        assert spied.settled(9) == sorted([0, 1, 2] * 3)


def test_pixels_are_made_once_for_all_that_take_the_same(images: ImageSet) -> None:
    spied = Spied(images)
    plan = [(each, shard) for shard in range(4) for each in (classifier(), classifier(4), classifier())]
    with Ahead(spied.images, SHARDS, plan, threads=2) as ahead:
        made = [ahead.of(each, shard) for each, shard in plan]
    assert made[0] is made[2]
    assert sorted(spied.places) == sorted(list(range(12)) * 2)


def test_the_plan_may_name_transforms(images: ImageSet) -> None:
    with Ahead(images, SHARDS, [(as_is(8, 8), 1)]) as ahead:
        assert torch.equal(ahead.of(classifier(), 1), images.pixels(classifier(), SHARDS[1]))


def test_what_was_not_planned_is_made_when_it_is_asked_for(images: ImageSet) -> None:
    spied, each, other = Spied(images), classifier(), classifier(4)
    with Ahead(spied.images, SHARDS, [(each, shard) for shard in range(4)], threads=2) as ahead:
        for asked, shard in [(other, 0), (each, 3), (other, 3), (each, 1)]:
            assert torch.equal(ahead.of(asked, shard), images.pixels(asked, SHARDS[shard]))
    with Ahead(images, SHARDS, []) as ahead:
        assert torch.equal(ahead.of(each, 2), images.pixels(each, SHARDS[2]))


def test_a_damaged_image_is_an_error_where_its_pixels_are_asked_for(images: ImageSet) -> None:
    damaged = replace(images, read=lambda name: b"" if name in {images.ids[4], images.ids[5]} else images.read(name))
    each = classifier()
    with Ahead(damaged, SHARDS, [(each, shard) for shard in range(4)], threads=2) as ahead:
        ahead.of(each, 0)
        for _ in range(2):
            with pytest.raises(ImagesError, match=r"^0004\.png \(empty file\)$"):
                ahead.of(each, 1)
        ahead.of(each, 2)


def test_leaving_in_the_middle_stops_the_threads_and_leaves_the_rest_unread(
    images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    spied, each = Spied(images), classifier()
    spied.gate.clear()

    class Pool(ThreadPoolExecutor):
        """Lets the images go that are being read once the others are cancelled."""

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  (as the original)
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            spied.gate.set()
            super().shutdown(wait=wait)

    monkeypatch.setattr("zooscope.images.ahead.ThreadPoolExecutor", Pool)
    others = set(threading.enumerate())
    ahead = Ahead(spied.images, SHARDS, [(each, shard) for shard in range(4)], threads=2)
    wait_until(lambda: len(set(threading.enumerate()) - others) == 2)
    with pytest.raises(KeyboardInterrupt), ahead:
        raise KeyboardInterrupt
    assert set(threading.enumerate()) <= others
    assert len(spied.places) <= 4


def test_a_shard_that_is_over_is_let_go(images: ImageSet) -> None:
    each = classifier()
    with Ahead(images, SHARDS, [(each, shard) for shard in range(4)]) as ahead:
        first = ahead.of(each, 0)
        ahead.of(each, 1)
        assert ahead.of(each, 0) is not first


def test_pixels_are_made_for_a_caller_in_inference_mode_too(images: ImageSet) -> None:
    expected = images.pixels(classifier(), SHARDS[0])
    with torch.inference_mode(), Ahead(images, SHARDS, [(classifier(), 0)], threads=2) as ahead:
        assert torch.equal(ahead.of(classifier(), 0), expected)
        assert torch.equal(images.pixels(classifier(), SHARDS[0]), expected)
