"""The names of outputs that training scripts keep in a checkpoint."""

from pathlib import Path

import pytest

from zooscope.classifiers.class_names import ClassNames, find_class_names
from zooscope.classifiers.weights import Checkpoint
from zooscope.errors import ClassMatchingWarning


@pytest.mark.parametrize(
    "content",
    [
        {"class_to_idx": {"dog": 1, "cat": 0}},
        {"hyper_parameters": {"label2id": {"dog": 1, "cat": 0}}},
        {"idx_to_class": {1: "dog", 0: "cat"}},
        {"meta": {"id2label": {"1": "dog", "0": "cat"}}},
        {"classes": ["cat", "dog"]},
        {"args": {"class_names": ("cat", "dog")}, "classes": ["cat", "dog"]},
    ],
)
def test_names_are_found_in_the_order_of_the_outputs(content: dict[str, object]) -> None:
    assert find_class_names({"state_dict": {}, "epoch": 3, **content}) == (("cat", "dog"), "")


UNNUMBERED, CONTRADICTORY = "they are not numbered from 0 on", "they contradict each other"


@pytest.mark.parametrize(
    ("content", "flaw"),
    [
        ({}, ""),
        ({"classes": 2}, ""),
        ({"classes": "ab"}, ""),
        ({"labels": [0, 1]}, ""),
        ({"class_to_idx": {}}, ""),
        ({"class_to_idx": {"dog": 0.5, "cat": 0}}, ""),
        ({"class_to_idx": {"dog": 2, "cat": 0}}, UNNUMBERED),
        ({"class_to_idx": {"dog": 2, "cat": 1}}, UNNUMBERED),
        ({"class_to_idx": {"dog": 0, "cat": 0}}, UNNUMBERED),
        ({"classes": ["cat", "dog"], "class_to_idx": {"dog": 0, "cat": 1}}, CONTRADICTORY),
    ],
)
def test_what_names_no_outputs_is_passed_over_and_names_that_cant_be_used_have_a_flaw(
    content: dict[str, object], flaw: str
) -> None:
    assert find_class_names(content) == (None, flaw)


def test_a_bare_object_names_nothing() -> None:
    assert find_class_names([1, 2]) == (None, "")


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (ClassNames(("cat", "dog")), "there are 2 of them for 3 outputs"),
        (ClassNames(None, UNNUMBERED), UNNUMBERED),
    ],
)
def test_names_that_are_not_used_are_said(found: ClassNames, sentence: str) -> None:
    checkpoint = Checkpoint(file=Path("own.pt"), parts=(), class_names=found)
    with pytest.warns(
        ClassMatchingWarning, match=f"the names of classes in own.pt are not used: {sentence}; outputs are matched by"
    ):
        assert checkpoint.name_outputs(3) is None


def test_names_that_fit_are_used_without_a_word() -> None:
    checkpoint = Checkpoint(file=Path("own.pt"), parts=(), class_names=ClassNames(("cat", "dog")))
    assert checkpoint.name_outputs(2) == ("cat", "dog")
    assert Checkpoint(file=Path("own.pt"), parts=()).name_outputs(2) is None
