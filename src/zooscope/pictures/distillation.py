"""Students' accuracy by the similarity of their teachers, and by the teachers' own accuracy."""

from typing import Final

import numpy as np
from jaxtyping import Float

from zooscope.analyses.distillation import Distillation, Relation
from zooscope.pictures.data import Band, Panels, Points
from zooscope.words import UNKNOWN, shorten_names

TITLES: Final = {
    "sat": "all teachers",
    "sat_same": "same base architecture",
    "sat_other": "other base architectures",
    "teacher_accuracy": "teacher's own accuracy",
    "flips_before": "positive flips before",
    "flips_after": "positive flips after",
}
LABELS: Final = {
    "sat": "SAT of teacher and {student} (natural log)",
    "accuracy": "teacher's accuracy (percent)",
    "student accuracy": "student's accuracy (percent)",
    "flips before": "percent of images: teacher right, {student} wrong",
    "flips after": "percent of images: teacher right, student wrong",
}


def make_distillation_picture(found: Distillation) -> Panels:
    """A panel per relation that has points: all, same, other teachers (Figure 8 of the paper), their accuracy (Figure G.1), flips.

    Lines and their bands are drawn where there are at least three teachers.
    """
    short = shorten_names([found.student, *map(str, found.teachers.index)])
    count = int(found.teachers["students"].sum())
    return Panels(
        title=f"{count} students of {len(found.teachers)} teachers; SAT of each teacher with {short[found.student]}",
        panels=tuple(
            _make_panel(found, relation, TITLES[name], short) for name, relation in found.relations.items() if relation.teachers
        ),
    )


def _make_panel(found: Distillation, relation: Relation, title: str, short: dict[str, str]) -> Points:
    names, correlation = relation.teachers, relation.correlation
    tested = "" if np.isnan(correlation.r) else f": r = {correlation.r:.2f}, p = {correlation.p:.2g}, {correlation.count} teachers"
    bases = found.teachers["base architecture"]
    return Points(
        title=f"{title}{tested}",
        x_label=LABELS[relation.x].format(student=short[found.student]),
        y_label=LABELS[relation.y].format(student=short[found.student]),
        x=_take(found, relation.x, names),
        y=_take(found, relation.y, names),
        names=names,
        labels=tuple(short[name] for name in names),
        groups=tuple(str(bases[name] or UNKNOWN) for name in names),
        group_title="base architecture",
        trend=Band.of_trend(relation.trend),
    )


def _take(found: Distillation, column: str, names: tuple[str, ...]) -> Float[np.ndarray, " teacher"]:
    return found.teachers.loc[list(names), column].to_numpy(np.float64)
