"""Images in Parquet files of the hub's format."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.images.encoded import png
from zooscope import load_images
from zooscope.errors import ImagesError, MissingFileError
from zooscope.images.providers import parquet

NAMES = ["cat", "dog", "emu"]


def metadata(names: list[str] | None, label: str = "label") -> dict[str, str]:
    """What the hub's library writes beside the schema."""
    features: dict[str, Any] = {"image": {"_type": "Image"}, label: {"dtype": "int64", "_type": "Value"}}
    if names is not None:
        features[label] = {"names": names, "_type": "ClassLabel"}
    return {"huggingface": json.dumps({"info": {"features": features}})}


def write(
    file: Path, labels: list[Any], *, names: list[str] | None = NAMES, group: int = 4, first: int = 0, **renamed: str
) -> Path:
    """Images whose level is their place among all, as a struct of bytes and path."""
    contents = [{"bytes": png(first + place), "path": f"{place}.png"} for place in range(len(labels))]
    image, label = renamed.get("image", "image"), renamed.get("label", "label")
    table = pa.table({image: contents, label: labels}).replace_schema_metadata(metadata(names, label))
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, file, row_group_size=group)
    return file


def test_rows_are_images_and_the_metadata_name_the_classes(tmp_path: Path) -> None:
    images = load_images(f"parquet:{write(tmp_path / 'test.parquet', [2, 0, 1, 1, 0])}")
    assert images.class_names == ("cat", "dog", "emu")
    assert images.ids[:2] == ("test.parquet#0", "test.parquet#1")
    np.testing.assert_array_equal(images.labels, [2, 0, 1, 1, 0])
    assert [images.read(name) for name in images.ids] == [png(place) for place in range(5)]


def test_several_threads_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "CACHED_BYTES", 300)  # so that row groups come and go
    images = load_images(f"parquet:{write(tmp_path / 'test.parquet', [0] * 60, group=3)}")
    places = np.random.default_rng(0).integers(0, 60, 400).tolist()
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(lambda place: images.read(images.ids[place]), places))
    assert read == [png(place) for place in places]


def test_the_files_of_a_folder_follow_each_other(tmp_path: Path) -> None:
    write(tmp_path / "data" / "test-00001-of-00002.parquet", [1, 2], first=3)
    write(tmp_path / "data" / "test-00000-of-00002.parquet", [0, 0, 1])
    write(tmp_path / ".cache" / "other.parquet", [0])
    for address in (f"parquet:{tmp_path}", f"parquet:{tmp_path}/data/test-*.parquet", f"parquet:{tmp_path}/**/test-*.parquet"):
        images = load_images(address)
        np.testing.assert_array_equal(images.labels, [0, 0, 1, 1, 2])
        assert [images.read(name) for name in images.ids] == [png(place) for place in range(5)]
    assert load_images(f"parquet:{tmp_path}").ids[3] == "data/test-00001-of-00002.parquet#0"


def test_classes_reorder_the_stored_ones(tmp_path: Path) -> None:
    images = load_images(f"parquet:{write(tmp_path / 'a.parquet', [2, 0, 1])}", classes=["emu", "fox", "dog", "cat"])
    assert [images.class_names[label] for label in images.labels] == ["emu", "cat", "dog"]
    np.testing.assert_array_equal(images.labels, [0, 3, 2])


def test_stored_synsets_get_the_order_of_imagenet(tmp_path: Path) -> None:
    images = load_images(f"parquet:{write(tmp_path / 'a.parquet', [1, 0], names=['n01440764', 'n01491361'])}")
    assert len(images.class_names) == 1000
    np.testing.assert_array_equal(images.labels, [3, 0])


def test_indices_without_names_and_names_without_indices(tmp_path: Path) -> None:
    numbers = load_images(f"parquet:{write(tmp_path / 'a.parquet', [1, 0, 2], names=None)}")
    assert numbers.class_names == ("0", "1", "2")
    named = load_images(f"parquet:{write(tmp_path / 'b.parquet', [1, 0], names=None)}", classes=["x", "y", "z"])
    assert named.class_names == ("x", "y", "z")
    words = load_images(f"parquet:{write(tmp_path / 'c.parquet', ['dog', 'cat', 'dog'], names=None)}")
    np.testing.assert_array_equal(words.labels, [1, 0, 1])


def test_words_kept_as_a_dictionary_and_plain_binary_images_are_read(tmp_path: Path) -> None:
    words = pa.array(["dog", "cat"]).dictionary_encode()
    pq.write_table(pa.table({"image": pa.array([png(0), png(1)], pa.large_binary()), "label": words}), tmp_path / "a.parquet")
    images = load_images(f"parquet:{tmp_path / 'a.parquet'}")
    np.testing.assert_array_equal(images.labels, [1, 0])
    assert images.read("a.parquet#1") == png(1)


