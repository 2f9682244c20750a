"""Images through the `datasets` library, from folders in the hub's format; what the hub refuses, in sentences."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, Image, Value
from datasets.exceptions import DatasetNotFoundError
from huggingface_hub import constants
from huggingface_hub.errors import HfHubHTTPError

from tests.images.encoded import png
from zooscope import load_images
from zooscope.errors import ImagesError, MissingExtraError, MissingFileError, UnknownNameError
from zooscope.images.providers import huggingface

NAMES = ["cat", "dog", "emu"]


@pytest.fixture(autouse=True)
def _offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No hub, no token and a cache of one's own."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface, "get_token", lambda: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set in the hub's format: eight images for testing, four for training."""
    features = Features({"image": Image(), "label": ClassLabel(names=NAMES), "number": Value("int64")})
    for split, count in (("test", 8), ("train", 4)):
        columns = {
            "image": [{"bytes": png(place), "path": None} for place in range(count)],
            "label": [place % 3 for place in range(count)],
            "number": list(range(count)),
        }
        (tmp_path / "set" / "data").mkdir(parents=True, exist_ok=True)
        Dataset.from_dict(columns, features=features).to_parquet(tmp_path / "set" / "data" / f"{split}-00000-of-00001.parquet")
    return tmp_path / "set"


def test_a_split_of_a_folder_gives_the_stored_bytes(folder: Path) -> None:
    images = load_images(f"huggingface:{folder}?split=test")
    assert images.class_names == ("cat", "dog", "emu")
    assert images.ids[:2] == ("test#0", "test#1")
    np.testing.assert_array_equal(images.labels, [0, 1, 2, 0, 1, 2, 0, 1])
    assert [images.read(name) for name in images.ids] == [png(place) for place in range(8)]


def test_a_row_without_an_image_is_named(tmp_path: Path) -> None:
    features = Features({"image": Image(), "label": ClassLabel(names=NAMES)})
    columns = {"image": [{"bytes": png(0), "path": None}, None], "label": [0, 1]}
    Dataset.from_dict(columns, features=features).to_parquet(tmp_path / "set" / "test.parquet")
    images = load_images(f"huggingface:{tmp_path / 'set'}?split=test")
    with pytest.raises(ImagesError, match=r"test#1 \(the row has no image\)"):
        _ = images.digest


def test_a_part_of_a_split_and_other_columns_and_classes_are_taken(folder: Path) -> None:
    part = load_images(f"huggingface:{folder}?split=test[2:5]")
    assert [part.read(name) for name in part.ids] == [png(place) for place in (2, 3, 4)]
    np.testing.assert_array_equal(part.labels, [2, 0, 1])
    other = load_images(f"huggingface:{folder}?split=train&label=number&config=default", classes=["a", "b", "c", "d"])
    np.testing.assert_array_equal(other.labels, [0, 1, 2, 3])
    ordered = load_images(f"huggingface:{folder}?split=test[:3]", classes=["emu", "dog", "cat"])
    np.testing.assert_array_equal(ordered.labels, [2, 1, 0])


