from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.analyses.zoo import matrix_of
from zooscope.analyses.teachers import ACCURACY_EVIDENCE, EVIDENCE, Evidence, rank_teachers
from zooscope.errors import InvalidValueError, UnknownNameError

NAMES = ("student", "vit", "deit", "resnet", "convnext", "mixer")
BASES = {
    "student": "Transformer",
    "vit": "Transformer",
    "deit": "Transformer",
    "resnet": "CNN",
    "convnext": "CNN",
    "mixer": "MLP-Mixer",
}
SCORES = np.array([4.6, 3.0, 3.5, 2.0, 2.5, 1.5])
MATRIX = matrix_of(np.minimum.outer(SCORES, SCORES), NAMES)


def test_of_the_same_base_architecture_the_most_alike_come_first_of_others_the_least() -> None:
    found: Any = rank_teachers(MATRIX, BASES, "student", accuracies={"vit": 80.0, "mixer": 70.0})
    assert found.base_architecture == "Transformer"
    assert found.same.index.tolist() == ["deit", "vit"]
    assert found.other.index.tolist() == ["mixer", "resnet", "convnext"]
    assert found.same["sat"].tolist() == [3.5, 3.0]
    assert found.other.loc["resnet", "base architecture"] == "CNN"
    assert found.same.loc["vit", "accuracy"] == 80
    assert np.isnan(found.same.loc["deit", "accuracy"])
    assert found.unranked.empty


def test_what_is_not_known_is_not_ranked() -> None:
    found: Any = rank_teachers(MATRIX, {**BASES, "vit": None, "mixer": ""}, "student")
    assert found.unranked.index.tolist() == ["vit", "mixer"]
    assert found.same.index.tolist() == ["deit"]


@pytest.mark.parametrize("unknown", [{}, {**BASES, "student": None}])
def test_without_the_students_base_architecture_nothing_is_ranked(unknown: dict[str, str | None]) -> None:
    found: Any = rank_teachers(MATRIX, unknown, "student")
    assert found.base_architecture is None
    assert found.same.empty
    assert found.other.empty
    assert found.unranked.index.tolist() == ["deit", "vit", "convnext", "resnet", "mixer"]


def test_a_candidate_without_a_score_is_not_ranked() -> None:
    scores = MATRIX.copy(deep=True)
    scores.loc[{"a": "student", "b": "deit"}] = np.nan
    found: Any = rank_teachers(scores, BASES, "student")
    assert found.same.index.tolist() == ["vit"]
    assert found.unranked.index.tolist() == ["deit"]


def test_intervals_come_along_where_there_are_some() -> None:
    ends = MATRIX.assign_coords(low=(("a", "b"), MATRIX.to_numpy() - 0.1), high=(("a", "b"), MATRIX.to_numpy() + 0.2))
    found: Any = rank_teachers(ends, BASES, "student").same
    np.testing.assert_allclose(found["low"], found["sat"] - 0.1)
    np.testing.assert_allclose(found["high"], found["sat"] + 0.2)
    assert rank_teachers(MATRIX, BASES, "student").same["low"].isna().all()


def test_the_order_of_the_classifiers_makes_no_difference() -> None:
    order = ["mixer", "vit", "student", "deit", "convnext", "resnet"]
    permuted: Any = rank_teachers(MATRIX.sel(a=order, b=order), BASES, "student")
    found: Any = rank_teachers(MATRIX, BASES, "student")
    assert permuted.same.equals(found.same)
    assert permuted.other.equals(found.other)


@pytest.mark.parametrize("evidence", [*EVIDENCE.values(), ACCURACY_EVIDENCE])
def test_the_papers_p_values_belong_to_its_correlations_and_counts(evidence: Evidence) -> None:
    # r is printed with two or three digits: p must lie between those of the ends of its last digit.
    digit = 0.005 if abs(evidence.r) > 0.1 else 0.0005
    ends = []
    for r in (evidence.r - digit, evidence.r + digit):
        t = r * np.sqrt((evidence.count - 2) / (1 - r**2))
        ends.append(2 * stats.t.sf(abs(t), evidence.count - 2))
    assert min(ends) - 0.003 <= evidence.p <= max(ends) + 0.003


def test_both_kinds_of_teachers_are_all_teachers() -> None:
    assert EVIDENCE["same"].count + EVIDENCE["other"].count == EVIDENCE["all"].count


def test_an_unknown_student_is_refused_with_near_names() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown classifier 'studnet'\. Did you mean student or"):
        rank_teachers(MATRIX, BASES, "studnet")


def test_a_student_without_candidates_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"student is the only classifier; measure candidates to teach it\."):
        rank_teachers(MATRIX.sel(a=["student"], b=["student"]), BASES, "student")