def test_the_only_columns_that_it_could_be_are_taken(tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", [0, 1], image="img", label="fine_label")
    np.testing.assert_array_equal(load_images(f"parquet:{file}").labels, [0, 1])
    np.testing.assert_array_equal(load_images(f"parquet:{file}?image=img&label=fine_label").labels, [0, 1])


def test_the_address_says_again_what_was_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "what?" / "a.parquet", [0, 1], label="fine label")
    monkeypatch.chdir(tmp_path)
    images = load_images("parquet:what%3F/*.parquet?label=fine+label")
    monkeypatch.chdir("/")
    assert load_images(images.address).digest == images.digest


def test_image_bytes_outside_the_sampled_row_groups_are_never_read(tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", [0, 1] * 10, group=2)
    wanted = load_images(f"parquet:{file}").take([4, 5, 12])
    expected = wanted.digest
    damage_images(file, all_but={2, 6})
    images = load_images(f"parquet:{file}").take([4, 5, 12])
    assert images.digest == expected
    with pytest.raises(ImagesError, match=r"a\.parquet can't be read|a\.parquet#0"):
        images.read("a.parquet#0")


def damage_images(file: Path, *, all_but: set[int]) -> None:
    """Overwrites the pages of image bytes in all other row groups."""
    described = pq.read_metadata(file)
    content = bytearray(file.read_bytes())
    for group in set(range(described.num_row_groups)) - all_but:
        columns = [described.row_group(group).column(place) for place in range(described.num_columns)]
        for column in (column for column in columns if column.path_in_schema == "image.bytes"):
            start = column.dictionary_page_offset or column.data_page_offset
            content[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    file.write_bytes(bytes(content))


# Refusals


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no Parquet file at .*none; give a file, a folder of them, or a pattern"):
        load_images(f"parquet:{tmp_path / 'none'}")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("no table")
    with pytest.raises(ImagesError, match=r"a\.parquet is no Parquet file, or a damaged one"):
        load_images(f"parquet:{tmp_path}")


def test_several_splits_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "test-00000-of-00001.parquet", [0])
    write(tmp_path / "train-00000-of-00001.parquet", [0])
    with pytest.raises(ImagesError, match=r"holds the splits test, train; choose one by a pattern: parquet:.*/test-\*\.parquet"):
        load_images(f"parquet:{tmp_path}")


@pytest.mark.parametrize(("first", "second"), [("test-0", "train-0"), ("test", "train"), ("Val_1", "test_1"), ("dev.0", "train.0")])
def test_several_splits_are_refused_whoever_named_the_files(first: str, second: str, tmp_path: Path) -> None:
    write(tmp_path / f"{first}.parquet", [0])
    write(tmp_path / f"{second}.parquet", [0])
    with pytest.raises(ImagesError, match="holds the splits"):
        load_images(f"parquet:{tmp_path}")
    assert len(load_images(f"parquet:{tmp_path}/{first}*.parquet")) == 1


def test_splits_in_folders_are_refused_with_a_pattern_that_works(tmp_path: Path) -> None:
    write(tmp_path / "train" / "0000.parquet", [0, 1])
    write(tmp_path / "test" / "0000.parquet", [0])
    with pytest.raises(ImagesError, match="holds the splits test, train") as refused:
        load_images(f"parquet:{tmp_path}")
    assert len(load_images(str(refused.value).rpartition(" ")[2])) == 1


def test_names_that_only_begin_like_a_split_are_none(tmp_path: Path) -> None:
    write(tmp_path / "trains.parquet", [0])
    write(tmp_path / "tests.parquet", [0])
    assert len(load_images(f"parquet:{tmp_path}")) == 2


@pytest.mark.parametrize("option", ["image", "label"])
def test_a_missing_column_names_those_there_are(option: str, tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", [0])
    with pytest.raises(ImagesError, match=rf"has no column picture; there are image, label\. Choose one by {option}=COLUMN"):
        load_images(f"parquet:{file}?{option}=picture")


def test_a_column_missing_from_a_later_file_is_named(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", [0])
    write(tmp_path / "b.parquet", [0], label="class")
    with pytest.raises(ImagesError, match=r"b\.parquet has no column label; there are image, class"):
        load_images(f"parquet:{tmp_path}")


def test_files_of_other_classes_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", [0])
    write(tmp_path / "b.parquet", [0], names=["dog", "cat", "emu"])
    with pytest.raises(ImagesError, match=r"b\.parquet has other classes than the files before it"):
        load_images(f"parquet:{tmp_path}")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (pa.array([0, 1], pa.int64()), pa.array([2], pa.int32()), [0, 1, 2]),
        (pa.array([0, 2], pa.int64()), pa.array([1.0]), [0, 2, 1]),
        (pa.array(["a", "c"]), pa.array(["b"], pa.large_string()), [0, 2, 1]),
        (pa.array(["a", "c"]).dictionary_encode(), pa.array(["b"]), [0, 2, 1]),
    ],
    ids=["int64 and int32", "whole numbers and floats", "two kinds of text", "dictionary and text"],
)
def test_labels_of_types_that_one_type_holds_are_read(first: object, second: object, expected: list[int], tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", cast("list[Any]", first), names=None)
    write(tmp_path / "b.parquet", cast("list[Any]", second), names=None)
    assert load_images(f"parquet:{tmp_path}", classes=["a", "b", "c"]).labels.tolist() == expected


def test_labels_of_types_that_no_type_holds_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", [0], names=None)
    write(tmp_path / "b.parquet", ["cat"], names=None)
    with pytest.raises(ImagesError, match=r"the column label holds int64 in a\.parquet and string in b\.parquet; write one type"):
        load_images(f"parquet:{tmp_path}")


def test_columns_of_the_wrong_kind_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", [True], names=None)
    with pytest.raises(ImagesError, match="the column label holds bool, not class names or their indices"):
        load_images(f"parquet:{file}")
    with pytest.raises(ImagesError, match="the column label holds bool, not bytes of image files; choose another by image=COLUMN"):
        load_images(f"parquet:{file}?image=label")


def test_images_without_labels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImagesError, match=r"has no labels \(all are -1\); take a split that has"):
        load_images(f"parquet:{write(tmp_path / 'a.parquet', [-1, -1])}")
    with pytest.raises(ImagesError, match=r"1 of 2 images have no label in the column label, b\.parquet#0 first"):
        load_images(f"parquet:{write(tmp_path / 'b.parquet', [None, 1])}")


def test_a_label_out_of_range_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImagesError, match=r"a\.parquet#1: the label 3 is no index of 3 classes, which count from 0 \(1 such\)"):
        load_images(f"parquet:{write(tmp_path / 'a.parquet', [0, 3])}")


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    table = pa.table({"image": pa.array([], pa.binary()), "label": pa.array([], pa.int64())})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(ImagesError, match=r"a\.parquet holds no image; name a set with at least one"):
        load_images(f"parquet:{tmp_path / 'a.parquet'}")


