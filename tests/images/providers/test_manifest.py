"""Images listed in a CSV file."""

from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
from PIL import Image

from tests.images.encoded import png
from tests.images.opened import opened_files
from zooscope import load_images
from zooscope.errors import ImagesError, MissingFileError
from zooscope.images.image_set import ImageSet


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six images, a.png to f.png."""
    for number, name in enumerate("abcdef"):
        Image.new("RGB", (4, 4), (number, 0, 0)).save(tmp_path / f"{name}.png")
    return tmp_path


def load(folder: Path, *lines: str, classes: list[str] | None = None, header: str = "path,label") -> ImageSet:
    file = folder / "list.csv"
    file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return load_images(f"manifest:{file}", classes=classes)


def test_names_of_classes_are_sorted(folder: Path) -> None:
    images = load(folder, "a.png,dog", "b.png,cat", "c.png,dog")
    assert images.ids == ("a.png", "b.png", "c.png")
    assert images.class_names == ("cat", "dog")
    np.testing.assert_array_equal(images.labels, [1, 0, 1])
    assert images.image(2).getpixel((0, 0)) == (2, 0, 0)


def test_classes_decide_the_order_and_may_be_more(folder: Path) -> None:
    images = load(folder, "a.png,dog", "b.png,cat", classes=["dog", "emu", "cat"])
    assert images.class_names == ("dog", "emu", "cat")
    np.testing.assert_array_equal(images.labels, [0, 2])


def test_composed_and_decomposed_letters_are_the_same(folder: Path) -> None:
    images = load(folder, f"a.png,{normalize('NFC', 'café')}", f"b.png,{normalize('NFD', 'café')}", "c.png,bar")
    assert images.class_names == ("bar", normalize("NFC", "café"))
    np.testing.assert_array_equal(images.labels, [1, 1, 0])


def test_numbers_with_a_decimal_comma_are_refused(folder: Path) -> None:
    (folder / "list.csv").write_text("path;label\na.png;1,0\nb.png;10,0\nc.png;2,0\n", encoding="utf-8")
    with pytest.raises(ImagesError, match=r"line 2: the label 1,0 has a decimal comma; write whole numbers, or name the classes"):
        load_images(f"manifest:{folder / 'list.csv'}")


def test_numbers_are_indices(folder: Path) -> None:
    np.testing.assert_array_equal(load(folder, "a.png,2", "b.png,0", classes=["x", "y", "z"]).labels, [2, 0])
    images = load(folder, "a.png,2", "b.png,0")
    assert images.class_names == ("0", "1", "2")
    np.testing.assert_array_equal(images.labels, [2, 0])


def test_numbers_that_are_the_names_of_classes_are_names(folder: Path) -> None:
    np.testing.assert_array_equal(load(folder, "a.png,7", "b.png,3", classes=["9", "7", "3"]).labels, [1, 2])


def test_other_columns_quotes_and_a_byte_order_mark_do_no_harm(folder: Path) -> None:
    images = load(folder, '1,"black, white",a.png', header="\ufeffnumber, label ,path")
    assert images.class_names == ("black, white",)
    assert images.ids == ("a.png",)


def test_paths_are_relative_to_the_file_wherever_one_stands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    load(folder, "a.png,cat")
    images = load_images("manifest:list.csv")
    monkeypatch.chdir("/")
    assert load_images(images.address).digest == images.digest


def test_only_sampled_images_are_opened(folder: Path) -> None:
    sample = load(folder, *(f"{name}.png,{number % 2}" for number, name in enumerate("abcdef"))).sample(2)
    with opened_files() as opened:
        _ = sample.digest
    assert {path.name for path in opened if path.suffix == ".png"} == set(sample.ids)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no file .*none\.csv; give a CSV with the columns path and label"):
        load_images(f"manifest:{tmp_path / 'none.csv'}")


def test_a_missing_column_names_those_there_are(folder: Path) -> None:
    with pytest.raises(
        ImagesError, match=r"has no columns path and label; its first line is 'path,class'\. Begin with the line path,label"
    ):
        load(folder, "a.png,cat", header="path,class")


def test_an_empty_file_is_refused(folder: Path) -> None:
    (folder / "list.csv").write_text("")
    with pytest.raises(ImagesError, match="has no columns path and label; its first line is empty"):
        load_images(f"manifest:{folder / 'list.csv'}")


def test_a_file_without_images_is_refused(folder: Path) -> None:
    with pytest.raises(ImagesError, match="lists no image; write one line for each"):
        load(folder)


def test_a_file_that_is_no_text_is_refused(folder: Path) -> None:
    with pytest.raises(ImagesError, match=r"a\.png is no CSV in UTF-8"):
        load_images(f"manifest:{folder / 'a.png'}")


def test_a_line_without_label_is_named(folder: Path) -> None:
    with pytest.raises(ImagesError, match=r"list\.csv, line 3: expected path, label: got 'b\.png'"):
        load(folder, "a.png,cat", "b.png")


def test_an_unknown_class_is_named_with_its_line_and_near_ones(folder: Path) -> None:
    with pytest.raises(ImagesError, match=r"line 3: dgo is not among the given classes \(1 such; did you mean dog\?\)"):
        load(folder, "a.png,dog", "b.png,dgo", classes=["cat", "dog"])


def test_an_index_out_of_range_is_named_with_its_line(folder: Path) -> None:
    with pytest.raises(ImagesError, match=r"line 3: the label 2 is no index of 2 classes, which count from 0 \(1 such\)"):
        load(folder, "a.png,1", "b.png,2", classes=["cat", "dog"])


def test_missing_images_are_counted_and_the_first_is_named(folder: Path) -> None:
    with pytest.raises(MissingFileError, match=r"2 of the 3 files that it lists are not there, x\.png first \(line 3\)"):
        load(folder, "a.png,cat", "x.png,cat", "y.png,cat")


def test_an_image_listed_twice_is_named(folder: Path) -> None:
    with pytest.raises(ImagesError, match=r"line 4: a\.png is listed again \(line 2 has it\); take one out"):
        load(folder, "a.png,cat", "b.png,cat", "a.png,dog")


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        (
            "a.png,99999999999999999999",
            ImagesError,
            "line 2: the label 9{20} is no index of 100000 classes, which count from 0 .* name the classes",
        ),
        ("a.png,0\n./a.png,1", ImagesError, "line 3: ./a.png is listed again \\(line 2 has it\\)"),
        (f"{'x' * 300}.png,0", MissingFileError, "1 of the 1 files that it lists are not there, xxx"),
    ],
    ids=["a huge label", "one file under two names", "a name that is too long"],
)
def test_lists_that_go_wrong_in_rare_ways_are_refused(rows: str, error: type[Exception], message: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(0))
    (tmp_path / "list.csv").write_text(f"path,label\n{rows}\n", encoding="utf-8")
    with pytest.raises(error, match=message):
        load_images(f"manifest:{tmp_path / 'list.csv'}")


def test_a_label_of_thousands_of_digits_is_named_in_short(image_folder: Path, tmp_path: Path) -> None:
    image = next(image_folder.rglob("*.png"))
    (tmp_path / "list.csv").write_text(f"path,label\n{image},{'9' * 5000}\n", encoding="utf-8")
    with pytest.raises(ImagesError, match=r"line 2: the label 9{60}\.\.\. is no index of 100000 classes"):
        load_images(f"manifest:{tmp_path / 'list.csv'}")


# As spreadsheets and other programs write them

ROWS = "path,label\na.png,dog\nb.png,cat\n"


@pytest.mark.parametrize(
    "text",
    [
        ROWS.replace(",", ";"),
        ROWS.replace(",", "\t"),
        f"sep=;\n{ROWS.replace(',', ';')}",
        ROWS.replace("path,label", "Path, LABEL"),
        ROWS.replace(",", ", "),
        ROWS.replace(",", " ,"),
        '"path", "label"\n"a.png", "dog"\n"b.png", "cat"\n',
        ROWS.replace("\n", "\r\n"),
        ROWS.replace("\n", "\r"),
        ROWS.replace("a.png,dog\n", "a.png,dog\n\n,\n , \n"),
        "\ufeff" + ROWS,
    ],
)
def test_other_ways_of_writing_a_table_give_the_same_images(text: str, folder: Path) -> None:
    (folder / "list.csv").write_bytes(text.encode())
    images = load_images(f"manifest:{folder / 'list.csv'}")
    assert images.ids == ("a.png", "b.png")
    assert images.class_names == ("cat", "dog")
    np.testing.assert_array_equal(images.labels, [1, 0])


def test_semicolons_leave_commas_to_the_values(folder: Path) -> None:
    assert load(folder, "a.png;black, white", header="path;label").class_names == ("black, white",)


@pytest.mark.parametrize("header", ["image_id,class", "a.png,dog", "a.png 0", "# by me", "path,label,Path", "path|label"])
def test_without_the_header_it_is_said_what_it_should_be(header: str, folder: Path) -> None:
    with pytest.raises(ImagesError, match=r"no columns path and label; its first line is '.*'\. Begin with the line path,label"):
        load(folder, "a.png,cat", header=header)


def test_backslashes_and_addresses_of_the_web_are_told(folder: Path) -> None:
    with pytest.raises(MissingFileError, match=r"img\\a\.png first \(line 2\); paths are .* and have / between folders, not \\\.$"):
        load(folder, "img\\a.png,cat")
    with pytest.raises(MissingFileError, match=r"https://x\.org/a\.png first \(line 2\); .*; fetch images of the web first\.$"):
        load(folder, "https://x.org/a.png,cat")


@pytest.mark.parametrize(
    ("label", "why"), [("nan", "stands for a missing one"), ("-1", "is a negative number"), ("", "expected path")]
)
def test_labels_that_are_none_are_refused_with_their_line(label: str, why: str, folder: Path) -> None:
    with pytest.raises(ImagesError, match=rf"list\.csv, line 4: .*{why}"):
        load(folder, "a.png,dog", "b.png,cat", f"c.png,{label}")
