"""Which of a network's outputs stands for which class of the images."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.specimens import classifier_of, conv_network
from zooscope import load_classifier
from zooscope.classifiers.class_map import ClassMap, apply_class_map, match_classes
from zooscope.classifiers.class_map_file import read_outputs
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import InvalidValueError, MissingFileError


def five_classes() -> Classifier:
    return classifier_of("five", conv_network(0, num_classes=5), num_classes=5, size=(6, 6))


@settings(max_examples=20)
@given(outputs=st.lists(st.integers(0, 4), min_size=2, unique=True))
def test_logits_are_those_that_are_named_in_their_order(tmp_path_factory: pytest.TempPathFactory, outputs: list[int]) -> None:
    file = tmp_path_factory.mktemp("maps") / "map.txt"
    file.write_text("\n".join(map(str, outputs)), encoding="utf-8")
    pixels, whole = torch.rand(3, 3, 6, 6), five_classes()
    part = apply_class_map(whole, str(file))
    assert part.num_classes == len(outputs)
    torch.testing.assert_close(part.logits(pixels), whole.logits(pixels)[:, outputs], rtol=0, atol=0)


def test_a_background_class_in_front_is_left_out() -> None:
    pixels, whole = torch.rand(3, 3, 6, 6), five_classes()
    part = apply_class_map(whole, "background")
    assert part.num_classes == 4
    torch.testing.assert_close(part.logits(pixels), whole.logits(pixels)[:, 1:], rtol=0, atol=0)


def test_gradients_flow_through_the_map_to_the_pixels() -> None:
    pixels, whole = torch.rand(2, 3, 6, 6, requires_grad=True), five_classes()
    (mapped_gradient,) = torch.autograd.grad(apply_class_map(whole, "background").logits(pixels)[:, 1].sum(), pixels)
    (gradient,) = torch.autograd.grad(whole.logits(pixels)[:, 2].sum(), pixels)
    torch.testing.assert_close(mapped_gradient, gradient)


def test_another_map_is_another_classifier(tmp_path: Path) -> None:
    digests = {five_classes().digest, apply_class_map(five_classes(), "background").digest}
    for number, content in enumerate(["1\n2\n3\n4", "1\n2\n4\n3", "class,output\na,1\nb,2\nc,3\nd,4"]):
        (tmp_path / f"{number}.txt").write_text(content, encoding="utf-8")
        digests.add(apply_class_map(five_classes(), str(tmp_path / f"{number}.txt")).digest)
    assert len(digests) == 3  # the first file and the last say what background says


@pytest.mark.parametrize(
    "content",
    [
        "3\n0\n2\n",
        " 3 \r\n0\r\n\r\n2",
        "class,output\ncat,3\ndog,0\nfish,2\n",
        "Class, Output\n0, 3\n1, 0\n2, 2\n",
        'class,output\na, b,3\n"c",0\nd,2',
    ],
    ids=["text", "windows", "names", "numbers", "commas"],
)
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "with mark"])
def test_text_and_tables_are_read(tmp_path: Path, content: str, mark: str) -> None:
    (tmp_path / "map.txt").write_text(mark + content, encoding="utf-8")
    assert read_outputs(tmp_path / "map.txt") == (3, 0, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"the class map .*map\.txt is empty; write one output of the network a line"),
        ("class,output\n", "is empty; write one"),
        ("0\ncat\n", r"line 2 of the class map .* must be the number of an output, counted from 0: got 'cat'"),
        ("0\n-1\n", r"line 2 of .* must be the number of an output, counted from 0: got '-1'"),
        ("0\n1.0\n", r"line 2 of .* must be the number of an output"),
        ("cat,0\n", r"line 1 of .* must be the number of an output, counted from 0: got 'cat,0'"),
        ("class,output\ncat\n", r"line 2 of .* must be a line class,output: got 'cat'"),
        ("0\n\n3\n0\n", r"line 4 of the class map .* names output 0 again \(line 1 has it\); take one out"),
        ("class,output\n0,5\n2,6\n", r"line 3 of .* is about class 2 where class 1 is due; order the lines by class"),
    ],
)
def test_what_is_no_class_map_is_refused_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "map.txt").write_text(content, encoding="utf-8")
    with pytest.raises(InvalidValueError, match=message):
        read_outputs(tmp_path / "map.txt")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "map.txt").write_bytes(bytes(range(256)))
    with pytest.raises(InvalidValueError, match=r"map\.txt is no text"):
        read_outputs(tmp_path / "map.txt")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no class map .*map\.txt; give a text file .* or class_map=background"):
        load_classifier(f"bundled:vit?class_map={tmp_path / 'map.txt'}")


def test_an_output_that_the_network_does_not_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "map.txt").write_text("0\n5\n", encoding="utf-8")
    with pytest.raises(
        InvalidValueError, match=r"map\.txt names output 5, but the network of five has outputs 0 to 4; count from 0"
    ):
        apply_class_map(five_classes(), str(tmp_path / "map.txt"))


def test_nothing_but_background_is_refused() -> None:
    lonely = classifier_of("two", nn.Sequential(nn.Flatten(), nn.Linear(108, 2)), num_classes=2, size=(6, 6))
    with pytest.raises(InvalidValueError, match="the class map background leaves two fewer than 2 of its 2 outputs"):
        apply_class_map(lonely, "background")


# Matched by name

NAMES = ("cat", "dog", "fish", "emu", "owl")


@given(order=st.permutations(range(5)))
def test_a_network_that_names_its_outputs_is_followed_whatever_their_order(order: list[int]) -> None:
    pixels, whole = torch.rand(3, 3, 6, 6), replace(five_classes(), class_names=NAMES)
    shuffled = replace(whole, network=ClassMap(whole.network, order).eval(), class_names=tuple(NAMES[place] for place in order))
    matched = match_classes(shuffled, NAMES)
    assert matched.class_names == NAMES
    torch.testing.assert_close(matched.logits(pixels), whole.logits(pixels), rtol=0, atol=0)
    assert matched.class_matching.partition(":")[0] == "by name"


def test_matched_again_it_is_the_same_and_matched_with_other_classes_it_starts_anew() -> None:
    classifier, classes, others = replace(five_classes(), class_names=NAMES), NAMES[::-1], (*NAMES[2:], *NAMES[:2])
    matched = match_classes(classifier, classes)
    assert match_classes(matched, classes) is matched
    again = match_classes(matched, others)
    assert again.digest == match_classes(classifier, others).digest != matched.digest
    assert match_classes(again, NAMES).digest == classifier.digest
    assert match_classes(again, NAMES).class_matching == "by name"


def test_where_nothing_moves_the_identity_stays() -> None:
    whole = replace(five_classes(), class_names=NAMES)
    for classes in (NAMES, ("Cat", "DOG", "fish", "emu", "owl"), ("a", "b", "c", "d", "e"), ("0", "1", "2", "3", "4")):
        assert match_classes(whole, classes).digest == whole.digest
    assert match_classes(whole, NAMES[::-1], are_given=True).digest == whole.digest


def test_a_class_map_holds_against_names_and_renames_what_it_moves(tmp_path: Path) -> None:
    (tmp_path / "map.txt").write_text("1\n0\n2\n3\n4", encoding="utf-8")
    part = apply_class_map(replace(five_classes(), class_names=NAMES), str(tmp_path / "map.txt"))
    assert part.class_names == ("dog", "cat", "fish", "emu", "owl")
    matched = match_classes(part, NAMES)
    assert matched.digest == part.digest
    assert matched.class_matching == (
        "by its class map: the network's own names have another order ('dog' for 'cat', 'cat' for 'dog')"
    )
    assert match_classes(part, part.class_names).class_matching == "by its class map"


def test_names_must_be_as_many_as_outputs() -> None:
    with pytest.raises(InvalidValueError, match="five has 5 outputs, but 4 names for them; name each of them once"):
        replace(five_classes(), class_names=NAMES[:4])
