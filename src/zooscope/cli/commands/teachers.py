"""`zooscope teachers`: which classifiers may be good teachers for a student."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from zooscope.cli.analysing import AnalysisSeed, Answer, Out, make_table, run_analysis
from zooscope.cli.completion import complete_classifier
from zooscope.cli.distilled import COMPONENT, StudentsFolder, encode_students, measure_students, print_students
from zooscope.cli.guesses import Guesses, find_guesses, mark
from zooscope.cli.leaving_out import ComponentsFile, find_components
from zooscope.cli.options import CONFIDENCE, Confidence, ExistingStudy, Json
from zooscope.words import format_interval, format_number, format_percent, shorten_names

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from zooscope.analyses.teachers import Teachers
    from zooscope.study.snapshot import Snapshot

EXAMPLE: Final = "zooscope teachers STUDY --student bundled:vit"

_Student = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="The student: a classifier of the study.", show_default=False, autocompletion=complete_classifier
    ),
]


def teachers(
    study: ExistingStudy,
    *,
    student: _Student,
    students: StudentsFolder = None,
    components: ComponentsFile = None,
    confidence: Confidence = CONFIDENCE,
    seed: AnalysisSeed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Rank the classifiers that may teach a student.

    The paper's finding on distillation: among teachers of the student's own base architecture, more similar ones teach better;
    among others, less similar ones. The evidence is weak, and is shown with the ranking.

    With students of your own (--students) the paper's study is made of them: the correlation of their accuracy with SAT, with the
    teachers' own accuracy and with positive flips, with p values, beside the paper's numbers.
    """

    def find() -> Answer:
        from zooscope.analyses.teachers import rank_teachers
        from zooscope.pictures.distillation import make_distillation_picture
        from zooscope.pictures.teachers import make_teachers_picture
        from zooscope.study.snapshot import read_snapshot

        opened = read_snapshot(study)
        bases = _find_base_architectures(opened, components)
        accuracies = (
            {}
            if opened.is_imported
            else {str(name): float(value) for name, value in opened.classifiers()["clean_accuracy"].items()}
        )
        guesses = find_guesses(opened, components, opened.names)
        found = rank_teachers(opened.sat(confidence=confidence), bases, student, accuracies=accuracies)

        def encode() -> dict[str, Any]:
            return {**_encode(found), "guesses": guesses.by_component.get(COMPONENT, [])}

        if students is None:
            return Answer(
                text=lambda console: _print(console, found, guesses),
                values=encode,
                picture=lambda: make_teachers_picture(found),
            )
        distilled = measure_students(opened, students, bases, student, accuracies=accuracies, seed=seed)
        return Answer(
            text=lambda console: print_students(console, distilled, guesses),
            values=lambda: {**encode(), "distillation": encode_students(distilled)},
            picture=lambda: make_distillation_picture(distilled.found),
        )

    run_analysis(find, as_json=as_json, out=out)


def _find_base_architectures(study: "Snapshot", file: Path | None) -> dict[str, str | None]:
    from zooscope.errors import InvalidValueError

    known = find_components(study, file)
    if COMPONENT not in known.columns:
        if file is None:
            return {}
        columns = ", ".join(map(str, known.columns))
        msg = f"{file} has no column {COMPONENT!r}, which teachers are ranked by; it has {columns}."
        raise InvalidValueError(msg)
    return {str(name): value if isinstance(value, str) else None for name, value in known[COMPONENT].items()}


def _encode(found: "Teachers") -> dict[str, Any]:
    from zooscope.analyses.teachers import ACCURACY_EVIDENCE, EVIDENCE

    return {
        "student": found.student,
        "base_architecture": found.base_architecture,
        "same": _list_rows(found.same),
        "other": _list_rows(found.other),
        "unranked": _list_rows(found.unranked),
        "evidence": {**{kind: asdict(evidence) for kind, evidence in EVIDENCE.items()}, "accuracy": asdict(ACCURACY_EVIDENCE)},
    }


def _list_rows(candidates: "pd.DataFrame") -> list[dict[str, Any]]:
    rows = candidates.astype(object).where(candidates.notna(), None).reset_index().to_dict(orient="records")
    return [{str(key).replace(" ", "_"): value for key, value in row.items()} for row in rows]


def _print(console: "Console", found: "Teachers", guesses: Guesses) -> None:
    from zooscope.analyses.teachers import EVIDENCE

    own, short, guessed = found.base_architecture, shorten_names(guesses.names), guesses.by_component.get(COMPONENT, [])
    shown = own and (mark(own) if found.student in guessed else own)
    console.print(f"Teacher candidates for {short[found.student]} ({shown or 'base architecture not known'})")
    if own is None:
        console.print(
            "Without the student's base architecture no classifier is ranked: the paper's finding differs for teachers of the same "
            "and of another one. Give it by --components FILE.csv."
        )
    for title, candidates, kind in (
        ("Other base architecture, the least alike first", found.other, "other"),
        ("Same base architecture, the most alike first", found.same, "same"),
        ("Not ranked (base architecture or score not known)", found.unranked, ""),
    ):
        if candidates.empty:
            continue
        console.print()
        console.print(_make_table(title, candidates, guesses, ranked=bool(kind)))
        if kind:
            evidence = EVIDENCE[kind]
            console.print(
                f"In the paper: r = {evidence.r:.2f} between SAT and the student's accuracy, p = {evidence.p:g}, "
                f"{evidence.count} teachers."
            )
    console.print()
    console.print(
        f"The evidence is weak: one student, trained once with each teacher (over all {EVIDENCE['all'].count}: "
        f"r = {EVIDENCE['all'].r:.2f}, p = {EVIDENCE['all'].p:g}). The paper's best teacher had another base architecture, "
        "which it recommends; the teacher's own accuracy made no difference."
    )


def _make_table(title: str, candidates: "pd.DataFrame", guesses: Guesses, *, ranked: bool) -> Any:  # noqa: ANN401  (a table of Rich's)
    numbers = ("SAT", "Interval", "Accuracy")
    made = make_table("", title, *numbers, numbers=("", *numbers))
    short, guessed = shorten_names(guesses.names), guesses.by_component.get(COMPONENT, [])
    for rank, (name, row) in enumerate(candidates.iterrows(), start=1):
        kind = row[COMPONENT] or "?"
        made.add_row(
            f"{rank}." if ranked else "",
            f"{short[str(name)]} ({mark(kind) if name in guessed else kind})",
            format_number(row["sat"]),
            format_interval(row["low"], row["high"]),
            format_percent(row["accuracy"]),
        )
    return made
