"""Which classifiers may teach a student."""

import json
from typing import Final, final

import pandas as pd
from markupsafe import Markup

from zooscope.analyses.teachers import EVIDENCE
from zooscope.errors import StudyError
from zooscope.report.facts import Facts
from zooscope.report.page_data import escape_data
from zooscope.report.sections.analysis import Analysis
from zooscope.report.sections.base import Part, fill_template, read_source

COMPONENT: Final = "base architecture"
FEWEST: Final = 2


@final
class TeachersSection(Analysis):
    """Teacher candidates for the student that the reader chooses."""

    title = "Choosing a teacher"
    anchor = "teachers"
    reading = (
        "For distillation into a student: among teachers of another base architecture the less similar ones are said to teach "
        "better, among those of its own the more similar ones."
    )
    command = "zooscope teachers STUDY --student NAME --students DIR"

    def show(self, facts: Facts) -> Part:
        """A list that the page ranks, and how weak the evidence is.

        Raises:
            StudyError: no base architecture is known.
        """
        known = facts.components.get(COMPONENT)
        if known is None or known.notna().sum() < FEWEST:
            msg = (
                "the base architecture of these classifiers is not known; `zooscope teachers STUDY --student NAME --components "
                "FILE.csv` takes a table."
            )
            raise StudyError(msg)
        bases = ["" if pd.isna(value) else str(value) for value in known]
        evidence = EVIDENCE["all"]
        remark = (
            f"The evidence is weak: one student, trained once with each of {evidence.count} teachers (r = {evidence.r:.2f}, "
            f"p = {evidence.p:g}; Hwang et al., ECCV 2024). With students of your own, `zooscope teachers --students` measures it."
        )
        table = fill_template("teachers.html", bases=Markup(escape_data(json.dumps(bases))))  # noqa: S704  (escaped)
        return self.fill(facts, table, remarks=[remark], scripts=[read_source("teachers.js")])
