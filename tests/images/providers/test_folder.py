"""Images in a folder with one subfolder per class."""

import os
import shutil
from errno import EACCES
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
from PIL import Image
from torch import nn

from tests.images.encoded import encoded, png
from tests.images.opened import opened_files
from tests.specimens import classifier_of
from zooscope import load_images
from zooscope.errors import ClassOrderWarning, ImagesError, LeftOutWarning, MissingFileError
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


def test_a_subfolder_without_images_is_named_and_no_class(tmp_path: Path) -> None:
    put(tmp_path, "a/0.png", "c/0.png")
    (tmp_path / "b" / "below").mkdir(parents=True)
    with pytest.warns(LeftOutWarning, match=r"left out: subfolders without images \(b\): 1\.$"):
        images = load(tmp_path)
    assert images.class_names == ("a", "c")
    assert images.left_out == {"subfolders without images (b)": 1}


@pytest.mark.filterwarnings("ignore::zooscope.errors.LeftOutWarning")
def test_an_empty_subfolder_moves_no_label_where_the_names_say_the_index(tmp_path: Path) -> None:
    put(tmp_path / "synsets", "n01440764/0.png", "n01491361/0.png")
    (tmp_path / "synsets" / "n01443537").mkdir()
    np.testing.assert_array_equal(load(tmp_path / "synsets").labels, [0, 3])
    put(tmp_path / "numbers", "0/0.png", "2/0.png")
    for empty in ("1", "3"):
        (tmp_path / "numbers" / empty).mkdir()
    images = load(tmp_path / "numbers")
    assert images.class_names == ("0", "1", "2", "3")
    np.testing.assert_array_equal(images.labels, [0, 2])
    put(tmp_path / "named", "a/0.png", "c/0.png")
    (tmp_path / "named" / "b").mkdir()
    np.testing.assert_array_equal(load_images(f"folder:{tmp_path / 'named'}", classes=["a", "b", "c"]).labels, [0, 2])


LITTER = [
    "__MACOSX",
    "@eaDir",
    "lost+found",
    "System Volume Information",
    "#recycle",
    "$RECYCLE.BIN",
    "found.000",
    ".ipynb_checkpoints",
]


@pytest.mark.parametrize("litter", LITTER)
def test_what_archives_and_systems_leave_behind_is_ignored(litter: str, tmp_path: Path) -> None:
    put(tmp_path, "cat/0.png", f"cat/{litter}/0.png", f"{litter}/1.png", f"{litter}/cat/2.png")
    for name in ("Thumbs.db", "desktop.ini", "._0.png", ".DS_Store"):
        (tmp_path / "cat" / name).write_bytes(b"\0")
    images = load(tmp_path)
    assert images.ids == ("cat/0.png",)
    assert images.class_names == ("cat",)
    assert not images.left_out


