"""Labelled images: sampling, reading, identity."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.specimens import classifier_of, images_of, noise
from zooscope import ImageSet, Study, load_classifier, load_images
from zooscope.errors import ImagesError, InvalidValueError

CLASS_SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=8)


def with_labels(*class_sizes: int, seed: int = 0) -> ImageSet:
    """Images that can't be read, in a random order."""
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(class_sizes)), class_sizes))
    names = tuple(f"{position}.png" for position in range(len(labels)))
    classes = tuple(f"class {number}" for number in range(len(class_sizes)))

    def read(name: str) -> bytes:
        pytest.fail(f"{name} was read")

    return ImageSet(address="made by hand", ids=names, labels=labels, class_names=classes, read=read)


def deviations(images: ImageSet) -> np.ndarray:
    """How far, after 0, 1, 2, ... images, the number seen of every class is from its share of the whole set."""
    one_hot = np.eye(len(images.class_names))[images.labels]
    return np.vstack([np.zeros(one_hot.shape[1]), np.cumsum(one_hot - one_hot.mean(0), axis=0)])


# Samples


@given(class_sizes=CLASS_SIZES, seed=st.integers(0, 1000))
def test_every_sample_holds_each_class_to_within_one_image_of_its_share(class_sizes: list[int], seed: int) -> None:
    everything = with_labels(*class_sizes)
    sample = everything.sample(len(everything), seed=seed)
    assert sorted(sample.ids) == sorted(everything.ids)
    assert np.abs(deviations(sample)).max() < 1


@given(class_sizes=CLASS_SIZES, seed=st.integers(0, 1000))
def test_every_run_of_images_holds_each_class_to_within_two_images_of_its_share(class_sizes: list[int], seed: int) -> None:
    everything = with_labels(*class_sizes)
    so_far = deviations(everything.sample(len(everything), seed=seed))
    assert (so_far.max(0) - so_far.min(0)).max() < 2


def test_shards_of_equally_frequent_classes_are_exactly_balanced() -> None:
    labels = with_labels(*[20] * 5).sample(100, seed=1).labels.reshape(10, 10)
    assert all((np.bincount(shard) == 2).all() for shard in labels)


@given(class_sizes=CLASS_SIZES, share=st.floats(0.01, 1))
def test_a_smaller_sample_is_the_beginning_of_a_larger_one(class_sizes: list[int], share: float) -> None:
    everything = with_labels(*class_sizes)
    count = max(1, int(share * len(everything)))
    assert everything.sample(count, seed=3).ids == everything.sample(len(everything), seed=3).ids[:count]


def test_labels_go_with_their_images() -> None:
    everything = with_labels(7, 5, 9)
    label_of = dict(zip(everything.ids, everything.labels, strict=True))
    sample = everything.sample(12, seed=2)
    np.testing.assert_array_equal(sample.labels, [label_of[name] for name in sample.ids])


def test_the_seed_decides_the_sample() -> None:
    everything = with_labels(30, 30)
    assert everything.sample(20, seed=1).ids == everything.sample(20, seed=1).ids
    assert set(everything.sample(20, seed=1).ids) != set(everything.sample(20, seed=2).ids)


def test_every_image_is_sampled_equally_often() -> None:
    everything = with_labels(*[10] * 4)
    times = dict.fromkeys(everything.ids, 0)
    for seed in range(400):
        for name in everything.sample(10, seed=seed).ids:
            times[name] += 1
    # Binomial with 400 draws of chance 1/4: deviation 8.7, and 40 images; 4.5 deviations have a chance of 3 in 10,000.
    assert max(abs(count - 100) for count in times.values()) < 39


@pytest.mark.parametrize("count", [-1, 0, 13])
def test_a_sample_of_an_impossible_size_is_refused(count: int) -> None:
    with pytest.raises(InvalidValueError, match=rf"must have between 1 and 12 images: got {count}"):
        with_labels(5, 7).sample(count)


def test_sampling_reads_nothing_and_pixels_read_only_what_they_show(image_folder: Path) -> None:
    images, read = load_images(f"folder:{image_folder}"), list[str]()

    def spy(name: str) -> bytes:
        read.append(name)
        return images.read(name)

    sample = replace(images, read=spy).sample(6)
    assert not read
    sample.pixels(classifier_of("any", nn.Identity(), num_classes=3, size=(8, 8)), [4, 1])
    assert sorted(read) == sorted([sample.ids[4], sample.ids[1]])


# Pixels


def test_pixels_are_the_levels_divided_by_255() -> None:
    levels = noise(5, (6, 7))
    pixels = images_of(levels, [0] * 5).pixels(classifier_of("any", nn.Identity(), num_classes=2, size=(6, 7)))
    assert pixels.dtype == torch.float32
    np.testing.assert_array_equal(pixels.numpy(), levels.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255))


# Identity


def changed_content(images: ImageSet) -> ImageSet:
    levels = noise(4, (4, 4))
    levels[2, 1, 3, 0] ^= 1
    return replace(images, read=images_of(levels, images.labels).read)