def test_the_images_are_found_again_at_the_address(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    images = load_images("huggingface:./set?split=test[2:5]")
    monkeypatch.chdir("/")
    assert load_images(images.address).digest == images.digest


def test_the_parquet_source_reads_the_same_from_the_same_files(folder: Path) -> None:
    one, other = load_images(f"huggingface:{folder}?split=test"), load_images(f"parquet:{folder}/data/test-*.parquet")
    assert one.class_names == other.class_names
    np.testing.assert_array_equal(one.labels, other.labels)
    assert list(map(one.read, one.ids)) == list(map(other.read, other.ids))


def test_the_only_split_is_taken_and_image_files_are_read_where_they_lie(image_folder: Path) -> None:
    images = load_images(f"huggingface:{image_folder}")
    assert images.address.endswith("?split=train")
    assert images.class_names == ("cat", "dog", "fish")
    stored = sorted(file.read_bytes() for file in image_folder.rglob("*.png"))
    assert sorted(images.read(name) for name in images.ids) == stored
    for file in image_folder.rglob("*.png"):
        file.unlink()
    with pytest.raises(ImagesError, match=r"12 of 12 images .* train#0 \(No such file or directory\)"):
        _ = images.digest
    with pytest.raises(ImagesError, match=r"\.png can't be read \(No such file or directory\); was it moved\?"):
        images.image(0)


# Refusals


def test_without_a_split_those_there_are_are_named(folder: Path) -> None:
    with pytest.raises(ImagesError, match=r"set has the splits train, test; choose one by split=NAME"):
        load_images(f"huggingface:{folder}")


def test_an_unknown_split_names_those_there_are(folder: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown split 'tst'\. Did you mean test\? .*set has (train, test|test, train)"):
        load_images(f"huggingface:{folder}?split=tst")


def test_an_unknown_config_names_those_there_are(folder: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown config 'defalt'\. Did you mean default\? .*set has default\."):
        load_images(f"huggingface:{folder}?split=test&config=defalt")


def test_a_config_is_needed_where_there_are_several(folder: Path) -> None:
    configs = "".join(f"- config_name: {split}\n  data_files: data/{split}-*\n" for split in ("test", "train"))
    (folder / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    with pytest.raises(ImagesError, match=r"set has the configs test, train; choose one by config=NAME"):
        load_images(f"huggingface:{folder}?split=train")


def test_a_missing_column_names_those_there_are(folder: Path) -> None:
    with pytest.raises(ImagesError, match=r"has no column lable; there are image, label, number\. Choose one by label=COLUMN"):
        load_images(f"huggingface:{folder}?split=test&label=lable")


def test_a_column_without_images_is_refused(folder: Path) -> None:
    with pytest.raises(
        ImagesError, match="the column number holds int64, not bytes of image files; choose another by image=COLUMN"
    ):
        load_images(f"huggingface:{folder}?split=test&image=number")


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no folder .*none; give one in the hub's format, or ORG/NAME"):
        load_images(f"huggingface:{tmp_path / 'none'}?split=test")


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImagesError, match=r"empty can't be loaded as a data set of images \(.*\); give one with its data in"):
        load_images(f"huggingface:{tmp_path / 'empty'}?split=test")


def test_an_offline_hub_names_the_cache_that_was_looked_in(tmp_path: Path) -> None:
    sentence = rf"org/name is not in the cache \({tmp_path / 'cache'}\), and HF_HUB_OFFLINE is set; go online once, or give"
    with pytest.raises(ImagesError, match=sentence):
        load_images("huggingface:org/name?split=test")
    with pytest.raises(ImagesError, match=sentence):
        load_images("huggingface:org/name")


def http_error(status: int) -> HfHubHTTPError:
    response: Any = SimpleNamespace(status_code=status, headers={}, request=None)
    return HfHubHTTPError("refused", response=response)


HUB: dict[str, tuple[Exception, str]] = {
    "gated": (
        DatasetNotFoundError("Dataset 'org/name' is a gated dataset on the Hub. You must be authenticated to access it."),
        r"^org/name is gated: accept its terms at https://huggingface\.co/datasets/org/name \(then give a token from",
    ),
    "not found": (
        DatasetNotFoundError("Dataset 'org/name' doesn't exist on the Hub or cannot be accessed."),
        "^the Hugging Face hub has no data set org/name; check the spelling, or if it is private, give a token from",
    ),
    "wrong token": (http_error(401), "^the Hugging Face hub refuses the token that was sent for org/name; give a token"),
    "out of order": (http_error(500), r"^org/name can't be loaded as a data set of images \(refused"),
    "code": (
        RuntimeError("Dataset scripts are no longer supported, but found name.py"),
        r"^org/name can't be loaded as a data set of images \(Dataset scripts are no longer supported, but found name\.py\)",
    ),
    "another fault": (ValueError("Bad"), r"^org/name can't be loaded as a data set of images \(Bad\)"),
}


@pytest.mark.parametrize(("error", "sentence"), HUB.values(), ids=HUB.keys())
def test_what_the_hub_refuses_is_one_sentence(error: Exception, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface, "load_dataset_builder", raising(error))
    with pytest.raises(ImagesError, match=sentence) as caught:
        load_images("huggingface:org/name?split=test")
    assert "\n" not in str(caught.value)


def raising(error: Exception) -> Callable[..., None]:
    def refuse(*_: object, **__: object) -> None:
        raise error

    return refuse


def test_a_token_that_was_sent_is_told_from_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface, "get_token", lambda: "sent")
    for reason, sentence in (("gated", r"\(the owner of the token that was sent has not yet\)"), ("not found", "may not read it")):
        monkeypatch.setattr(huggingface, "load_dataset_builder", raising(HUB[reason][0]))
        with pytest.raises(ImagesError, match=sentence):
            load_images("huggingface:org/name?split=test")


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "zooscope.images.providers.huggingface")
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"the image provider huggingface needs .* `pip install 'zooscope\[huggingface\]'`"):
        load_images("huggingface:org/name?split=test")