@pytest.mark.parametrize(
    ("kind", "endings"), [("JPEG", (".jfif", ".jpe", ".JFIF")), ("AVIF", (".avif",)), ("PNG", (".apng",)), ("PPM", (".pnm",))]
)
def test_images_with_a_rare_ending_are_read(kind: str, endings: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    for ending in endings:
        (tmp_path / "cat" / f"0{ending}").write_bytes(encoded(Image.new("RGB", (16, 16), (200, 0, 0)), kind))
    images = load(tmp_path)
    assert len(images) == len(endings)
    for place in range(len(endings)):
        np.testing.assert_allclose(np.asarray(images.image(place))[8, 8], (200, 0, 0), atol=6)


def test_files_without_an_ending_are_told_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    for kind in ("PNG", "JPEG", "WEBP"):
        (tmp_path / "cat" / kind).write_bytes(encoded(Image.new("RGB", (4, 4), "red"), kind))
    (tmp_path / "cat" / "README").write_text("a cat")
    with pytest.warns(LeftOutWarning, match=r"left out: files without an ending: 1\.$"):
        images = load(tmp_path)
    assert images.ids == ("cat/JPEG", "cat/PNG", "cat/WEBP")


def test_what_is_no_image_is_counted_by_its_kind(tmp_path: Path) -> None:
    put(tmp_path, "cat/0.png", "dog/0.png", "outside.png")
    for name in ("cat/a.txt", "cat/b.TXT", "dog/0.jpg_large", "dog/deep/0.heic"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"\0")
    with pytest.warns(LeftOutWarning, match="images outside of the subfolders: 1, files .txt: 2, files .*: 1, files .*: 1"):
        images = load(tmp_path)
    assert images.left_out == {"images outside of the subfolders": 1, "files .txt": 2, "files .jpg_large": 1, "files .heic": 1}
    assert images.take([0]).left_out == images.left_out


def test_numbers_that_torchvision_sorts_as_text_are_taken_as_numbers_and_it_is_said(tmp_path: Path) -> None:
    put(tmp_path, *(f"{number}/0.png" for number in range(11)))
    with pytest.warns(ClassOrderWarning, match=r"ImageFolder sorts them as text \(0, 1, 10, \.\.\.\); .* name the classes"):
        images = load(tmp_path)
    assert [int(name.partition("/")[0]) for name in images.ids] == images.labels.tolist()
    by_name = load_images(f"folder:{tmp_path}", classes=sorted(map(str, range(11))))  # as torchvision has it, without a word
    assert [sorted(map(str, range(11)))[label] for label in by_name.labels] == [name.partition("/")[0] for name in by_name.ids]


def test_images_are_found_in_nested_folders_and_whatever_the_case_of_their_endings(tmp_path: Path) -> None:
    put(tmp_path, "cat/house/white/0.PNG", "cat/1.Jpeg")
    assert load(tmp_path).ids == ("cat/1.Jpeg", "cat/house/white/0.PNG")


def test_hidden_files_and_folders_and_other_files_are_left_out(tmp_path: Path) -> None:
    put(tmp_path, "cat/0.png", "cat/._0.png", "cat/.thumbnails/0.png", ".git/0.png")
    (tmp_path / "cat" / "notes.txt").write_text("a cat")
    (tmp_path / "cat" / "folder.png").mkdir()
    with pytest.warns(LeftOutWarning, match=r"files \.txt: 1"):
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
    with pytest.raises(ImagesError, match=r"holds no images in its 2 subfolders; image files end in \.apng"):
        load(tmp_path)


def test_a_subfolder_that_is_no_class_is_named(tmp_path: Path) -> None:
    put(tmp_path / "images", "cat/0.png", "dgo/0.png", "dog/0.png")
    names = tmp_path / "classes.txt"
    names.write_text("cat\ndog\n")
    with pytest.raises(ImagesError, match=r"subfolder dgo: dgo is not among the given classes \(1 such; did you mean dog\?\)"):
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


# Only what is sampled


def test_sampling_5_of_50_images_never_opens_the_other_45(tmp_path: Path) -> None:
    put(tmp_path, *(f"{name}/{number}.png" for name in ("cat", "dog") for number in range(25)))
    sample = load(tmp_path).sample(5)
    with opened_files() as opened:
        _ = sample.digest
        sample.pixels(classifier_of("any", nn.Identity(), num_classes=2, size=(4, 4)))
    assert {path.relative_to(tmp_path).as_posix() for path in opened if path.suffix == ".png"} == set(sample.ids)


def test_listing_opens_no_image(tmp_path: Path) -> None:
    put(tmp_path, "cat/0.png", "dog/1.png")
    with opened_files() as opened:
        load(tmp_path).sample(2)
    assert not [path for path in opened if path.suffix == ".png"]


# ImageNet's order


def test_a_folder_with_some_of_the_synsets_has_the_labels_of_imagenet(tmp_path: Path) -> None:
    put(tmp_path, "n01440764/0.png", "n01491361/0.png", "n15075141/0.png")
    images = load(tmp_path)
    assert len(images.class_names) == 1000
    np.testing.assert_array_equal(images.labels, [0, 3, 999])


def test_a_folder_with_another_name_among_the_synsets_is_sorted(tmp_path: Path) -> None:
    put(tmp_path, "n01440764/0.png", "n01491361/0.png", "other/0.png")
    np.testing.assert_array_equal(load(tmp_path).labels, [0, 1, 2])
    put(tmp_path / "twenty-one thousand", "n01440764/0.png", "n00007846/0.png")  # a person, which the 1,000 have not
    np.testing.assert_array_equal(load(tmp_path / "twenty-one thousand").labels, [0, 1])


def test_given_classes_win_over_the_order_of_imagenet(tmp_path: Path) -> None:
    put(tmp_path / "images", "n01440764/0.png", "n01491361/0.png")
    images = load_images(f"folder:{tmp_path / 'images'}", classes=["n01491361", "n01440764"])
    np.testing.assert_array_equal(images.labels, [1, 0])


# Links


def test_links_are_followed_wherever_they_lead(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", "a.png", "more/b.png")
    put(tmp_path / "images", "cat/0.png")
    (tmp_path / "images" / "cat" / "1.png").symlink_to(tmp_path / "elsewhere" / "a.png")
    (tmp_path / "images" / "cat" / "more").symlink_to(tmp_path / "elsewhere" / "more")
    (tmp_path / "images" / "dog").symlink_to(tmp_path / "elsewhere")
    images = load(tmp_path / "images")
    assert images.ids == ("cat/0.png", "cat/1.png", "cat/more/b.png", "dog/a.png", "dog/more/b.png")
    assert images.digest


def test_links_that_lead_nowhere_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    put(tmp_path, "cat/0.png")
    (tmp_path / "cat" / "1.png").symlink_to(tmp_path / "gone.png")
    with pytest.raises(ImagesError, match=r"cat/1\.png is a link that leads nowhere \(1 such\); mend or remove it"):
        load(tmp_path)
    (tmp_path / "dog").symlink_to(tmp_path / "gone")
    with pytest.raises(ImagesError, match=r"dog is a link that leads nowhere \(2 such\)"):
        load(tmp_path)


@pytest.mark.parametrize("target", ["cat", "cat/a", ".", ".."])
def test_a_link_back_to_a_folder_that_it_lies_in_is_named(target: str, tmp_path: Path) -> None:
    put(tmp_path / "images", "cat/a/0.png")
    (tmp_path / "images" / "cat" / "a" / "again").symlink_to(tmp_path / "images" / target)
    with pytest.raises(ImagesError, match=r"cat/a/again is a link back to a folder that it lies in; remove it"):
        load(tmp_path / "images")


def test_a_circle_of_two_links_is_named(tmp_path: Path) -> None:
    put(tmp_path, "images/cat/0.png", "other/0.png")
    (tmp_path / "images" / "cat" / "on").symlink_to(tmp_path / "other")
    (tmp_path / "other" / "back").symlink_to(tmp_path / "images" / "cat")
    with pytest.raises(ImagesError, match=r"cat/on/back is a link back to a folder"):
        load(tmp_path / "images")


# Names


def test_names_in_any_script_and_of_several_lines_are_kept(tmp_path: Path) -> None:
    names = ("кошка/фото 1.png", "犬/写真.png", "قط/صورة.png", "🐈/a\nb.png", "cat?/50%.png")
    put(tmp_path / "what?", *names)
    images = load_images(f"folder:{tmp_path}/what%3F")
    assert set(images.ids) == set(names)
    again = load_images(images.address, classes=images.class_names)
    assert again.digest == images.digest


def test_composed_and_decomposed_letters_are_the_same(tmp_path: Path) -> None:
    put(tmp_path / "images", f"{normalize('NFD', 'Bär')}/0.png", "Igel/0.png")
    images = load_images(f"folder:{tmp_path / 'images'}", classes=["Igel", normalize("NFC", "Bär")])
    assert dict(zip(images.ids, images.labels, strict=True)) == {f"{normalize('NFD', 'Bär')}/0.png": 1, "Igel/0.png": 0}


def test_names_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    put(tmp_path, "cat/0.png")
    shutil.copy(tmp_path / "cat" / "0.png", tmp_path / "cat" / os.fsdecode(b"\xe4.png"))
    with pytest.raises(ImagesError, match=r"the name b'cat/\\xe4\.png' is not in UTF-8 \(1 such\); rename it"):
        load(tmp_path)
    (tmp_path / os.fsdecode(b"\xff")).mkdir()
    with pytest.raises(ImagesError, match=r"the name b'\\xff' is not in UTF-8 \(1 such\); rename it"):
        load(tmp_path)


def test_a_class_of_several_lines_is_named(tmp_path: Path) -> None:
    put(tmp_path, "a\nb/0.png")
    with pytest.raises(ImagesError, match=r"'a\\nb' can't be the name of a class, which is one line of text; rename it"):
        load(tmp_path)


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "cat/0.png")
    listed = os.scandir

    def refuse(folder: Path) -> object:
        if folder.name == "cat":
            raise PermissionError(EACCES, os.strerror(EACCES))
        return listed(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(ImagesError, match=r"cat can't be read \(Permission denied\); let it be read"):
        load(tmp_path)


def test_a_folder_whose_own_name_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    try:
        Path(folder, "cat").mkdir(parents=True)
    except OSError:
        pytest.skip("this file system takes no such name")
    Path(folder, "cat", "a.png").write_bytes(png(0))
    with pytest.raises(ImagesError, match=r"is not all printable text .*; rename it"):
        load_images(f"folder:{folder}")