CHANGES: dict[str, Callable[[ImageSet], ImageSet]] = {
    "one level of one pixel": changed_content,
    "one label": lambda images: replace(images, labels=np.array([0, 1, 1, 1])),
    "the order": lambda images: images.take([1, 0, 2, 3]),
    "one id": lambda images: replace(
        images, ids=("a", *images.ids[1:]), read=lambda name: images.read(name.replace("a", images.ids[0]))
    ),
    "one image less": lambda images: images.take([0, 1, 2]),
    "one class's name": lambda images: replace(images, class_names=("class 0", "other")),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_digest_changes_with(change: Callable[[ImageSet], ImageSet]) -> None:
    images = images_of(noise(4, (4, 4)), [0, 1, 0, 1])
    assert change(images).digest != images.digest


def test_the_digest_is_the_same_wherever_the_images_lie(image_folder: Path, tmp_path: Path) -> None:
    digest = load_images(f"folder:{image_folder}").digest
    moved = image_folder.rename(tmp_path / "moved")
    assert load_images(f"folder:{moved}").digest == digest


# Damage


@pytest.fixture
def damaged_folder(image_folder: Path) -> Path:
    """Three of twelve images are damaged."""
    whole = image_folder / "cat" / "0.png"
    (image_folder / "cat" / "1.png").write_bytes(whole.read_bytes()[:100])
    (image_folder / "dog" / "2.png").write_bytes(b"")
    (image_folder / "fish" / "3.png").write_text("no image")
    return image_folder


def test_damaged_images_are_counted_and_named(damaged_folder: Path) -> None:
    names = r"cat/1\.png \(.*\), dog/2\.png \(empty file\), fish/3\.png \(not an image\)"
    with pytest.raises(ImagesError, match=rf"^3 of 12 images in folder:.* can't be read: {names}\. Remove or replace them"):
        _ = load_images(f"folder:{damaged_folder}").digest


def test_of_many_damaged_images_five_are_named(image_folder: Path) -> None:
    for file in image_folder.rglob("*.png"):
        file.write_bytes(b"")
    with pytest.raises(ImagesError, match=r"^12 of 12 images .* dog/0\.png \(empty file\) and 7 more\. Remove"):
        _ = load_images(f"folder:{image_folder}").digest


def test_a_study_of_damaged_images_is_refused_before_it_starts(damaged_folder: Path, tmp_path: Path) -> None:
    classifier = classifier_of("any", nn.Flatten(), num_classes=3, size=(8, 8))
    with pytest.raises(ImagesError, match="3 of 12 images"):
        Study.create(tmp_path / "study", classifiers=[classifier], images=load_images(f"folder:{damaged_folder}"))
    assert not (tmp_path / "study").exists()


# What is no set


def made(ids: tuple[str, ...], labels: list[int]) -> ImageSet:
    return ImageSet(
        address="made by hand", ids=ids, labels=np.array(labels, dtype=np.int64), class_names=("cat", "dog"), read=lambda _: b""
    )


def test_a_label_is_needed_for_every_image() -> None:
    with pytest.raises(ImagesError, match="2 ids for 1 labels; give one label per image"):
        made(("a", "b"), [0])


def test_a_set_has_an_image() -> None:
    with pytest.raises(ImagesError, match="made by hand holds no image; name a set with at least one"):
        made((), [])


def test_ids_are_unique() -> None:
    with pytest.raises(ImagesError, match="two images are called b; ids must be unique"):
        made(("a", "b", "b"), [0, 0, 1])


@pytest.mark.parametrize("label", [-1, 2])
def test_labels_are_indices_of_classes(label: int) -> None:
    with pytest.raises(ImagesError, match=r"labels must lie in 0 to 1: got -?\d to \d"):
        made(("a", "b"), [label, 1])


def test_a_set_tells_what_it_is() -> None:
    assert repr(with_labels(2, 3)) == "ImageSet('made by hand', 5 images, 2 classes)"


def test_pixels_are_float32_whatever_the_default_is_and_made_in_inference_mode_too() -> None:
    images, classifier = load_images("bundled:cifar10").sample(4), load_classifier("bundled:vit")
    expected = images.pixels(classifier)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.inference_mode():
            pixels = images.pixels(classifier)
    finally:
        torch.set_default_dtype(torch.float32)
    assert pixels.dtype == torch.float32
    torch.testing.assert_close(pixels, expected, rtol=0, atol=0)


def test_ids_that_speak_to_a_terminal_are_refused() -> None:
    with pytest.raises(ImagesError, match=r"the image 'a\\x1b\[2J' has a control character in its name; rename it"):
        ImageSet(address="by hand", ids=("a\x1b[2J",), labels=np.array([0]), class_names=("a",), read=lambda _: b"")


def test_rows_of_tables_are_stored_by_number_and_files_by_name() -> None:
    ids = ("b.parquet#2", "a.parquet#10", "a.parquet#9", "c#d.png", "a.png")
    images = ImageSet(address="by hand", ids=ids, labels=np.zeros(5, dtype=np.int64), class_names=("a",), read=lambda _: b"")
    assert [ids[place] for place in images.as_stored(range(5))] == [
        "a.parquet#9",
        "a.parquet#10",
        "a.png",
        "b.parquet#2",
        "c#d.png",
    ]