def test_a_row_that_names_a_file_elsewhere_is_named(tmp_path: Path) -> None:
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    pq.write_table(pa.table({"image": pa.array([{"bytes": None, "path": "x.png"}], kind), "label": [0]}), tmp_path / "a.parquet")
    images = load_images(f"parquet:{tmp_path / 'a.parquet'}")
    with pytest.raises(ImagesError, match=r"a\.parquet#0 \(no bytes; the table names a file elsewhere\)"):
        images.read("a.parquet#0")


def test_a_sample_in_any_order_reads_each_row_group_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "CACHED_BYTES", 300)  # no more than the last group
    images = load_images(f"parquet:{write(tmp_path / 'test.parquet', [place % 3 for place in range(60)], group=6)}").sample(30)
    read: list[tuple[int, ...]] = []
    original = pq.ParquetFile.read_row_group

    def counted(self: pq.ParquetFile, group: int, *args: object, **options: object) -> pa.Table:
        read.append((group,))
        return original(self, group, *args, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    monkeypatch.setattr("zooscope.images.image_set.map_in_order", map)
    assert images.digest
    assert len(read) == len(set(read)) <= 10


@pytest.mark.parametrize("use_dictionary", [True, False])
def test_images_that_unfold_to_far_more_than_the_file_holds_are_not_read(tmp_path: Path, use_dictionary: bool) -> None:  # noqa: FBT001
    bomb = bytes(2**22)
    table = pa.table({"image": pa.array([bomb] * 100, pa.binary()), "label": pa.array([0] * 100)})
    file = tmp_path / "bomb.parquet"
    pq.write_table(table, file, compression="zstd", use_dictionary=use_dictionary)
    assert file.stat().st_size < 2**20
    images = load_images(f"parquet:{file}")
    with pytest.raises(ImagesError, match=r"the column image takes \d+ bytes in the file and unfolds to \d+ or more"):
        images.read(images.ids[0])


def test_labels_that_are_no_index_of_a_class_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "huge.parquet"
    pq.write_table(pa.table({"image": pa.array([png(0)], pa.binary()), "label": pa.array([10**12])}), file)
    with pytest.raises(ImagesError, match=r"huge\.parquet#0: the label 1000000000000 is no index of 100000 classes"):
        load_images(f"parquet:{file}")


def test_metadata_that_can_not_be_read_tell_nothing(tmp_path: Path) -> None:
    file = tmp_path / "odd.parquet"
    table = pa.table({"image": pa.array([png(0)], pa.binary()), "label": pa.array([1])})
    for text in ("no JSON", "[" * 100_000, "[]"):
        pq.write_table(table.replace_schema_metadata({"huggingface": text}), file)
        assert load_images(f"parquet:{file}").class_names == ("0", "1")
