"""Images in a folder with one subfolder per class."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zooscope import load_images
from zooscope.errors import ImagesError, MissingFileError
from zooscope.images.image_set import ImageSet


def put(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), "red").save(file)


def load(folder: Path, classes: Path | None = None) -> ImageSet:
    return load_images(f"folder:{folder}", classes=classes)


def test_every_subfolder_is_a_class_in_sorted_order(tmp_path: Path) -> None:
    put(tmp_path, "dog/b.png", "dog/a.jpg", "cat/z.webp")
    images = load(tmp_path)
    assert images.class_names == ("cat", "dog")
    assert images.ids == ("cat/z.webp", "dog/a.jpg", "dog/b.png")
    np.testing.assert_array_equal(images.labels, [0, 1, 1])


def test_a_file_of_classes_decides_their_order_and_a_class_without_a_folder_keeps_its_index(tmp_path: Path) -> None:
    put(tmp_path / "images", "cat/0.png", "dog/0.png")
    names = tmp_path / "classes.txt"
    names.write_text("dog\n\n emu \ncat\n")
    images = load(tmp_path / "images", names)
    assert images.class_names == ("dog", "emu", "cat")
    assert dict(zip(images.ids, images.labels, strict=True)) == {"cat/0.png": 2, "dog/0.png": 0}


def test_an_empty_subfolder_keeps_its_index(tmp_path: Path) -> None:
    put(tmp_path, "a/0.png", "c/0.png")
    (tmp_path / "b").mkdir()
    images = load(tmp_path)
    assert images.class_names == ("a", "b", "c")
    np.testing.assert_array_equal(images.labels, [0, 2])


def test_images_are_found_in_nested_folders_and_whatever_the_case_of_their_endings(tmp_path: Path) -> None:
    put(tmp_path, "cat/house/white/0.PNG", "cat/1.Jpeg")
    assert load(tmp_path).ids == ("cat/1.Jpeg", "cat/house/white/0.PNG")


def test_hidden_files_and_folders_and_other_files_are_left_out(tmp_path: Path) -> None:
    put(tmp_path, "cat/0.png", "cat/._0.png", "cat/.thumbnails/0.png", ".git/0.png")
    (tmp_path / "cat" / "notes.txt").write_text("a cat")
    (tmp_path / "cat" / "folder.png").mkdir()
    images = load(tmp_path)
    assert images.class_names == ("cat",)
    assert images.ids == ("cat/0.png",)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no folder .*nowhere; give the path of a folder"):
        load(tmp_path / "nowhere")


def test_a_folder_without_subfolders_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "0.png")
    with pytest.raises(ImagesError, match="has no subfolders; put the images of each class into a subfolder"):
        load(tmp_path)


def test_subfolders_without_images_are_refused(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "dog").mkdir()
    with pytest.raises(ImagesError, match=r"holds no images in its 2 subfolders; image files end in \.bmp"):
        load(tmp_path)


def test_a_subfolder_that_is_no_class_is_named(tmp_path: Path) -> None:
    put(tmp_path / "images", "cat/0.png", "dgo/0.png", "dog/0.png")
    names = tmp_path / "classes.txt"
    names.write_text("cat\ndog\n")
    with pytest.raises(ImagesError, match=r"the subfolder dgo \(1 such\) is not among the given classes"):
        load(tmp_path / "images", names)


def test_a_class_given_twice_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "images", "crane/0.png")
    names = tmp_path / "classes.txt"
    names.write_text("crane\ncat\ncrane\n")
    with pytest.raises(ImagesError, match="the class crane is given twice"):
        load(tmp_path / "images", names)


def test_an_image_that_is_gone_when_it_is_read_is_named(tmp_path: Path) -> None:
    put(tmp_path, "cat/0.png", "cat/1.png")
    images = load(tmp_path)
    (tmp_path / "cat" / "1.png").unlink()
    with pytest.raises(ImagesError, match=r"cat/1\.png can't be read \(No such file or directory\); was it moved\?"):
        images.image(1)
