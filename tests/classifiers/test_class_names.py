"""The names of outputs that training scripts keep in a checkpoint."""

import pytest

from zooscope.classifiers.class_names import find_class_names


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
    assert find_class_names({"state_dict": {}, "epoch": 3, **content}) == ("cat", "dog")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"classes": 2},
        {"classes": "ab"},
        {"labels": [0, 1]},
        {"class_to_idx": {"dog": 2, "cat": 0}},
        {"class_to_idx": {"dog": 0, "cat": 0}},
        {"class_to_idx": {"dog": 0.5, "cat": 0}},
        {"class_to_idx": {}},
        {"classes": ["cat", "dog"], "class_to_idx": {"dog": 0, "cat": 1}},
    ],
)
def test_what_names_no_outputs_or_contradicts_itself_is_passed_over(content: dict[str, object]) -> None:
    assert find_class_names(content) is None


def test_a_bare_object_names_nothing() -> None:
    assert find_class_names([1, 2]) is None
