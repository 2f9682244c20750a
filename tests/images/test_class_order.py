"""The one rule of which class has which index."""

import warnings
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zooscope.errors import ClassOrderWarning, ImagesError
from zooscope.images.class_order import order_classes, order_numbers
from zooscope.images.stored_labels import are_indices, parse_number, store_numbers, store_texts


def place(position: int) -> str:
    return f"row {position + 1}"


def order(labels: Sequence[str], classes: Sequence[str] | None = None) -> tuple[list[int], tuple[str, ...]]:
    indices, names = order_classes(store_texts(labels, place), classes, address="set")
    return indices.tolist(), names


@pytest.mark.parametrize("names", [["class0", "class2", "class10"], ["0_cat", "2_dog", "10_eel"], ["0: cat", "9: dog", "10: eel"]])
def test_numbered_names_that_text_sorts_otherwise_are_said(names: list[str]) -> None:
    with pytest.warns(
        ClassOrderWarning, match=rf"set: the classes are sorted as text, so that {names[2]} comes before {names[1]}\."
    ):
        assert order(names)[1] == tuple(sorted(names))
    assert order(names, names) == ([0, 1, 2], tuple(names))


@pytest.mark.parametrize(
    "names", [["class0", "class1"], ["c01", "c02", "c10"], ["a10", "b2"], ["cat", "dog 10", "dog 2"], ["n00000001"]]
)
def test_other_names_are_sorted_without_a_word(names: list[str]) -> None:
    assert order(names)[1] == tuple(names)  # a warning would be an error


@given(st.lists(st.integers(0, 999), min_size=1, max_size=30))
def test_whole_numbers_are_their_own_index_in_whatever_type_they_are_kept(numbers: list[int]) -> None:
    ways = [
        store_texts([str(number) for number in numbers], place),
        store_texts([f"{number}.0" for number in numbers], place),
        store_texts([f"{number:04d}" for number in numbers], place),
        store_texts([f"{number:e}" for number in numbers], place),  # as numpy.savetxt writes them
        store_numbers(np.array(numbers, np.int16), place),
        store_numbers(np.array(numbers, np.uint64), place),
        store_numbers(np.array(numbers, np.float32), place),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ClassOrderWarning)
        for stored in ways:
            indices, names = order_classes(stored, None, address="set")
            assert indices.tolist() == numbers
            assert names == tuple(str(number) for number in range(max(numbers) + 1))


