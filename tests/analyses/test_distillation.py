from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from tests.analyses.zoo import matrix_of
from zooscope.analyses.distillation import RELATIONS, Distillation, measure_distillation
from zooscope.analyses.teachers import EVIDENCE
from zooscope.errors import InvalidValueError, UnknownNameError

TEACHERS = tuple(f"cnn {number}" for number in range(6)) + tuple(f"vit {number}" for number in range(4))
NAMES = ("student", *TEACHERS)
BASES = {"student": "Transformer"} | {name: "CNN" if name.startswith("cnn") else "Transformer" for name in TEACHERS}
GENERATOR = np.random.default_rng(0)
SAT = pd.Series(GENERATOR.uniform(1, 4, len(TEACHERS)), index=TEACHERS)
ACCURACIES = pd.Series(GENERATOR.uniform(79, 83, len(TEACHERS)), index=TEACHERS)
SEEDS = pd.DataFrame(
    {"teacher": np.repeat(TEACHERS, 2), "accuracy": GENERATOR.uniform(0.6, 0.7, 20), "flips_after": GENERATOR.uniform(0, 0.3, 20)}
)
QUICK: dict[str, Any] = {"accuracies": ACCURACIES.to_dict(), "num_permutations": 99}


def matrix(sat: "pd.Series[float]" = SAT) -> xr.DataArray:
    values = np.full((len(NAMES), len(NAMES)), 4.6)
    values[0, 1:] = values[1:, 0] = sat
    return matrix_of(values, NAMES)


def measure(students: pd.DataFrame = SEEDS, flips_before: dict[str, float] | None = None) -> Distillation:
    return measure_distillation(matrix(), BASES, "student", students, flips_before=flips_before, **QUICK)


def test_every_relation_is_scipys_over_the_means_of_the_teachers_of_its_kind() -> None:
    before = {name: 0.1 + 0.01 * number**2 for number, name in enumerate(TEACHERS)}
    found = measure(SEEDS, before)
    mean = SEEDS.groupby("teacher").mean()
    accuracy, after = 100 * mean["accuracy"][list(TEACHERS)], 100 * mean["flips_after"][list(TEACHERS)]
    cnn = [name for name in TEACHERS if BASES[name] == "CNN"]
    vit = [name for name in TEACHERS if name not in cnn]
    for name, x, y in (
        ("sat", SAT, accuracy),
        ("sat_same", SAT[vit], accuracy[vit]),
        ("sat_other", SAT[cnn], accuracy[cnn]),
        ("teacher_accuracy", ACCURACIES, accuracy),
        ("flips_before", 100 * pd.Series(before), accuracy),
        ("flips_after", SAT, after),
    ):
        expected, relation = stats.linregress(x, y), found.relations[name]
        assert relation.correlation.r == pytest.approx(expected.rvalue), name
        assert relation.correlation.p == pytest.approx(expected.pvalue), name
        assert relation.trend.slope == pytest.approx(expected.slope), name
        assert relation.teachers == tuple(x.index), name
    assert list(found.relations) == list(RELATIONS)
    assert found.relations["sat_same"].evidence == EVIDENCE["same"]


def test_a_teachers_students_are_one_point_and_their_spread_is_said() -> None:
    students = pd.DataFrame({"teacher": ["cnn 0"] * 3 + ["cnn 1"] * 2 + ["vit 0"], "accuracy": [0.60, 0.62, 0.70, 0.50, 0.54, 0.9]})
    found = measure(students)
    row = found.teachers.T["cnn 0"].to_dict()
    assert [row[key] for key in ("students", "lowest", "highest", "student accuracy")] == pytest.approx([3, 60, 70, 64])
    squares = np.sum((np.array([60, 62, 70]) - 64.0) ** 2) + np.sum((np.array([50, 54]) - 52.0) ** 2)
    assert found.std_within == pytest.approx(np.sqrt(squares / 3))
    assert found.std_between == pytest.approx(np.std([64, 52, 90], ddof=1))
    assert np.isnan(found.teachers["std"]["vit 0"])


