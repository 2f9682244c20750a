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
from zooscope.errors import ImagesError, InvalidValueError, LeftOutWarning, MissingFileError


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
        shard(tmp_path / f"shard-{number:04d}.tar", 2 * number, [str(number), "0"])
    return tmp_path


def test_a_shard_gives_images_and_indices(shards: Path) -> None:
    images = load_images(f"webdataset:{shards / 'shard-0002.tar'}")
    assert images.ids == ("shard-0002.tar/part/0004.png", "shard-0002.tar/part/0005.png")
    assert images.class_names == ("0", "1", "2")
    np.testing.assert_array_equal(images.labels, [2, 0])
    assert [images.read(name) for name in images.ids] == [png(4), png(5)]


@pytest.mark.parametrize("pattern", ["shard-{0000..0002}.tar", "shard-*.tar", "shard-000[012].tar", "shard-{00..00}{00..02}.tar"])
def test_patterns_stand_for_several_shards(pattern: str, shards: Path) -> None:
    images = load_images(f"webdataset:{shards}/{pattern}", classes=["a", "b", "c"])
    np.testing.assert_array_equal(images.labels, [0, 0, 1, 0, 2, 0])
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
    with pytest.raises(
        ImagesError, match=r"holds no image \(it has members \.md\); shards hold members KEY\.jpg with KEY\.cls, or"
    ):
        load_images(f"webdataset:{write(tmp_path / 'a.tar', {'readme.md': 'nothing'})}")


def test_a_label_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tar", {"0.jpg": png(0), "0.pyd": b"\x80\x04K\x03."})
    with pytest.raises(ImagesError, match=r"0\.pyd in .*a\.tar is no text, so it is no label; choose another by label=ENDING"):
        load_images(f"webdataset:{file}?label=pyd")


def test_an_image_without_label_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tar", {"0.jpg": png(0), "0.cls": "0", "1.jpg": png(1)})
    with pytest.raises(ImagesError, match=r"a\.tar has no \.cls for 1\.jpg \(1 such\); choose another by label=ENDING"):
        load_images(f"webdataset:{file}")


def test_an_index_out_of_range_is_refused(shards: Path) -> None:
    with pytest.raises(ImagesError, match=r"0004\.png: the label 2 is no index of 2 classes, which count from 0 \(1 such\)"):
        load_images(f"webdataset:{shards}/shard-*.tar", classes=["a", "b"])


def test_an_unknown_class_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tar", {"0.jpg": png(0), "0.cls": "dgo"})
    with pytest.raises(ImagesError, match=r"0\.jpg: dgo is not among the given classes \(1 such; did you mean dog\?\)"):
        load_images(f"webdataset:{file}", classes=["cat", "dog"])


def test_a_link_in_a_shard_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        label = tarfile.TarInfo("0.cls")
        label.size = 1
        archive.addfile(label, io.BytesIO(b"0"))
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
    ("label", "message"),
    [("9" * 11, "the label 99999999999 is no index of 100000 classes"), ("9" * 5000, r"the label 9{60}\.\.\. is no index")],
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


# Keys with dots, and labels in JSON


def levels(address: str) -> list[int]:
    """The level of each image, which says which it is."""
    images = load_images(address)
    return [int(np.asarray(images.image(place))[0, 0, 0]) for place in range(len(images))]


def test_keys_with_dots_lose_no_image(tmp_path: Path) -> None:
    members: dict[str, bytes | str] = {}
    for number in range(6):
        key = f"part.a/img.{number:03d}" if number % 2 else f"part.a/img{number:03d}"
        members |= {f"{key}.png": png(number), f"{key}.cls": str(number)}
    images = load_images(f"webdataset:{write(tmp_path / 'a.tar', members)}")
    assert images.labels.tolist() == levels(images.address) == list(range(6))


def test_a_further_image_of_a_key_is_no_image_of_its_own(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tar", {"0.png": png(0), "0.mask.png": png(9), "0.cls": "0", "0.json": "{}"})
    images = load_images(f"webdataset:{file}")
    assert images.ids == ("a.tar/0.png",)
    assert not images.left_out
    assert load_images(f"webdataset:{file}?image=mask.png").ids == ("a.tar/0.mask.png",)


def test_a_dotted_key_without_label_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tar", {"img.0.png": png(0), "img.0.cls": "0", "img.1.png": png(1)})
    with pytest.raises(ImagesError, match=r"a\.tar has no \.cls for img\.1\.png \(1 such\); choose another by label=ENDING"):
        load_images(f"webdataset:{file}")


def test_members_that_belong_to_no_image_are_counted(tmp_path: Path) -> None:
    members: dict[str, bytes | str] = {
        "0.png": png(0),
        "0.cls": "0",
        "0.json": "{}",
        "1.cls": "1",
        "1.npy": b"",
        "readme.md": "",
        "._0.png": b"\0",
        "0.1.cls": "1",
    }
    file = write(tmp_path / "a.tar", {**members, "__MACOSX/0.png": b"\0"})
    with pytest.warns(LeftOutWarning, match="left out: "):
        images = load_images(f"webdataset:{file}")
    assert images.left_out == {"members .cls": 1, "members .1.cls": 1, "members .npy": 1, "members .md": 1}


def test_a_field_of_json_is_a_label(tmp_path: Path) -> None:
    texts = ['{"id": 7, "label": "dog"}', '{"label": "cat", "id": 8}']
    file = write(
        tmp_path / "a.tar",
        {
            f"{place}.{ending}": content
            for place, text in enumerate(texts)
            for ending, content in (("jpg", png(place)), ("json", text))
        },
    )
    images = load_images(f"webdataset:{file}?label=json:label")
    assert images.class_names == ("cat", "dog")
    np.testing.assert_array_equal(images.labels, [1, 0])
    np.testing.assert_array_equal(load_images(images.address).labels, [1, 0])
    np.testing.assert_array_equal(load_images(f"webdataset:{file}?label=json:id", classes=list("abcdefghi")).labels, [7, 8])


@pytest.mark.parametrize(
    ("content", "option", "message"),
    [
        ('{"label": 3, "id": 1}', "json", r"0\.json in .* holds no name or number alone; it has the fields label, id\. Choose one"),
        ('{"label": 3}', "json:lable", r"no name or number in the field lable; it has the fields label\. .* label=json:FIELD"),
        ('{"label": null}', "json:label", "no name or number in the field label"),
        ('{"label": true}', "json:label", "no name or number in the field label"),
        ('{"label": [1, 2]}', "json:label", "no name or number in the field label"),
        ('{"label": NaN}', "json:label", r"0\.png: the label 'nan' stands for a missing one"),
        ("[3]", "json:label", "no name or number in the field label; it has no fields"),
        ("{label: 3}", "json:label", r"0\.json in .* is no JSON"),
        ("[" * 100_000, "json:label", r"0\.json in .* is no JSON"),
    ],
)
def test_json_that_holds_no_label_is_refused(content: str, option: str, message: str, tmp_path: Path) -> None:
    file = write(tmp_path / "a.tar", {"0.png": png(0), "0.json": content})
    with pytest.raises(ImagesError, match=message):
        load_images(f"webdataset:{file}?label={option}")
