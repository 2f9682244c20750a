"""Image sets by address."""

from pathlib import Path

import numpy as np
import pytest

from zooscope import load_images
from zooscope.errors import MissingFileError, UnknownNameError


def test_an_unknown_source_suggests_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown image source 'foldr'\. Did you mean folder\?"):
        load_images("foldr:/some/where/far/away")


def test_a_bare_folder_is_told_how_to_be_written(image_folder: Path) -> None:
    with pytest.raises(UnknownNameError, match=f"For a folder of images write folder:{image_folder}"):
        load_images(str(image_folder))


def test_an_unknown_bundled_set_suggests_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown bundled image set 'cifar'\. Did you mean cifar10\?"):
        load_images("bundled:cifar")


def test_a_missing_file_of_classes_is_refused(image_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no file of classes .*nothing\.txt; give a text file"):
        load_images(f"folder:{image_folder}", classes=tmp_path / "nothing.txt")


def test_classes_are_taken_as_names_too(image_folder: Path) -> None:
    images = load_images(f"folder:{image_folder}", classes=["fish", "cat", "dog"])
    assert images.class_names == ("fish", "cat", "dog")
    np.testing.assert_array_equal(images.labels, np.repeat([1, 2, 0], 4))


def test_the_bundled_images_are_a_balanced_thousand_of_cifar10() -> None:
    images = load_images("bundled:cifar10")
    assert images.class_names == ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    np.testing.assert_array_equal(np.bincount(images.labels), [100] * 10)
    assert {images.image(position).size for position in range(0, 1000, 50)} == {(32, 32)}