def test_single_students_tell_no_spread() -> None:
    assert np.isnan(measure(SEEDS.iloc[::2]).std_within)


def test_fewer_than_three_teachers_give_no_number() -> None:
    found = measure(SEEDS[SEEDS["teacher"].isin(["cnn 0", "cnn 1", "vit 0"])])
    assert found.relations["sat"].correlation.count == 3
    assert np.isfinite(found.relations["sat"].correlation.r)
    for kind, count in (("same", 1), ("other", 2)):
        relation = found.relations[f"sat_{kind}"]
        assert relation.correlation.count == count
        assert np.isnan([relation.correlation.r, relation.correlation.p, relation.correlation.p_permuted]).all()
        assert len(relation.trend.x) == 0


def test_what_is_not_known_counts_where_it_can() -> None:
    sat = SAT.copy()
    sat["vit 3"] = np.nan
    found = measure_distillation(matrix(sat), BASES | {"cnn 5": None}, "student", SEEDS, **QUICK)
    counts = {name: relation.correlation.count for name, relation in found.relations.items()}
    assert counts == {"sat": 9, "sat_same": 3, "sat_other": 5, "teacher_accuracy": 10, "flips_before": 0, "flips_after": 9}
    without = measure_distillation(matrix(), {}, "student", SEEDS, **QUICK)
    assert without.base_architecture is None
    assert [without.relations[name].correlation.count for name in ("sat", "sat_same", "sat_other")] == [10, 0, 0]


def test_students_without_a_teacher_or_of_a_teacher_elsewhere_are_set_apart() -> None:
    more = pd.DataFrame({"teacher": [None, None, "swin", "student"], "accuracy": [0.61, 0.6, 0.1, 0.2]})
    found, plain = measure(pd.concat([more, SEEDS])), measure()
    assert found.without_teacher == pytest.approx((60, 61))
    assert set(found.left_out) == {"swin", "student"}
    assert found.left_out["swin"] == "is not in the study"
    pd.testing.assert_frame_equal(found.teachers, plain.teachers)
    assert found.relations["sat"].correlation == plain.relations["sat"].correlation


def test_the_order_of_classifiers_and_students_makes_no_difference() -> None:
    order = list(np.random.default_rng(1).permutation(NAMES))
    shuffled = SEEDS.sample(frac=1, random_state=np.random.RandomState(0))
    permuted = measure_distillation(matrix().sel(a=order, b=order), BASES, "student", shuffled, **QUICK)
    found = measure()
    pd.testing.assert_frame_equal(permuted.teachers, found.teachers, check_exact=True)
    for name in RELATIONS:
        assert repr(permuted.relations[name].correlation) == repr(found.relations[name].correlation)


@pytest.mark.parametrize(
    ("students", "sentence"),
    [
        (pd.DataFrame({"teacher": ["cnn 0"]}), r"the table of students has no column 'accuracy'; it needs teacher and accuracy"),
        (pd.DataFrame({"teacher": ["cnn 0"], "accuracy": [71.2]}), r"must be a share in \[0, 1\]: got 71\.2\. For 71\.2 percent"),
        (pd.DataFrame({"teacher": ["cnn 0"], "accuracy": [np.nan]}), r"accuracy of a student must be a share in \[0, 1\]: got"),
        (SEEDS.assign(flips_after=12.0), r"flips_after of a student must be a share in \[0, 1\]: got 12\.0\."),
        (SEEDS.assign(teacher="swin"), r"no student has a teacher that the study holds \(swin is not in the study\); measure the"),
        (SEEDS.assign(teacher=None), r"no student has a teacher that the study holds; measure the teachers\."),
    ],
)
def test_students_that_tell_nothing_are_refused(students: pd.DataFrame, sentence: str) -> None:
    with pytest.raises(InvalidValueError, match=sentence):
        measure(students)


def test_an_unknown_student_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown classifier 'studnet'"):
        measure_distillation(matrix(), BASES, "studnet", SEEDS)
