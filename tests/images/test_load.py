"""Image sets by address."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zooscope import load_images
from zooscope.errors import ImagesError, InvalidValueError, MissingFileError, UnknownNameError
from zooscope.images.providers.registry import PROVIDERS


def test_an_unknown_provider_suggests_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown image provider 'foldr'\. Did you mean folder\?"):
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


@pytest.mark.parametrize("provider", PROVIDERS.names)
def test_an_option_that_a_provider_does_not_take_is_refused(provider: str) -> None:
    with pytest.raises(UnknownNameError, match=rf"unknown option 'lable'\..*{provider}: takes "):
        load_images(f"{provider}:x?lable=y")


@pytest.mark.parametrize("provider", PROVIDERS.names)
def test_an_address_without_rest_shows_the_form(provider: str) -> None:
    with pytest.raises(InvalidValueError, match=rf"{provider}: doesn't say which images; write {provider}:"):
        load_images(f"{provider}:")


def test_an_option_without_a_value_and_one_given_twice_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="the option label has no value; write label=VALUE"):
        load_images("parquet:x?label=")
    with pytest.raises(InvalidValueError, match="the option label is given twice; leave one out"):
        load_images("parquet:x?label=a&label=b")


def test_a_file_of_classes_that_is_no_text_is_refused(image_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_bytes(b"B\xe4r")
    with pytest.raises(ImagesError, match=r"classes\.txt is no text in UTF-8; give one with one class name a line"):
        load_images(f"folder:{image_folder}", classes=tmp_path / "classes.txt")


def test_a_file_of_classes_from_another_system_is_read(image_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_bytes("\ufefffish\r\ndog\r\ncat\r\n".encode())
    assert load_images(f"folder:{image_folder}", classes=tmp_path / "classes.txt").class_names == ("fish", "dog", "cat")


def test_a_module_is_imported_only_when_its_provider_is_asked_for() -> None:
    program = (
        "import sys, zooscope; zooscope.load_images('bundled:cifar10');"
        "providers = [f'zooscope.images.providers.{name}' for name in ('parquet', 'torchvision')];"
        "sys.exit(any(name in sys.modules for name in ('datasets', *providers)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_bits_are_kept_in_the_address_and_in_the_digest(tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.uint16).reshape(16, 16)
    (tmp_path / "cat").mkdir()
    Image.fromarray(levels << 4).save(tmp_path / "cat" / "0.png")
    with pytest.raises(ImagesError, match=r"1 of 1 images in .* can't be read: cat/0\.png \(its highest level is 4080"):
        _ = load_images(f"folder:{tmp_path}").digest
    images = load_images(f"folder:{tmp_path}?bits=12")
    np.testing.assert_array_equal(np.asarray(images.sample(1).image(0))[..., 0], levels)
    again = load_images(images.address)
    assert again.bits == 12
    assert again.digest == images.digest != load_images(f"folder:{tmp_path}?bits=14").digest


@pytest.mark.parametrize("bits", ["7", "17", "twelve", "12.0"])
def test_bits_that_no_level_has_are_refused(bits: str, image_folder: Path) -> None:
    with pytest.raises(InvalidValueError, match=rf"bits must be 8 to 16, .*: got '{bits}'"):
        load_images(f"folder:{image_folder}?bits={bits}")
