"""How much the scores depend on the choice of images."""

from typing import final

from zooscope.analyses.stability import measure_stability
from zooscope.pictures.stability import make_stability_picture
from zooscope.report.facts import Facts
from zooscope.report.sections.analysis import Analysis
from zooscope.report.sections.base import Need, Part
from zooscope.report.sections.figures import Cell, Row, make_figure, make_table


@final
class StabilitySection(Analysis):
    """The spread of SAT by the number of images."""

    title = "How many images are enough"
    anchor = "stability"
    needs = frozenset({Need.PREDICTIONS})
    reading = "How much SAT (in percent, without the logarithm) varies from one set of images to another: the smaller, the surer."
    command = "zooscope stability STUDY"

    def show(self, facts: Facts) -> Part:
        """Curves, and how many images an interval of two points needs."""
        found = measure_stability(facts.now.outcomes, confidence=facts.confidence)
        rows: list[Row] = [
            [Cell(text=str(size), value=float(size)), Cell.of_number(row["std"]), Cell.of_number(row["expected"])]  # type: ignore[arg-type]
            for size, row in found.by_size.iterrows()
        ]
        most = "" if len(found.pairs) == 1 else f", {found.needed_most} for the pair that needs the most"
        needed = (
            f"An interval of {found.width:g} percent points from end to end ({100 * found.confidence:g} %) needs {found.needed} "
            f"images{most}. The study has {found.num_images}."
        )
        return self.fill(
            facts,
            make_figure(make_stability_picture(found), "stability"),
            make_table("stability", ["Images", "Standard deviation (points)", "Expected"], rows),
            sentences=[needed],
        )
