"""Distilled students: does the similarity of teacher and student go with the student's accuracy?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from zooscope.analyses.teachers import ACCURACY_EVIDENCE, EVIDENCE, Evidence, rank_teachers
from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError
from zooscope.inline.results import ShownInline
from zooscope.statistics.correlation import PointCorrelation, correlate_points
from zooscope.statistics.permutations import NUM_PERMUTATIONS
from zooscope.statistics.trend import CONFIDENCE, Trend, fit_point_trend

FEWEST_TEACHERS: Final = 3
PERCENT: Final = 100.0
COLUMNS: Final = ("teacher", "accuracy")
# By relation: x, y, the kind of teachers (all where empty), and what the paper found.
RELATIONS: Final[dict[str, tuple[str, str, str, Evidence | None]]] = {
    "sat": ("sat", "student accuracy", "", EVIDENCE["all"]),
    "sat_same": ("sat", "student accuracy", "same", EVIDENCE["same"]),
    "sat_other": ("sat", "student accuracy", "other", EVIDENCE["other"]),
    "teacher_accuracy": ("accuracy", "student accuracy", "", ACCURACY_EVIDENCE),
    "flips_before": ("flips before", "student accuracy", "", None),
    "flips_after": ("sat", "flips after", "", None),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Relation(ShownInline):
    """How two numbers go together over teachers.

    Attributes:
        x: a column of `Distillation.teachers`.
        y: another one.
        teachers: those with both numbers, in alphabetical order.
        correlation: over the teachers; NaN for fewer than three, or if one of the numbers is the same for all.
        trend: y by x; without positions where there is no correlation.
        evidence: what the paper found; None where it gives nothing.
    """

    x: str
    y: str
    teachers: tuple[str, ...]
    correlation: PointCorrelation
    trend: Trend
    evidence: Evidence | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Distillation(ShownInline):
    """Students of several teachers, and what goes with their accuracy.

    Attributes:
        student: the classifier that stands for the students' architecture.
        base_architecture: its base architecture; None if it is not known, and then no teacher is of the same or another one.
        teachers: a row per teacher with students, in alphabetical order. Index `name`; columns `base architecture`, `kind` ("same"
            or "other" than the student's, empty if not known), `sat` (to the student, natural log), `accuracy` (of the teacher),
            `students` (how many), `student accuracy` (their mean), `lowest`, `highest`, `std` (over them; NaN for one), `flips
            before` (images that the teacher gets right and the classifier `student` wrong), `flips after` (images that the teacher
            gets right and its student wrong, the mean). All but `sat` and `students` in percent; NaN if not known.
        relations: by name, in the order of `RELATIONS`.
        without_teacher: accuracies of students that were trained without a teacher, percent.
        left_out: teachers whose students are not used, with the reason.
        std_within: standard deviation of the accuracy over students of one teacher, pooled; NaN if no teacher has two.
        std_between: standard deviation of the means of teachers; NaN for one.
    """

    student: str
    base_architecture: str | None
    teachers: pd.DataFrame
    relations: dict[str, Relation]
    without_teacher: tuple[float, ...]
    left_out: dict[str, str]
    std_within: float
    std_between: float


@check_arguments
def measure_distillation(
    sat: xr.DataArray,
    base_architectures: Mapping[str, str | None],
    student: str,
    students: pd.DataFrame,
    *,
    accuracies: Mapping[str, float] | None = None,
    flips_before: Mapping[str, float] | None = None,
    confidence: float = CONFIDENCE,
    num_permutations: int = NUM_PERMUTATIONS,
    seed: int = 0,
) -> Distillation:
    """Correlates the similarity of teacher and student, and the teacher's own accuracy, with the accuracy of distilled students.

    SAT is that of the teacher and a classifier of the students' architecture, not of the student itself: the paper takes DeiT-S,
    because DeiT-Ti, its student, is less accurate than the teachers. Every teacher counts once, by the mean over its students. The
    p values are not corrected for their number.

    Source: Hwang et al., ECCV 2024, Section 5.2, Figures 8 and G.1.

    Example:
        >>> import pandas as pd
        >>> import xarray as xr
        >>> import zooscope.analyses
        >>> names = ["student", "cnn", "mixer", "vit"]
        >>> scores = [[4.6, 2.0, 2.5, 3.0], [2.0, 4.6, 1.0, 1.0], [2.5, 1.0, 4.6, 1.0], [3.0, 1.0, 1.0, 4.6]]
        >>> sat = xr.DataArray(scores, dims=("a", "b"), coords={"a": names, "b": names})
        >>> students = pd.DataFrame({"teacher": ["cnn", "cnn", "mixer", "vit"], "accuracy": [0.71, 0.73, 0.71, 0.70]})
        >>> found = zooscope.analyses.measure_distillation(sat, {}, "student", students)
        >>> round(found.relations["sat"].correlation.r, 6), round(found.std_within, 2)
        (-1.0, 1.41)

    Args:
        sat: dimensions `a` and `b`, natural log.
        base_architectures: by classifier; None or missing if not known.
        student: a classifier of the matrix, of the students' architecture.
        students: a row per student: `teacher` (its name; missing for a student that was trained without one), `accuracy` (share of
            held-out images) and, if known, `flips_after` (share of images that the teacher gets right and the student wrong).
        accuracies: clean accuracy by teacher, percent.
        flips_before: share of images that a teacher gets right and the classifier `student` wrong, by teacher.
        confidence: of the bands of the trend lines.
        num_permutations: of each test.
        seed: of the permutations.

    Returns:
        The result; it doesn't depend on the order of classifiers and students.

    Raises:
        UnknownNameError: the matrix has no such student.
        InvalidValueError: no student has a teacher in the matrix, a column is missing, an accuracy is no share, or the confidence
            or the number of permutations is out of range.
    """
    ranked = rank_teachers(sat, base_architectures, student, accuracies=accuracies)
    _require_students(students)
    parts = {"same": ranked.same, "other": ranked.other, "": ranked.unranked}
    candidates = pd.concat([part.assign(kind=kind) for kind, part in parts.items() if not part.empty])
    taught = students[students["teacher"].notna()].astype({"teacher": "str"}).sort_values(["teacher", "accuracy"])
    left_out = _find_left_out(taught["teacher"], list(candidates.index), student)
    table = _make_table(candidates, taught[~taught["teacher"].isin(left_out)])
    if table.empty:
        named = "".join(f" ({name} {reason})" for name, reason in [*left_out.items()][:1])
        msg = f"no student has a teacher that the study holds{named}; measure the teachers."
        raise InvalidValueError(msg)
    known = flips_before or {}
    table["flips before"] = [PERCENT * float(known.get(str(name), np.nan)) for name in table.index]
    spread = table["std"].notna()
    squares, freedom = (table["std"] ** 2 * (table["students"] - 1))[spread].sum(), (table["students"] - 1)[spread].sum()
    return Distillation(
        student=student,
        base_architecture=ranked.base_architecture,
        teachers=table,
        relations={
            name: _relate(table, name, confidence=confidence, num_permutations=num_permutations, seed=seed) for name in RELATIONS
        },
        without_teacher=tuple(sorted(PERCENT * float(value) for value in students["accuracy"][students["teacher"].isna()])),
        left_out=left_out,
        std_within=float(np.sqrt(squares / freedom)) if freedom else float("nan"),
        std_between=float(table["student accuracy"].std()),
    )


def _require_students(students: pd.DataFrame) -> None:
    missing = [column for column in COLUMNS if column not in students.columns]
    if missing:
        msg = f"the table of students has no column {missing[0]!r}; it needs {' and '.join(COLUMNS)}, a row per student."
        raise InvalidValueError(msg)
    for column in ("accuracy", "flips_after"):
        if column in students.columns:
            numbers = pd.to_numeric(students[column], errors="coerce")
            is_missing = column == "flips_after" and students[column].isna()
            wrong = students[column][~(numbers.between(0, 1) | is_missing)]
            if len(wrong):
                msg = f"{column} of a student must be a share in [0, 1]: got {wrong.iloc[0]}. For 71.2 percent write 0.712."
                raise InvalidValueError(msg)


def _find_left_out(teachers: "pd.Series[str]", candidates: list[str], student: str) -> dict[str, str]:
    reasons = dict.fromkeys(sorted(set(teachers) - set(candidates)), "is not in the study")
    if student in reasons:
        reasons[student] = "stands for the students itself and has no SAT with itself"
    return reasons


def _make_table(candidates: pd.DataFrame, taught: pd.DataFrame) -> pd.DataFrame:
    """A row per teacher with students."""
    grouped = (PERCENT * taught["accuracy"].astype(np.float64)).groupby(taught["teacher"])
    flips = taught["flips_after"] if "flips_after" in taught.columns else pd.Series(np.nan, index=taught.index)
    summary = pd.DataFrame(
        {
            "students": grouped.size(),
            "student accuracy": grouped.mean(),
            "lowest": grouped.min(),
            "highest": grouped.max(),
            "std": grouped.std(),
            "flips after": (PERCENT * flips.astype(np.float64)).groupby(taught["teacher"]).mean(),
        }
    )
    known = candidates[["base architecture", "kind", "sat", "accuracy"]]
    return known.join(summary, how="inner").sort_index()


def _relate(table: pd.DataFrame, name: str, *, confidence: float, num_permutations: int, seed: int) -> Relation:
    x, y, kind, evidence = RELATIONS[name]
    known = table[x].notna() & table[y].notna() & (table["kind"].eq(kind) if kind else True)
    taken = table[known]
    values = [_take_column(taken, column) for column in (x, y)]
    correlation = correlate_points(values[0], values[1], num_permutations=num_permutations, seed=seed)
    shown = [column if np.isfinite(correlation.r) else column[:0] for column in values]
    return Relation(
        x=x,
        y=y,
        teachers=tuple(map(str, taken.index)),
        correlation=correlation,
        trend=fit_point_trend(shown[0], shown[1], confidence=confidence),
        evidence=evidence,
    )


def _take_column(table: pd.DataFrame, name: str) -> Float[np.ndarray, " teacher"]:
    return table[name].to_numpy(np.float64)
