"""Which classifiers may be good teachers for a student, by their similarity to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr

from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.inline.results import ShownInline


@dataclass(frozen=True, kw_only=True)
class Evidence(ShownInline):
    """What the paper measured for one kind of teacher.

    Attributes:
        teachers: the kind of teacher.
        count: number of teachers.
        r: Pearson correlation between the SAT of teacher and student and the distilled student's accuracy.
        p: its p value, two-sided.
    """

    teachers: str
    count: int
    r: float
    p: float


# Hwang et al., ECCV 2024, Figure 8: 25 teachers, one student (DeiT-Ti, SAT measured with DeiT-S), one distillation each. The counts
# of the two kinds are not printed; only 7 and 18 add up to 25 and give these p values for these r.
EVIDENCE: Final = {
    "all": Evidence(teachers="all", count=25, r=-0.32, p=0.12),
    "same": Evidence(teachers="same base architecture", count=7, r=0.70, p=0.078),
    "other": Evidence(teachers="other base architecture", count=18, r=-0.51, p=0.030),
}
# Figure G.1: the teacher's own accuracy, between 79.5 and 82.5 %, made no difference.
ACCURACY_EVIDENCE: Final = Evidence(teachers="by the teacher's own accuracy", count=25, r=0.049, p=0.82)


@dataclass(frozen=True, kw_only=True, eq=False)
class Teachers(ShownInline):
    """Teacher candidates for a student, each kind ranked by the paper's finding for it.

    The paper's best teacher had another base architecture than the student, and the paper recommends that.

    Attributes:
        student: the classifier to be trained.
        base_architecture: the student's; None if it is not known, and then nothing is ranked.
        same: candidates of the student's base architecture, the most alike first.
        other: candidates of another one, the least alike first.
        unranked: candidates of unknown base architecture, or without a score; the most alike first.
            All three: index `name`, columns `base architecture`, `sat` (to the student, natural log), `low`, `high` (NaN where
            there is no interval), `accuracy` (clean, percent).
    """

    student: str
    base_architecture: str | None
    same: pd.DataFrame
    other: pd.DataFrame
    unranked: pd.DataFrame


@check_arguments
def rank_teachers(
    sat: xr.DataArray, base_architectures: Mapping[str, str | None], student: str, *, accuracies: Mapping[str, float] | None = None
) -> Teachers:
    """Ranks teacher candidates for a student.

    The paper's finding: among teachers of the student's own base architecture, more similar ones teach better; among others, less
    similar ones. The evidence is weak (`EVIDENCE`): one student, one run per teacher, and only one of the three correlations has a
    p value below 0.05.

    Source: Hwang et al., ECCV 2024, Section 5.2, Figures 8 and G.1.

    Example:
        >>> import xarray as xr
        >>> import zooscope.analyses
        >>> names = ["student", "cnn", "vit"]
        >>> scores = [[4.6, 2.0, 3.5], [2.0, 4.6, 2.1], [3.5, 2.1, 4.6]]
        >>> sat = xr.DataArray(scores, dims=("a", "b"), coords={"a": names, "b": names})
        >>> bases = {"student": "Transformer", "cnn": "CNN", "vit": "Transformer"}
        >>> found = zooscope.analyses.rank_teachers(sat, bases, "student")
        >>> found.same.index.tolist(), found.other.index.tolist()
        (['vit'], ['cnn'])

    Args:
        sat: dimensions `a` and `b`, natural log; coordinates `low` and `high` if there are intervals.
        base_architectures: by classifier; None or missing if not known.
        student: a classifier of the matrix.
        accuracies: clean accuracy by classifier, percent.

    Raises:
        UnknownNameError: the matrix has no such student.
        InvalidValueError: the student is the only classifier.
    """
    names = [str(name) for name in sat["a"].to_numpy()]
    if student not in names:
        kind, advice = "classifier", "The student is a classifier of the study; `zooscope show` lists them."
        raise UnknownNameError(kind, student, names, advice)
    candidates = [name for name in names if name != student]
    if not candidates:
        msg = f"{student} is the only classifier; measure candidates to teach it."
        raise InvalidValueError(msg)
    row = sat.sel(a=student, b=candidates)
    bases = [_read_value(base_architectures.get(name)) for name in candidates]
    table = pd.DataFrame(
        {
            "base architecture": pd.Series(bases, index=candidates, dtype=object),  # as object, else None becomes NaN
            "sat": row.to_numpy().astype(np.float64),
            **{end: row.coords[end].to_numpy() if end in row.coords else np.nan for end in ("low", "high")},
            "accuracy": [float((accuracies or {}).get(name, np.nan)) for name in candidates],
        },
        index=pd.Index(candidates, name="name"),
    )
    own = _read_value(base_architectures.get(student))
    ranked = table["base architecture"].notna() & table["sat"].notna() & (own is not None)
    same = table["base architecture"] == own
    return Teachers(
        student=student,
        base_architecture=own,
        same=table[ranked & same].sort_values("sat", ascending=False, kind="stable"),
        other=table[ranked & ~same].sort_values("sat", kind="stable"),
        unranked=table[~ranked].sort_values("sat", ascending=False, kind="stable"),
    )


def _read_value(value: object) -> str | None:
    """A component's value; None for pandas's missing values."""
    return value if isinstance(value, str) and value else None
