"""All pairs as a matrix in colours, and the numbers of the pair that is chosen in it."""

from typing import final

from zooscope.report.facts import Facts
from zooscope.report.sections.base import Part, Section, fill_template, read_source


@final
class MatrixSection(Section):
    """The matrix, its scale, the chosen pair, and the table of all pairs."""

    title = "Who is alike"
    anchor = "matrix"

    def show(self, facts: Facts) -> Part:
        """Uses the scores only, so it works for an imported matrix, too."""
        html = fill_template(
            "matrix.html",
            is_imported=facts.is_imported,
            has_weak=bool(facts.weak),
            has_gaps=bool(facts.sat.isnull().any()),
            num_pairs=len(facts.names) * (len(facts.names) - 1) // 2,
        )
        return Part(html=html, scripts=tuple(map(read_source, ("matrix.js", "pair.js", "pairs.js"))))