def test_only_the_files_of_the_split_are_read(folder: Path) -> None:
    (folder / "data" / "train-00000-of-00001.parquet").write_bytes(b"no Parquet")
    images = load_images(f"huggingface:{folder}?split=test[:4]")
    assert images.class_names == ("cat", "dog", "emu")
    assert [images.read(name) for name in images.ids] == [png(place) for place in range(4)]


# Folders of Parquet that the hub's library did not write


def plain(folder: Path, image: pa.Array | list[dict[str, object]]) -> str:
    folder.mkdir()
    pq.write_table(pa.table({"image": image, "label": ["dog", "cat"]}), folder / "train.parquet")
    return f"huggingface:{folder}?split=train"


@pytest.mark.parametrize(
    "kind",
    [
        pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
        pa.struct([("bytes", pa.binary())]),
        pa.binary(),
        pa.large_binary(),
    ],
)
def test_bytes_without_the_hubs_metadata_are_images_as_for_parquet(kind: pa.DataType, tmp_path: Path) -> None:
    files = [png(0), png(1)]
    image = pa.array([{"bytes": file, "path": "x.png"} for file in files] if pa.types.is_struct(kind) else files, kind)
    images = load_images(plain(tmp_path / "set", image))
    assert [images.read(name) for name in images.ids] == files
    np.testing.assert_array_equal(images.labels, [1, 0])
    same = load_images(f"parquet:{tmp_path / 'set'}")
    assert [same.read(name) for name in same.ids] == files
    np.testing.assert_array_equal(same.labels, images.labels)


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.uint8()), pa.list_(pa.list_(pa.int64())), pa.string(), pa.struct([("path", pa.string())])]
)
def test_lists_of_pixels_and_other_columns_are_refused_as_by_parquet(kind: pa.DataType, tmp_path: Path) -> None:
    address = plain(tmp_path / "set", pa.array([None, None], kind))
    for each in (address, f"parquet:{tmp_path / 'set'}"):
        with pytest.raises(
            ImagesError, match=r"the column image holds .*, not bytes of image files; choose another by image=COLUMN"
        ):
            load_images(each)


def test_a_type_that_the_library_can_not_take_is_refused(tmp_path: Path) -> None:
    image = pa.array([png(0), png(1)], pa.binary_view())
    with pytest.raises(ImagesError, match=r"holds binary_view, not images as the hub keeps them \(.*\); try parquet:FILE"):
        load_images(plain(tmp_path / "set", image))
    images = load_images(f"parquet:{tmp_path / 'set'}")
    assert [images.read(name) for name in images.ids] == [png(0), png(1)]
