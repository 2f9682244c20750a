"""Which classifiers make a good ensemble."""

from typing import Final, final

from zooscope.analyses.selection import describe_winner, select_ensemble
from zooscope.errors import StudyError
from zooscope.pictures.selection import make_selection_picture
from zooscope.report.facts import Facts
from zooscope.report.sections.analysis import Analysis
from zooscope.report.sections.base import Need, Part
from zooscope.report.sections.figures import NOTHING, Cell, Row, make_figure, make_table
from zooscope.words import shorten_names

SIZE: Final = 5
FEWEST: Final = 3  # classifiers, so that there is a choice of two


@final
class SelectSection(Analysis):
    """A diverse ensemble, beside others."""

    title = "Choosing an ensemble"
    anchor = "select"
    needs = frozenset({Need.PREDICTIONS})
    reading = (
        "Ensembles chosen in several ways on one half of the images, and their error on the other half. Where intervals overlap "
        "much, the images don't tell which is best."
    )
    command = "zooscope select STUDY"

    def show(self, facts: Facts) -> Part:
        """A row per way of choosing.

        Raises:
            StudyError: there are too few classifiers, or too many.
        """
        count = len(facts.names)
        if count < FEWEST:
            msg = f"{FEWEST} classifiers are needed to choose from; `zooscope measure` adds some."
            raise StudyError(msg)
        logits = facts.read_few_logits(self.command)
        found = select_ensemble(logits, facts.take_few_outcomes(), size=min(SIZE, count - 1), confidence=facts.confidence)
        short = shorten_names(facts.names)
        rows: list[Row] = [
            [
                f"{found.num_random} random picks" if method == "random" else str(method),
                ", ".join(short[name] for name in row["members"]) or NOTHING,
                Cell.of_number(100 * row["error"], 100 * row["low"], 100 * row["high"], decimals=1, unit=" %"),
                Cell.of_number(100 * row["mean_error"], decimals=1, unit=" %"),
                Cell.of_number(100 * row["err"], decimals=1, unit=" %"),
            ]
            for method, row in found.chosen.sort_values("error", kind="stable").iterrows()
        ]
        return self.fill(
            facts,
            make_figure(make_selection_picture(found), "selection"),
            make_table("selection", ["Chosen as", "Members", "Error", "Members alone", "Error reduction"], rows),
            sentences=[describe_winner(found)],
            remarks=[
                f"Chosen on {found.num_choosing} images, evaluated on {found.num_reporting} others.",
                *facts.explain_few_images(),
            ],
        )
