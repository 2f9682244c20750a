"""Images in any form in which Python holds them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset
from torchvision.datasets import ImageFolder
from torchvision.transforms.functional import to_tensor

import zooscope
from tests.specimens import Array
from zooscope import collect_images
from zooscope.errors import ImagesError, InvalidValueError, UnknownNameError

LEVELS: Array = np.random.default_rng(1).integers(0, 256, (6, 5, 4, 3), dtype=np.uint8)
LABELS = [0, 2, 1, 0, 2, 1]


class Photographs(Dataset[Any]):
    """A data set of torch; `change` is applied to each image when it is read."""

    def __init__(self, change: Callable[[Image.Image], object] = lambda image: image) -> None:
        self.change = change

    def __len__(self) -> int:
        return len(LEVELS)

    def __getitem__(self, row: int) -> tuple[object, int]:
        return self.change(Image.fromarray(LEVELS[row])), LABELS[row]


FORMS = {
    "array": (LEVELS, LABELS),
    "channels first": (LEVELS.transpose(0, 3, 1, 2), np.array(LABELS)),
    "tensor": (torch.from_numpy(LEVELS), torch.tensor(LABELS)),
    "floats": ((LEVELS / 255).astype(np.float32), tuple(LABELS)),
    "list of images": ([Image.fromarray(each) for each in LEVELS], [np.int64(label) for label in LABELS]),
    "list of pairs": [(each, label) for each, label in zip(LEVELS, LABELS, strict=True)],
    "data set of PIL's": Photographs(),
    "data set of tensors": Photographs(to_tensor),
    "TensorDataset": TensorDataset(torch.from_numpy(LEVELS.transpose(0, 3, 1, 2)), torch.tensor(LABELS)),
    "subset": Subset(Photographs(), range(6)),
}


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_of_the_same_images_are_the_same_set(form: str) -> None:
    images = collect_images(FORMS[form])
    assert images.labels.tolist() == LABELS
    assert images.class_names == ("0", "1", "2")
    assert ":" not in images.address  # no provider finds it again
    for row, levels in enumerate(LEVELS):
        np.testing.assert_array_equal(np.asarray(images.image(row)), levels)
    assert images.digest == collect_images(FORMS["array"]).digest


def test_arrays_are_copied() -> None:
    levels = LEVELS.copy()
    images = collect_images((levels, LABELS))
    levels[:] = 0
    np.testing.assert_array_equal(np.asarray(images.image(3)), LEVELS[3])


def test_addresses_folders_and_image_sets_are_taken(image_folder: Path) -> None:
    images = collect_images("bundled:cifar10")
    assert collect_images(images) is images
    assert collect_images(image_folder).ids == collect_images(f"folder:{image_folder}").ids
    with pytest.raises(UnknownNameError, match=r"unknown image provider 'bundeld'\. Did you mean bundled"):
        collect_images("bundeld:cifar10")
    with pytest.raises(InvalidValueError, match="bundled:cifar10 has its classes already"):
        collect_images(images, classes=["a", "b"])


def test_classes_are_named_by_the_data_set_or_by_the_user(image_folder: Path) -> None:
    folder = ImageFolder(str(image_folder))
    assert collect_images(folder).class_names == ("cat", "dog", "fish")
    assert collect_images(Subset(folder, [0, 5])).class_names == ("cat", "dog", "fish")
    turned = collect_images(folder, classes=["fish", "dog", "cat"])
    assert turned.labels.tolist() == [2] * 4 + [1] * 4 + [0] * 4
    assert collect_images((LEVELS, LABELS), classes=["a", "b", "c", "d"]).class_names == ("a", "b", "c", "d")
    named = collect_images((LEVELS, ["dog", "cat", "cat", "dog", "dog", "cat"]))
    assert (named.class_names, named.labels.tolist()) == (("cat", "dog"), [1, 0, 0, 1, 1, 0])


def test_classifiers_say_how_many_unnamed_classes_there_are() -> None:
    assert len(collect_images((LEVELS, LABELS), num_classes=10).class_names) == 10
    assert len(collect_images((LEVELS, LABELS), classes=["a", "b", "c"], num_classes=10).class_names) == 3
    assert len(collect_images((LEVELS, LABELS), num_classes=2).class_names) == 3


def test_a_data_set_that_changes_its_images_at_random_is_refused_when_they_differ() -> None:
    generator = np.random.default_rng(0)
    images = collect_images(Photographs(lambda image: image.point(lambda level: level ^ int(generator.integers(256)))))
    with pytest.raises(ImagesError, match="image 2 is another image each time it is read; leave out random changes"):
        images.image(2)


def broken(_: Image.Image) -> object:
    message = "the disk is gone"
    raise OSError(message)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (LEVELS, r"images must be an address such as bundled:cifar10, a pair \(images, labels\), .*: got a value of type ndarray"),
        (None, r"images must be .*: got None"),
        (3, r"images must be .*: got 3"),
        ({"image": 1}, r"images must be .*: got a value of type dict"),
        (DataLoader(Photographs()), r"not its DataLoader, which draws batches; give loader.dataset"),
        ((3, LABELS), r"of a pair \(images, labels\) the first must be an array, a tensor or a list of images: got 3"),
        ((LEVELS, 3), r"of a pair \(images, labels\) the second must be an array, a tensor or a list of labels: got 3"),
        ((np.array(3), [1]), r"the first must be an array, a tensor or a list of images: got a value of type ndarray"),
    ],
)
def test_what_is_no_images_is_refused(given: object, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        collect_images(given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((LEVELS, LABELS[:4]), r"arrays: 6 images for 4 labels; give one label per image"),
        ((LEVELS, np.eye(6)), r"labels must be of shape \(image,\): got \(6, 6\); of one-hot labels give labels.argmax\(1\)"),
        (
            (LEVELS, [0, 1, 2.5, 0, 1, 2]),
            r"arrays, image 2 has the label 2.5; labels must be whole numbers, counted from 0, or class",
        ),
        ((LEVELS, [True, False] * 3), r"arrays, image 0 has the label True; labels must be whole numbers"),
        ((LEVELS, [0, 1, "cat", 0, 1, 2]), r"arrays, image 2 has the label 'cat'"),
        ((LEVELS, [0, 1, -1, 0, 1, 2]), r"arrays, image 2: the label -1 is negative"),
        ((LEVELS * 1.5, LABELS), r"arrays, image 0 has floats from .*, which must be in \[0, 1\]"),
        (([LEVELS[0], "cat"], [0, 1]), r"arrays, image 1 is of type str"),
        (([], []), r"arrays holds no image"),
        ([], r"arrays of list holds no image"),
        ([1, 2], r"arrays of list, image 0 must be a pair of an image and its label: got 1"),
        (Photographs(broken), r"arrays of Photographs, image 0 can't be read \(OSError: the disk is gone\)"),
        (Photographs(lambda image: torch.stack([to_tensor(image)] * 2)), r"image 0 has the shape \(2, 3, 5, 4\)"),
    ],
)
def test_images_and_labels_that_cant_be_used_are_named(given: object, message: str) -> None:
    with pytest.raises(ImagesError, match=message):
        collect_images(given)


def test_pixels_are_those_of_the_files(image_folder: Path) -> None:
    from_files = zooscope.load_images(f"folder:{image_folder}")
    by_hand = collect_images(ImageFolder(str(image_folder)))
    classifier = zooscope.load_classifier("bundled:vit")
    pixels: Tensor = by_hand.pixels(classifier)
    assert torch.equal(pixels, from_files.pixels(classifier))