@given(st.lists(st.integers(0, 50), min_size=2, max_size=40, unique=True), st.data())
def test_a_part_of_the_images_keeps_its_labels(numbers: list[int], data: st.DataObject) -> None:
    part = data.draw(st.lists(st.sampled_from(numbers), min_size=1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ClassOrderWarning)
        whole = dict(zip(numbers, order(list(map(str, numbers)))[0], strict=True))
        assert order(list(map(str, part)))[0] == [whole[number] for number in part]


@given(st.lists(st.text("abcé", min_size=1), min_size=1, unique=True))
def test_names_are_sorted(names: list[str]) -> None:
    indices, classes = order(names)
    assert classes == tuple(sorted(names))
    assert [classes[index] for index in indices] == names


def test_synsets_have_the_order_of_imagenet() -> None:
    indices, classes = order(["n15075141", "n01440764"])
    assert indices == [999, 0]
    assert len(classes) == 1000


def test_digits_of_other_scripts_are_numbers() -> None:
    assert order(["\N{FULLWIDTH DIGIT ONE}", "\N{ARABIC-INDIC DIGIT ONE}0", "0"]) == ([1, 10, 0], tuple(map(str, range(11))))


def test_labels_that_may_count_from_1_are_said() -> None:
    with pytest.warns(ClassOrderWarning, match=r"set: the labels are 1 to 3 and are taken as indices that count from 0, so that"):
        assert order(["3", "1", "2"]) == ([3, 1, 2], ("0", "1", "2", "3"))
    assert order(["3", "1", "2"], ["1", "2", "3"])[0] == [2, 0, 1]
    with pytest.warns(ClassOrderWarning, match="the labels are 1 to 2"):
        order_numbers(np.array([1, 2]), None, None, place=place, address="set")


# With classes given


def test_given_classes_are_matched_by_name() -> None:
    assert order(["cat", "emu"], ["emu", "dog", "cat"]) == ([2, 0], ("emu", "dog", "cat"))


def test_whole_numbers_are_indices_into_classes_of_which_none_is_a_number() -> None:
    assert order(["2", "0"], ["emu", "dog", "cat"])[0] == [2, 0]
    assert order(["2.0", "0.0"], ["emu", "dog", "cat"])[0] == [2, 0]


def test_whole_numbers_are_matched_by_value_with_classes_that_are_numbers() -> None:
    assert order(["7", "3"], ["9", "7", "3"])[0] == [1, 2]
    assert order(["7.0", "03"], ["9", "7", "3"])[0] == [1, 2]
    assert order(["1", "2"], ["1", "2", "3"])[0] == [0, 1]  # and never as indices, whichever of them a sample has
    with pytest.raises(ImagesError, match=r"set, row 1: 0 is not among the given classes \(1 such\)"):
        order(["0", "1"], ["1", "2", "3"])


def test_classes_that_differ_in_their_spelling_only_are_told_apart_by_it() -> None:
    assert order(["01", "1"], ["1", "01"])[0] == [1, 0]
    with pytest.raises(ImagesError, match=r"row 1: 1\.0 is not among the given classes"):
        order(["1.0"], ["1", "01"])


def test_a_name_that_would_stand_for_a_missing_label_may_be_given() -> None:
    assert order(["nan", "-1", "None"], ["None", "nan", "-1"])[0] == [1, 2, 0]


def test_what_is_missing_is_called_so_also_with_classes() -> None:
    with pytest.raises(ImagesError, match=r"row 2: the label 'nan' stands for a missing one"):
        order(["cat", "nan"], ["cat", "dog"])
    with pytest.raises(ImagesError, match=r"row 2: the label -1 is negative \(1 such\)"):
        order(["1", "-1"], ["cat", "dog"])


# A data set's own names


def test_declared_names_keep_their_order() -> None:
    labels, names = order_numbers(np.array([0, 2]), ["dog", "None", "cat"], None, place=place, address="set")
    assert names == ("dog", "None", "cat")
    assert labels.tolist() == [0, 2]


def test_declared_names_that_are_whole_numbers_are_their_own_index_and_it_is_said() -> None:
    names = sorted(map(str, range(12)))
    with pytest.warns(ClassOrderWarning, match=r"set lists its classes in the order 0, 1, 10, \.\.\.; as all are whole numbers"):
        labels, classes = order_numbers(np.arange(12), names, None, place=place, address="set")
    assert [str(label) for label in labels] == names
    assert classes == tuple(map(str, range(12)))


def test_a_number_without_a_name_is_refused() -> None:
    for number, why in ((3, "is no index of 3 classes"), (-1, "is negative")):
        with pytest.raises(ImagesError, match=rf"set, row 2: the label {number} {why}"):
            order_numbers(np.array([0, number]), ["a", "b", "c"], None, place=place, address="set")


# Refusals


@pytest.mark.parametrize("label", ["nan", "NaN", "NAN", "", "  ", "<NA>", "None", "NA", "N/A", "null", "NULL", "#N/A", "inf"])
@pytest.mark.parametrize("others", [["0", "1"], ["cat", "dog"]], ids=["numbers", "names"])
def test_a_missing_label_is_refused_with_its_row(label: str, others: list[str]) -> None:
    with pytest.raises(
        ImagesError, match=r"set, row 3: the label '.*' stands for a missing one; leave the image out, or if a class"
    ):
        order([*others, label])


def test_nan_among_numbers_is_refused_with_its_row() -> None:
    with pytest.raises(ImagesError, match="set, row 2: the label 'nan' stands for a missing one"):
        order_classes(store_numbers(np.array([0.0, np.nan, 1.0]), place), None, address="set")


@pytest.mark.parametrize("label", ["-1", "-1.0", "-7"])
@pytest.mark.parametrize("others", [["0", "1"], ["cat", "dog"]], ids=["numbers", "names"])
def test_a_negative_label_is_refused_with_its_row(label: str, others: list[str]) -> None:
    with pytest.raises(ImagesError, match=rf"set, row 3: the label {label} is (a )?negative"):
        order([*others, label])


def test_labels_that_are_all_unknown_are_no_labels() -> None:
    with pytest.raises(ImagesError, match=r"set has no labels \(all are -1\)"):
        order(["-1", "-1"])


def test_numbers_that_are_not_whole_are_refused_with_their_row() -> None:
    with pytest.raises(ImagesError, match=r"set, row 2: the label 0\.5 is no whole number, so it is no class"):
        order(["1", "0.5"])
    with pytest.raises(ImagesError, match=r"set, row 2: the label 0\.5 is no whole number"):
        order_classes(store_numbers(np.array([1.0, 0.5]), place), None, address="set")


@pytest.mark.parametrize(("one", "other"), [("1", "01"), ("007", "7"), ("1", "\N{FULLWIDTH DIGIT ONE}"), ("1.0", "01.0")])
def test_one_number_in_two_spellings_is_refused(one: str, other: str) -> None:
    with pytest.raises(ImagesError, match=rf"set, row 3: the label {other} is the same number as {one} \(row 1\); write it in one"):
        order([one, "0", other])


def test_one_number_in_two_types_is_one_class() -> None:
    assert order(["1", "1.0", "0", "1."])[0] == [1, 1, 0, 1]


def test_names_among_numbers_are_refused_where_the_order_is_not_sure() -> None:
    with pytest.raises(ImagesError, match=r"set: 3 of the 4 labels are whole numbers, but dog is none \(row 4\), so their order"):
        order(["2", "10", "0", "dog"])
    digits_and_letters = [*"0123456789", *"ABC"]
    assert order(digits_and_letters) == (list(range(13)), tuple(digits_and_letters))
    assert order(["206", "Golf", "911"])[1] == ("206", "911", "Golf")


@pytest.mark.parametrize("label", ["100000", "9" * 5000, "1e300", "1e999999999"])
def test_numbers_beyond_all_classes_are_refused_at_once(label: str) -> None:
    with pytest.raises(ImagesError, match=r"set, row 2: the label .{5,63} is no index of 100000 classes, which count from 0"):
        order(["0", label])


def test_a_class_with_a_control_character_is_refused() -> None:
    with pytest.raises(ImagesError, match=r"'a\\x00b' can't be the name of a class, which is one line of text"):
        order(["a\0b"])


@pytest.mark.parametrize("text", ["cat", "1_000", "0x10", "1 2", "1,5", "--1", "e5", ".", "n01440764"])
def test_what_is_no_number(text: str) -> None:
    assert parse_number(text) is None
    assert not are_indices([text])
