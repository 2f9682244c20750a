"""Which accuracies are pointed out."""

from dataclasses import replace

import numpy as np
import pytest

from tests.records.written import classifier
from tests.specimens import Array
from zooscope.classifiers.bundled.cards import read_cards
from zooscope.engine.plausible import describe_guesser, describe_implausible, find_permutations, warn_of_implausible
from zooscope.errors import ImplausibleClassifierWarning
from zooscope.records.predictions import NOT_MEASURED

LABELS = np.arange(100) % 10
RECORDS = [classifier(name, num_classes=10) for name in "abcd"]


def right_of(num_right: int) -> Array:
    """So many right answers, and wrong ones that no permutation puts right."""
    said = (LABELS + 1 + np.arange(100) // 10 % 9) % 10
    return np.where(np.arange(100) < num_right, LABELS, said)


def describe(*num_right: int) -> dict[str, str]:
    clean = np.array([right_of(number) for number in num_right])
    records = RECORDS[: len(num_right)]
    return describe_implausible(records, clean, LABELS, find_permutations(records, clean, LABELS))


def test_far_below_half_of_the_median_of_the_others_is_pointed_out() -> None:
    assert describe(90, 80, 20, 84) == {
        "c": "c gets 20 of 100 clean images right, and the median of the others is 84.0 %; check its order of classes, "
        "preprocessing and weights."
    }


def test_above_half_or_by_accident_below_it_is_not() -> None:
    assert not describe(90, 80, 45, 84)
    assert not describe(90, 80, 38, 84)  # 42 are half; 38 or fewer come by accident in a quarter of cases


def test_among_many_classifiers_a_false_alarm_stays_rare() -> None:
    # Of each class as many are right as go to its twin, the worst case: of one classifier alone 1 in 100 seems permuted.
    generator, records = np.random.default_rng(0), [classifier(f"c{number}", num_classes=10) for number in range(500)]
    labels = np.arange(200) % 10
    clean = np.where(generator.random((500, 200)) < 0.5, labels, labels ^ 1)
    alone = [find_permutations([record], said[None], labels) for record, said in zip(records, clean, strict=True)]
    assert sum(map(len, alone)) >= 1
    assert not find_permutations(records, clean, labels)


def test_one_peer_is_too_few() -> None:
    assert not describe(90, 20)


def test_a_bundled_classifier_is_compared_with_its_card() -> None:
    card = read_cards()["resnet"].test_accuracy
    record = replace(RECORDS[0], address="bundled:resnet")
    found = describe_implausible([record], right_of(20)[None], LABELS, {})
    assert found["a"].startswith(f"a gets 20 of 100 clean images right, and its card says {100 * card:.1f} % of CIFAR-10's test")
    assert not describe_implausible([record], right_of(90)[None], LABELS, {})


@pytest.mark.parametrize(
    ("matching", "ending"),
    [
        ("", "with the lines 1, 0, 2, 3, 4, 5, 6, 7, 8, 9."),
        ("by its class map", "Outputs are counted here behind the class map that it has; if that is wrong, correct it."),
        (
            "by name: the order differs",
            "as they were put into the order of their names; if these names are wrong, correct them where the classifier has them.",
        ),
    ],
)
def test_a_permutation_goes_before_everything_else(matching: str, ending: str) -> None:
    record = replace(RECORDS[0], address="bundled:resnet", class_matching=matching)
    clean = np.array([1, 0, 2, 3, 4, 5, 6, 7, 8, 9])[LABELS][None]
    with pytest.warns(ImplausibleClassifierWarning) as warned:
        warn_of_implausible([record], clean, LABELS)
    (sentence,) = [str(one.message) for one in warned]
    assert sentence.startswith(
        "a gets 80.0 % of the clean images right, but 100.0 % with its outputs in another order (class 0 is output 1, class 1 is"
    )
    assert sentence.endswith(ending)


def test_only_those_are_pointed_out_that_are_asked_for(recwarn: pytest.WarningsRecorder) -> None:
    warn_of_implausible(RECORDS, np.array([right_of(number) for number in (90, 80, 20, 84)]), LABELS, only=["a"])
    assert not recwarn.list


def test_of_what_is_not_measured_nothing_is_said() -> None:
    clean = np.array([right_of(90), right_of(90), np.full(100, NOT_MEASURED)])
    assert not describe_implausible(RECORDS[:3], clean, LABELS, find_permutations(RECORDS[:3], clean, LABELS))


def test_a_guesser_that_is_right_in_another_order_is_told_so() -> None:
    order = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 0])
    assert describe_guesser(replace(RECORDS[0], name="odd"), order[LABELS], LABELS) == (
        "odd gets 0 of 100 clean images right: chance level, but 100.0 % with its outputs in another order (class 0 is output 1, "
        "class 1 is output 2, class 2 is output 3 and 7 more). If that is their order, give it a class map (class_map=FILE) with "
        "the lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 0"
    )
    assert "fix them" in describe_guesser(RECORDS[0], right_of(10), LABELS)
