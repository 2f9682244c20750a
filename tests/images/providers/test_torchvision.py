"""Torchvision's data sets, from files in their formats made here."""

import hashlib
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from torchvision import datasets

from tests.images.encoded import png
from tests.images.opened import opened_files
from zooscope import load_images
from zooscope.errors import ImagesError, InvalidValueError, LeftOutWarning, UnknownNameError

CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


@pytest.fixture
def levels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 3, 32, 32), dtype=np.uint8)


@pytest.fixture
def cifar10(tmp_path: Path, levels: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six test images in CIFAR-10's format, of which torchvision is told the checksums."""
    folder = tmp_path / datasets.CIFAR10.base_folder
    folder.mkdir()
    for name, content in (
        ("test_batch", {"data": levels.reshape(6, -1), "labels": [3, 8, 8, 0, 6, 6]}),
        ("batches.meta", {"label_names": CIFAR10}),
    ):
        (folder / name).write_bytes(pickle.dumps(content))
    sums = {file.name: hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest() for file in folder.iterdir()}
    monkeypatch.setattr(datasets.CIFAR10, "train_list", [])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", [["test_batch", sums["test_batch"]]])
    meta = {"filename": "batches.meta", "key": "label_names", "md5": sums["batches.meta"]}
    monkeypatch.setattr(datasets.CIFAR10, "meta", meta)
    return tmp_path


def test_images_in_memory_keep_every_level(cifar10: Path, levels: np.ndarray) -> None:
    images = load_images(f"torchvision:CIFAR10?root={cifar10}&split=test")
    assert images.class_names == tuple(CIFAR10)
    assert images.ids[:2] == ("test#0", "test#1")
    np.testing.assert_array_equal(images.labels, [3, 8, 8, 0, 6, 6])
    for place in range(6):
        np.testing.assert_array_equal(np.asarray(images.image(place)), levels[place].transpose(1, 2, 0))


def test_the_images_are_found_again_at_the_address(cifar10: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(cifar10)
    images = load_images("torchvision:CIFAR10?root=.&train=false")
    monkeypatch.chdir("/")
    assert load_images(images.address).digest == images.digest


def test_classes_reorder_those_of_the_data_set(cifar10: Path) -> None:
    images = load_images(f"torchvision:CIFAR10?root={cifar10}&split=test", classes=CIFAR10[::-1])
    np.testing.assert_array_equal(images.labels, [6, 1, 1, 9, 3, 3])


def test_grey_images_of_idx_files_are_read(tmp_path: Path) -> None:
    grey = np.random.default_rng(1).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    folder = tmp_path / "FashionMNIST" / "raw"
    folder.mkdir(parents=True)
    (folder / "t10k-images-idx3-ubyte").write_bytes(struct.pack(">4I", 2051, 3, 28, 28) + grey.tobytes())
    (folder / "t10k-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 2049, 3) + bytes([9, 2, 1]))
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
        (folder / name).touch()
    images = load_images(f"torchvision:FashionMNIST?root={tmp_path}&split=test")
    np.testing.assert_array_equal(images.labels, [9, 2, 1])
    np.testing.assert_array_equal(np.asarray(images.image(1)), np.repeat(grey[1, :, :, None], 3, axis=2))


def test_a_data_set_without_class_names_has_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "test_32x32.mat"
    colours = np.random.default_rng(2).integers(0, 256, (32, 32, 3, 4), dtype=np.uint8)
    savemat(file, {"X": colours, "y": np.array([[1], [10], [9], [2]], dtype=np.uint8)})  # where 10 stands for the digit 0
    checksum = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setattr(datasets.SVHN, "split_list", {"test": ["", file.name, checksum]})
    images = load_images(f"torchvision:SVHN?root={tmp_path}&split=test", classes=[f"digit {digit}" for digit in range(10)])
    np.testing.assert_array_equal(images.labels, [1, 0, 9, 2])
    np.testing.assert_array_equal(np.asarray(images.image(3)), colours[..., 3])


def test_images_in_folders_are_read_as_they_are_stored_and_only_the_sampled_ones(image_folder: Path) -> None:
    images = load_images(f"torchvision:ImageFolder?root={image_folder}")
    assert images.class_names == ("cat", "dog", "fish")
    sample = images.sample(3)
    with opened_files() as opened:
        read = {sample.read(name) for name in sample.ids}
    assert read <= {file.read_bytes() for file in image_folder.rglob("*.png")}
    assert len({path for path in opened if path.suffix == ".png"}) == 3


def test_files_that_torchvision_does_not_take_are_counted(image_folder: Path) -> None:
    (image_folder / "cat" / "more.jfif").write_bytes(b"")
    (image_folder / "dog" / "notes").write_bytes(b"")
    (image_folder / "dog" / ".hidden").write_bytes(b"")
    with pytest.warns(LeftOutWarning, match=r"files \.jfif: 1, files without suffix: 1"):
        images = load_images(f"torchvision:ImageFolder?root={image_folder}")
    assert dict(images.left_out) == {"files .jfif": 1, "files without suffix": 1}


def test_an_image_that_can_not_be_read_is_named(image_folder: Path) -> None:
    first = min((image_folder / "cat").iterdir())
    first.write_bytes(b"no image")
    images = load_images(f"torchvision:ImageFolder?root={image_folder}")
    with pytest.raises(ImagesError, match="ImageFolder#0"):
        _ = images.digest


def test_stored_synsets_get_the_order_of_imagenet(tmp_path: Path) -> None:
    for synset in ("n01440764", "n02102040"):
        (tmp_path / "imagenette2" / "val" / synset).mkdir(parents=True)
        (tmp_path / "imagenette2" / "val" / synset / "0.JPEG").write_bytes(png(1))
    for synset in set(datasets.Imagenette._WNID_TO_CLASS) - {"n01440764", "n02102040"}:  # noqa: SLF001  (the names that it looks for)
        (tmp_path / "imagenette2" / "val" / synset).mkdir()
        (tmp_path / "imagenette2" / "val" / synset / "0.JPEG").write_bytes(png(2))
    images = load_images(f"torchvision:Imagenette?root={tmp_path}&split=val")
    assert len(images.class_names) == 1000
    np.testing.assert_array_equal(np.sort(images.labels), [0, 217, 482, 491, 497, 566, 569, 571, 574, 701])


# Refusals


def test_an_unknown_data_set_suggests_near_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown data set of torchvision 'CIFAR11'\. Did you mean CIFAR10"):
        load_images("torchvision:CIFAR11?root=/data&split=test")


def test_a_root_is_needed() -> None:
    with pytest.raises(InvalidValueError, match="torchvision:CIFAR10 needs root=PATH, the folder that holds the data"):
        load_images("torchvision:CIFAR10?split=test")


@pytest.mark.parametrize(
    ("name", "options", "choice"),
    [
        ("CIFAR10", "", "split=test or split=train"),
        ("SVHN", "", "split=NAME"),
        ("EMNIST", "&train=false", "split=NAME"),
        ("EMNIST", "&split=balanced", "train=false"),
    ],
)
def test_a_part_must_be_chosen(name: str, options: str, choice: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=f"torchvision:{name} has several parts; choose one by {choice}"):
        load_images(f"torchvision:{name}?root={tmp_path}{options}")


def test_an_unknown_split_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown split 'tst'\. Did you mean test\? Write split=train or split=test"):
        load_images(f"torchvision:CIFAR10?root={tmp_path}&split=tst")
    with pytest.raises(ImagesError, match=r"STL10 can't be had from .* \(Unknown value 'tst' for argument split\. Valid values"):
        load_images(f"torchvision:STL10?root={tmp_path}&split=tst")


def test_an_option_that_the_data_set_does_not_take_is_refused(image_folder: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown option 'split'\. torchvision:ImageFolder takes root\."):
        load_images(f"torchvision:ImageFolder?root={image_folder}&split=test")
    with pytest.raises(UnknownNameError, match=r"unknown option 'train'\. torchvision:SVHN takes root, split\."):
        load_images(f"torchvision:SVHN?root={image_folder}&split=test&train=true")


def test_data_that_are_not_there_are_named(tmp_path: Path) -> None:
    sentence = rf"CIFAR10 can't be had from {tmp_path} \(Dataset not found or corrupted\); fetch it by torchvision\.datasets\.CIF"
    with pytest.raises(ImagesError, match=sentence):
        load_images(f"torchvision:CIFAR10?root={tmp_path}&split=test")


def test_a_data_set_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImagesError, match=r"CocoDetection is no data set of images with one label each"):
        load_images(f"torchvision:CocoDetection?root={tmp_path}")


def test_labels_that_are_no_classes_are_refused(image_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.ImageFolder, "__len__", lambda _: 7)
    with pytest.raises(ImagesError, match="has no list of one class for each image; take a data set for classification"):
        load_images(f"torchvision:ImageFolder?root={image_folder}")


def test_a_file_that_is_gone_is_named(image_folder: Path) -> None:
    images = load_images(f"torchvision:ImageFolder?root={image_folder}")
    (image_folder / "cat" / "0.png").unlink()
    with pytest.raises(ImagesError, match=r"ImageFolder#0 \(No such file or directory\)"):
        images.image(0)


def test_images_of_any_mode_are_handed_on(monkeypatch: pytest.MonkeyPatch, cifar10: Path) -> None:
    images = load_images(f"torchvision:CIFAR10?root={cifar10}&split=test")
    monkeypatch.setattr(datasets.CIFAR10, "__getitem__", lambda *_: (Image.new("RGBA", (2, 2), (1, 2, 3, 4)), 0))
    assert images.image(0).getpixel((0, 0)) == (1, 2, 3)


@pytest.mark.parametrize("name", ["LSUN", "LSUNClass"])
def test_data_sets_that_unpickle_a_file_of_the_current_folder_are_left_out(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=name):
        load_images(f"torchvision:{name}?root={tmp_path}")
