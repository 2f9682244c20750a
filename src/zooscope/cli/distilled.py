"""Distilled students of a study's classifiers, for `zooscope teachers --students`."""

from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from zooscope.cli.analysing import make_table
from zooscope.cli.guesses import Guesses, mark
from zooscope.words import format_count, format_interval, format_number, format_percent, list_few, shorten_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from zooscope.analyses.distillation import Distillation, Relation
    from zooscope.exchange.students import Students
    from zooscope.study.snapshot import Snapshot

COMPONENT: Final = "base architecture"
SHOWN: Final = {
    "sat": "SAT: all",
    "sat_same": "SAT: same base architecture",
    "sat_other": "SAT: other base architecture",
    "teacher_accuracy": "Teacher's accuracy",
    "flips_before": "Positive flips before",
    "flips_after": "Positive flips after, by SAT",
}
MOST_NAMES: Final = 5

StudentsFolder = Annotated[
    Path | None,
    typer.Option(
        "--students",
        metavar="DIR",
        help="What `zooscope distill` wrote: how does SAT go with the students' accuracy? NAME then stands for their architecture.",
        show_default=False,
    ),
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Distilled:
    """Students in a folder, and what goes with their accuracy.

    Attributes:
        students: in the folder.
        table: a row per student, see `make_student_table`.
        found: the correlations.
        num_images: of the study; 0 for a published matrix.
    """

    students: "Students"
    table: "pd.DataFrame"
    found: "Distillation"
    num_images: int


def measure_students(
    study: "Snapshot",
    folder: Path,
    base_architectures: "Mapping[str, str | None]",
    student: str,
    *,
    accuracies: "Mapping[str, float]",
    seed: int,
) -> Distilled:
    """Reads students, and correlates their accuracy with the similarity of their teachers.

    Raises:
        MissingFileError: there is no such folder.
        InvalidValueError: the students can't be used.
        UnknownNameError: the study has no such classifier as `student`.
    """
    from zooscope.analyses.distillation import measure_distillation
    from zooscope.exchange.students import make_student_table, read_students

    students = read_students(folder)
    study.require_known(student)
    table = make_student_table(students, None if study.is_imported else study.predictions)
    flips: dict[str, float] = {}
    if not study.is_imported:
        row = study.similarity("positive_flips", confidence=None).sel(a=student)
        flips = {str(name): float(value) for name, value in zip(row["b"].to_numpy(), row.to_numpy(), strict=True)}
    found = measure_distillation(
        study.sat(confidence=None),
        base_architectures,
        student,
        table,
        accuracies=accuracies,
        flips_before=flips,
        seed=seed,
    )
    return Distilled(students=students, table=table, found=found, num_images=study.num_images)


def encode_students(distilled: Distilled) -> dict[str, Any]:
    """For `--json`."""
    found = distilled.found
    return {
        "folder": str(distilled.students.folder),
        "architecture": distilled.students.architecture,
        "count": len(distilled.students.students),
        "skipped": distilled.students.num_skipped,
        "teachers": _encode_teachers(found),
        "relations": {name: _encode_relation(relation) for name, relation in found.relations.items()},
        "without_teacher": found.without_teacher,
        "left_out": found.left_out,
        "std_within": found.std_within,
        "std_between": found.std_between,
        "flips_images": {"before": distilled.num_images, "after": _count_flips_images(distilled)},
    }


def _count_flips_images(distilled: Distilled) -> tuple[int, int]:
    """The fewest and the most images behind a student's flips, of students that have some; 0 for none."""
    counts = distilled.table["flips_images"]
    known = counts[counts > 0]
    return (int(known.min()), int(known.max())) if len(known) else (0, 0)


def _encode_teachers(found: "Distillation") -> list[dict[str, Any]]:
    table = found.teachers.rename_axis("name").reset_index()
    return [
        {str(key).replace(" ", "_"): value or None if key in (COMPONENT, "kind") else value for key, value in row.items()}
        for row in table.to_dict(orient="records")
    ]


def _encode_relation(relation: "Relation") -> dict[str, Any]:
    correlation, trend = relation.correlation, relation.trend
    return {
        "x": relation.x.replace(" ", "_"),
        "y": relation.y.replace(" ", "_"),
        "teachers": relation.teachers,
        "count": correlation.count,
        "r": correlation.r,
        "p": correlation.p,
        "p_permuted": correlation.p_permuted,
        "permutations": {"count": correlation.num_permutations, "exact": correlation.exact},
        "trend": {
            "slope": trend.slope,
            "intercept": trend.intercept,
            "confidence": trend.confidence,
            "x": trend.x,
            "y": trend.y,
            "low": trend.low,
            "high": trend.high,
        },
        "evidence": relation.evidence and asdict(relation.evidence),
    }


def print_students(console: "Console", distilled: Distilled, guesses: Guesses) -> None:
    """For people."""
    found, students = distilled.found, distilled.students
    guessed = guesses.by_component.get(COMPONENT, [])
    short = shorten_names([*guesses.names, *found.left_out])
    own = found.base_architecture or "base architecture not known"
    shown = mark(own) if found.student in guessed else own
    count = int(found.teachers["students"].sum())
    console.print(
        f"{format_count(count, 'student')} ({students.architecture}) of {format_count(len(found.teachers), 'teacher')}, from "
        f"{students.folder}; SAT of each teacher with {short[found.student]} ({shown})"
    )
    _print_left_out(console, distilled, short)
    console.print()
    console.print(_make_teachers_table(found, short, guessed))
    _print_spread(console, found)
    console.print()
    console.print(_make_relations_table(found))
    _print_relations(console, distilled, short)


def _print_left_out(console: "Console", distilled: Distilled, short: dict[str, str]) -> None:
    found = distilled.found
    if distilled.students.num_skipped:
        console.print(f"Skipped: {format_count(distilled.students.num_skipped, 'sub-folder')} without a card.json.")
    if found.left_out:
        listed = [f"{short[name]} ({reason})" for name, reason in found.left_out.items()]
        console.print(f"Left out, with their students: {list_few(listed, MOST_NAMES)}.")
    unscored = [short[str(name)] for name, sat in found.teachers["sat"].items() if isnan(sat)]
    if unscored:
        console.print(f"Without SAT: {list_few(unscored, MOST_NAMES)}.")
    unknown = [short[str(name)] for name, base in found.teachers[COMPONENT].items() if not base]
    if found.base_architecture is None:
        console.print("Without the student's base architecture no teacher is of the same or of another one.")
    elif unknown:
        console.print(f"Of unknown base architecture, so only among all: {list_few(unknown, MOST_NAMES)}.")


def _make_teachers_table(found: "Distillation", short: dict[str, str], guessed: list[str]) -> "Table":
    numbers = ("SAT", "Accuracy", "Student's", "Lowest to highest", "Students")
    made = make_table("Teacher", *numbers, numbers=numbers)
    for name, row in found.teachers.sort_values("student accuracy", ascending=False, kind="stable").iterrows():
        base = row[COMPONENT] or "?"
        made.add_row(
            f"{short[str(name)]} ({mark(base) if name in guessed else base})",
            format_number(row["sat"]),
            format_percent(row["accuracy"]),
            format_percent(row["student accuracy"], 2),
            format_interval(row["lowest"], row["highest"]) if row["students"] > 1 else "",
            str(row["students"]),
        )
    return made


def _print_spread(console: "Console", found: "Distillation") -> None:
    if found.without_teacher:
        mean = sum(found.without_teacher) / len(found.without_teacher)
        console.print(
            f"Trained without a teacher: {format_percent(mean, 2)} ({format_count(len(found.without_teacher), 'student')})."
        )
    if isnan(found.std_within):
        console.print("Every teacher has one student, so how much a seed changes is not known.")
    else:
        between = "" if isnan(found.std_between) else f"; the means of teachers by {format_number(found.std_between)}"
        console.print(
            f"Standard deviations: students of one teacher differ by {format_number(found.std_within)} points{between}. A teacher "
            "counts once, by the mean of its students."
        )


def _make_relations_table(found: "Distillation") -> "Table":
    numbers = ("n", "r", "p", "permuted")
    made = make_table("Student's accuracy by", *numbers, "In the paper", numbers=numbers)
    for name, relation in found.relations.items():
        correlation, evidence = relation.correlation, relation.evidence
        made.add_row(
            SHOWN[name],
            str(correlation.count),
            format_number(correlation.r),
            _format_p(correlation.p),
            _format_p(correlation.p_permuted),
            "" if evidence is None else f"{evidence.r:#.2g} (p {evidence.p:#.2g}, n {evidence.count})",
        )
    return made


def _format_p(p: float) -> str:
    return "-" if isnan(p) else f"{p:.2g}"


def _print_relations(console: "Console", distilled: Distilled, short: dict[str, str]) -> None:
    from zooscope.analyses.distillation import FEWEST_TEACHERS

    found = distilled.found
    none = [(name, relation.correlation.count) for name, relation in found.relations.items() if isnan(relation.correlation.r)]
    few = [f"{SHOWN[name]} ({count})" for name, count in none if count < FEWEST_TEACHERS]
    equal = [SHOWN[name] for name, count in none if count >= FEWEST_TEACHERS]
    if few:
        console.print(f"No number from fewer than {FEWEST_TEACHERS} teachers: {'; '.join(few)}.")
    if equal:
        console.print(f"No number where all teachers have the same value: {'; '.join(equal)}.")
    fewest, most = _count_flips_images(distilled)
    after = str(most) if fewest == most else f"{fewest} to {most}"
    images = f"the study's {distilled.num_images} images" if distilled.num_images else "no images: a published matrix has none"
    held_out = f"{after} held-out images that are in the study" if most else "no images: no held_out.csv has images of the study"
    console.print(
        f"Positive flips: images that the teacher gets right and {short[found.student]} (before) or its student (after) wrong, of "
        f"{images}, and of {held_out}."
    )
    console.print(
        "p is of a t test; permuted, from permuting teachers. Neither is corrected for the number of rows. The paper has one "
        "student of each of 25 teachers."
    )
