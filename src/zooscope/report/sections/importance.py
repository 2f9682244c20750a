"""Which components explain the scores."""

from typing import Final, final

from zooscope.analyses.importance import measure_component_importance
from zooscope.errors import StudyError
from zooscope.pictures.importance import make_importance_picture
from zooscope.report.facts import Facts
from zooscope.report.sections.analysis import Analysis
from zooscope.report.sections.base import Part
from zooscope.report.sections.figures import Cell, Row, make_figure, make_table
from zooscope.words import shorten_names

NUM_PERMUTATIONS: Final = 499  # the command takes 1,999
MOST_CLASSIFIERS: Final = 150  # pairs grow with the square


@final
class ImportanceSection(Analysis):
    """The importance of components."""

    title = "What explains similarity"
    anchor = "importance"
    reading = (
        "How much worse SAT is predicted from the components of two classifiers when one component is shuffled. The bar of pairs "
        "with a held-out classifier says what holds for new classifiers."
    )
    command = "zooscope components STUDY"

    def show(self, facts: Facts) -> Part:
        """Bars, and the same as a table.

        Raises:
            StudyError: no components are known, or there are too many classifiers.
        """
        if facts.components.empty:
            msg = (
                "no components of these classifiers are known; `zooscope components STUDY --components FILE.csv` takes a table "
                "with the classifiers in its first column."
            )
            raise StudyError(msg)
        if len(facts.names) > MOST_CLASSIFIERS:
            msg = f"it takes minutes for more than {MOST_CLASSIFIERS} classifiers; `zooscope components STUDY` computes it."
            raise StudyError(msg)
        found = measure_component_importance(facts.sat, facts.components, num_permutations=NUM_PERMUTATIONS)
        rows: list[Row] = [
            [
                str(name),
                Cell.of_number(row["mean"], decimals=3),
                Cell.of_number(row["held_out_mean"], decimals=3),
                Cell.of_number(row["correlation"]),
                Cell.of_number(row["p_value"], decimals=3),
            ]
            for name, row in found.components.iterrows()
        ]
        explained = (
            f"R² = {found.r2_in_sample:.2f} on {found.num_pairs} training pairs, {found.r2_held_out:.2f} on pairs with a held-out "
            f"classifier. r: correlation of having it in common and SAT; p by {found.num_permutations} permutations of the "
            "classifiers, not corrected for several components."
        )
        remarks = [explained]
        if found.constant:
            remarks.append(f"Left out, because all classifiers have the same value: {', '.join(found.constant)}.")
        if found.left_out:
            names = ", ".join(shorten_names(found.left_out).values())
            remarks.append(f"Classifiers left out, because a component is not known: {names}.")
        return self.fill(
            facts,
            make_figure(make_importance_picture(found), "importance"),
            make_table("importance", ["Component", "Importance", "Held out", "r", "p"], rows),
            remarks=remarks,
        )
