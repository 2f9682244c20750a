"""Names of outputs against names of classes."""

import re
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torchvision.models import ResNet50_Weights

from zooscope.classifiers.class_matching import compare_names, describe_matchings, find_outputs, find_synsets
from zooscope.images.class_order import read_synsets

ANIMALS = ("cat", "dog", "fish", "great white shark")


def read_words() -> list[str]:
    """All words of each of ImageNet's classes, as timm's table and Hugging Face's networks have them."""
    lines = (files("timm") / "data" / "_info" / "imagenet_synset_to_lemma.txt").read_text(encoding="utf-8").splitlines()
    words = dict(line.split("\t") for line in lines)
    return [words[synset].strip('"') for synset in read_synsets()]


@given(order=st.permutations(range(4)))
def test_the_output_of_a_class_is_the_one_of_its_name(order: list[int]) -> None:
    own = [ANIMALS[place] for place in order]
    found = compare_names(own, ANIMALS)
    if order == [0, 1, 2, 3]:
        assert found == ("by name", None)
    else:
        assert found.outputs is not None
        assert [own[output] for output in found.outputs] == list(ANIMALS)
        assert found.how.startswith("by name: the order of its outputs differs and is followed (")


def test_the_first_outputs_that_are_elsewhere_are_named() -> None:
    how = compare_names(["dog", "fish", "cat", "great white shark"], ANIMALS).how
    assert "('cat' is output 2, 'dog' is output 0, 'fish' is output 1)" in how
    many = [str(number) + "th" for number in range(9)]
    assert compare_names(many[::-1], many).how.endswith("('0th' is output 8, '1th' is output 7, '2th' is output 6 and 5 more)")


def test_case_hyphens_and_underscores_make_no_other_name() -> None:
    assert find_outputs(["Great-White_Shark", "FISH", " dog", "Cat"], ANIMALS) == (3, 2, 1, 0)
    assert find_outputs(["crane", "Crane", "x"], ["Crane", "crane", "x"]) == (1, 0, 2), "as they are, where that tells them apart"
    assert find_outputs(["cre\u0300me", "b"], ["b", "cr\u00e8me"]) == (1, 0)


def test_other_names_are_listed_and_nothing_is_moved() -> None:
    found = compare_names(["kitten", "dog", "fish", "shark"], ANIMALS)
    expected = "by position: 2 of its 4 names differ from the images' ('kitten' for 'cat', 'shark' for 'great white shark')"
    assert found == (expected, None)


def test_names_given_twice_match_nothing() -> None:
    assert find_outputs(["cat", "cat", "fish", "great white shark"], ANIMALS) is None


@pytest.mark.parametrize(
    ("own", "classes"),
    [
        (None, ANIMALS),
        ([f"LABEL_{number}" for number in range(4)], ANIMALS),
        ([f"class {number}" for number in range(4)], ANIMALS),
        (["1", "2", "3", "4"], ANIMALS),
        (ANIMALS, ["0", "1", "2", "3"]),
        (["1", "2", "3", "4"], ["0", "1", "2", "3"]),
    ],
    ids=["none", "LABEL_0", "class 0", "numbers", "numbers of images", "other numbers"],
)
def test_what_is_no_name_is_matched_by_position_without_a_word(own: list[str] | None, classes: list[str]) -> None:
    assert compare_names(own, classes) == ("by position", None)


def test_numbers_that_were_sorted_as_text_are_followed() -> None:
    as_text = sorted(map(str, range(12)))
    found = compare_names(as_text, [str(number) for number in range(12)])
    assert found.outputs == tuple(as_text.index(str(number)) for number in range(12))


def test_given_classes_and_a_class_map_hold_against_names_and_that_is_said() -> None:
    own = ["dog", "cat", "fish", "great white shark"]
    assert compare_names(own, ANIMALS, are_given=True) == (
        "by position, as the given classes say: the network's own names have another order ('dog' for 'cat', 'cat' for 'dog')",
        None,
    )
    assert compare_names(own, ANIMALS, has_class_map=True) == (
        "by its class map: the network's own names have another order ('dog' for 'cat', 'cat' for 'dog')",
        None,
    )
    assert compare_names(ANIMALS, ANIMALS, are_given=True).how == "by name"
    assert compare_names(ANIMALS, ANIMALS, has_class_map=True).how == "by its class map"
    assert compare_names(["a", "b", "c", "d"], ANIMALS, has_class_map=True).how == "by its class map"


@pytest.mark.parametrize("names", [read_words(), ResNet50_Weights.IMAGENET1K_V2.meta["categories"], list(read_synsets())])
def test_every_list_of_imagenets_names_is_in_the_order_of_its_synsets(names: list[str]) -> None:
    assert find_synsets(names) == read_synsets()
    assert compare_names(names, read_synsets()) == ("by name", None)
    assert compare_names(read_synsets(), names) == ("by name", None)


def test_shuffled_names_of_imagenet_are_followed() -> None:
    order, words = np.random.default_rng(0).permutation(1000), read_words()
    found = find_outputs([words[place] for place in order], read_synsets())
    assert found is not None
    assert [words[place] for place in order[list(found)]] == words  # two are called crane, and nothing tells them apart


def test_a_thousand_other_names_are_not_imagenets() -> None:
    assert find_synsets([f"thing {number}" for number in range(1000)]) is None
    assert find_synsets([*read_synsets()[:980], *(f"thing {number}" for number in range(20))]) is None
    how = compare_names([*read_synsets()[:999], "elephant"], read_synsets()).how
    assert how == "by name", "one word may differ between lists of names"


def test_a_name_can_not_break_the_sentence() -> None:
    how = compare_names(["a\nb", "x" * 100], ["c", "d"]).how
    assert "\n" not in how
    assert re.search(r"'a\\nb' for 'c', 'x{40}\.\.\.' for 'd'", how)


def test_classifiers_with_the_same_remark_share_a_sentence() -> None:
    odd = "by position: 1 of its 2 names differs from the images' ('a' for 'b')"
    short, sentences = describe_matchings({"one": odd, "two": "by name", "three": odd, "old": ""})
    assert short == "by position (2), by name (1)"
    assert sentences == (f"The classes of one, three are matched {odd}.",)
    assert describe_matchings({"old": ""}) == ("", ())
