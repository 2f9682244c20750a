"""Images in tar files as WebDataset writes them."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from tests.images.encoded import png
from tests.images.opened import opened_files
from zooscope import load_images
from zooscope.errors import ImagesError, InvalidValueError, MissingFileError


def write(file: Path, members: Mapping[str, bytes | str], mode: Literal["w", "w:gz"] = "w") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, "w:gz") if mode == "w:gz" else tarfile.open(file, "w") as archive:
        for name, content in members.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file


def shard(file: Path, first: int, labels: list[str]) -> Path:
    """Images whose level is their number, beside other members."""
    members: dict[str, bytes | str] = {}
    for number, label in enumerate(labels, start=first):
        members |= {f"part/{number:04d}.cls": label, f"part/{number:04d}.json": "{}", f"part/{number:04d}.png": png(number)}
    return write(file, members)


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """A folder of three shards of two images each."""
    for number in range(3):
        shard(tmp_path / f"shard-{number:04d}.tar", 2 * number, [str(number), "1"])
    return tmp_path


def test_a_shard_gives_images_and_indices(shards: Path) -> None:
    images = load_images(f"webdataset:{shards / 'shard-0002.tar'}")
    assert images.ids == ("shard-0002.tar/part/0004.png", "shard-0002.tar/part/0005.png")
    assert images.class_names == ("0", "1", "2")
    np.testing.assert_array_equal(images.labels, [2, 1])
    assert [images.read(name) for name in images.ids] == [png(4), png(5)]


@pytest.mark.parametrize("pattern", ["shard-{0000..0002}.tar", "shard-*.tar", "shard-000[012].tar", "shard-{00..00}{00..02}.tar"])
def test_patterns_stand_for_several_shards(pattern: str, shards: Path) -> None:
    images = load_images(f"webdataset:{shards}/{pattern}", classes=["a", "b", "c"])
    np.testing.assert_array_equal(images.labels, [0, 1, 1, 1, 2, 1])
    assert [images.read(name) for name in images.ids] == [png(number) for number in range(6)]


def test_labels_may_be_names_and_have_another_ending(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tar", {"0.jpg": png(0), "0.txt": "dog\n", "1.txt": "cat", "1.jpg": png(1)})
    images = load_images(f"webdataset:{file}?label=txt", classes=["dog", "emu", "cat"])
    np.testing.assert_array_equal(images.labels, [0, 2])


def test_one_of_several_images_of_a_key_is_chosen(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tar", {"0.jpg": png(0), "0.png": png(1), "0.mask.png": png(2), "0.cls": "0"})
    images = load_images(f"webdataset:{file}?image=png")
    assert [images.read(name) for name in images.ids] == [png(1)]
    with pytest.raises(ImagesError, match=r"a\.tar has several images of the key 0; choose one by image=ENDING"):
        load_images(f"webdataset:{file}")


def test_the_images_are_found_again_at_the_address(shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shards)
    images = load_images("webdataset:shard-{0000..0001}.tar?label=cls")
    monkeypatch.chdir("/")
    assert load_images(images.address).digest == images.digest


def test_shards_and_images_outside_the_sample_are_never_read(shards: Path) -> None:
    images = load_images(f"webdataset:{shards}/shard-*.tar").take([2])
    content = bytearray((shards / "shard-0001.tar").read_bytes())
    place = content.index(png(3))
    content[place : place + 8] = b"damaged!"
    (shards / "shard-0001.tar").write_bytes(bytes(content))
    with opened_files() as opened:
        _ = images.digest
        assert images.read(images.ids[0]) == png(2)
    assert {path.name for path in opened if path.suffix == ".tar"} == {"shard-0001.tar"}


# Refusals


def test_missing_shards_are_counted_and_the_first_is_named(shards: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no file .*shard-0003\.tar \(2 such\); give tar files"):
        load_images(f"webdataset:{shards}/shard-{{0000..0004}}.tar")
    with pytest.raises(MissingFileError, match=r"there is no file .*other-\*\.tar \(1 such\)"):
        load_images(f"webdataset:{shards}/other-*.tar")


def test_numbers_that_run_backwards_are_refused(shards: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"\{0003\.\.0000\} must count up"):
        load_images(f"webdataset:{shards}/shard-{{0003..0000}}.tar")


def test_compressed_and_other_files_are_refused(tmp_path: Path) -> None:
    packed = write(tmp_path / "a.tar.gz", {"0.jpg": png(0), "0.cls": "0"}, "w:gz")
    with pytest.raises(ImagesError, match=r"a\.tar\.gz is no plain tar file, or a damaged one \(.*\); unpack it if it is"):
        load_images(f"webdataset:{packed}")


def test_a_truncated_shard_is_refused(shards: Path) -> None:
    whole = (shards / "shard-0000.tar").read_bytes()
    (shards / "shard-0000.tar").write_bytes(whole[: whole.index(png(1)) + 20])
    with pytest.raises(ImagesError, match=r"shard-0000\.tar is no plain tar file, or a damaged one"):
        load_images(f"webdataset:{shards / 'shard-0000.tar'}")


def test_a_shard_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImagesError, match=r"holds no image; shards hold members KEY\.jpg with KEY\.cls"):
        load_images(f"webdataset:{write(tmp_path / 'a.tar', {'readme.md': 'nothing'})}")


def test_an_image_without_label_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tar", {"0.jpg": png(0), "0.cls": "0", "1.jpg": png(1)})
    with pytest.raises(ImagesError, match=r"a\.tar has no \.cls for 1\.jpg \(1 such\); choose another by label=ENDING"):
        load_images(f"webdataset:{file}")


def test_an_index_out_of_range_is_refused(shards: Path) -> None:
    with pytest.raises(ImagesError, match=r"labels must lie in 0 to 1: got 2 \(1 such, image 5 first\)"):
        load_images(f"webdataset:{shards}/shard-*.tar", classes=["a", "b"])


def test_an_unknown_class_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tar", {"0.jpg": png(0), "0.cls": "dgo"})
    with pytest.raises(ImagesError, match=r"the class dgo \(1 such\) is not among the given classes"):
        load_images(f"webdataset:{file}", classes=["cat", "dog"])


def test_a_link_in_a_shard_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        member = tarfile.TarInfo("0.jpg")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(ImagesError, match=r"0\.jpg in .*a\.tar is a link or has holes"):
        load_images(f"webdataset:{tmp_path / 'a.tar'}")


def test_a_shard_that_is_gone_is_named(shards: Path) -> None:
    images = load_images(f"webdataset:{shards / 'shard-0000.tar'}")
    (shards / "shard-0000.tar").unlink()
    with pytest.raises(ImagesError, match=r"shard-0000\.tar can't be read \(No such file or directory\); was it moved\?"):
        images.image(0)


@pytest.mark.parametrize(
    ("label", "message"), [("9" * 11, "labels must lie in 0 to 99999: got 99999999999"), ("9" * 5000, "has 5000 digits")]
)
def test_a_label_that_is_no_index_of_a_class_is_refused_without_counting_up_to_it(label: str, message: str, tmp_path: Path) -> None:
    file = shard(tmp_path / "shard.tar", 0, ["0", label])
    with pytest.raises(ImagesError, match=message):
        load_images(f"webdataset:{file}")


@pytest.mark.parametrize("target", ["elsewhere", "0000.cls"])
def test_a_label_that_is_a_link_is_refused(target: str, tmp_path: Path) -> None:
    file = tmp_path / "shard.tar"
    with tarfile.open(file, "w") as archive:
        image = tarfile.TarInfo("0000.png")
        image.size = len(png(0))
        archive.addfile(image, io.BytesIO(png(0)))
        label = tarfile.TarInfo("0000.cls")
        label.type, label.linkname = tarfile.SYMTYPE, target
        archive.addfile(label)
    with pytest.raises(ImagesError, match=r"0000\.cls in .*shard\.tar is a link or has holes; write the shard with plain files"):
        load_images(f"webdataset:{file}")


@pytest.mark.parametrize("name", ["0000.png", "0000.cls"])
def test_a_negative_size_is_refused(name: str, tmp_path: Path) -> None:
    file = shard(tmp_path / "shard.tar", 0, ["0"])
    content = bytearray(file.read_bytes())
    start = content.index(f"part/{name}".encode())
    content[start + 124 : start + 136] = b"\xff" * 11 + b"\xf0"  # base 256: a small negative number
    content[start + 148 : start + 156] = b" " * 8
    content[start + 148 : start + 156] = f"{sum(content[start : start + 512]):06o}\0 ".encode()
    file.write_bytes(content)
    with pytest.raises(ImagesError, match=r"shard\.tar"):
        load_images(f"webdataset:{file}")


def test_a_label_of_megabytes_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "shard.tar", {"0000.png": png(0), "0000.cls": "0" * (2**20 + 1)})
    with pytest.raises(ImagesError, match=r"0000\.cls in .* has 1048577 bytes, so it is no label"):
        load_images(f"webdataset:{file}")
