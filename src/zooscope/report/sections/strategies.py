"""How alike classifiers are that were trained differently."""

from typing import final

from zooscope.analyses.strategies import compare_strategies
from zooscope.errors import StudyError
from zooscope.pictures.strategies import make_strategies_picture
from zooscope.report.facts import Facts
from zooscope.report.sections.analysis import Analysis
from zooscope.report.sections.base import Part
from zooscope.report.sections.figures import Cell, Row, make_figure, make_table


@final
class StrategiesSection(Analysis):
    """SAT within groups: seeds, settings, regimes."""

    title = "Training strategies"
    anchor = "strategies"
    reading = (
        "Each group has classifiers that differ in one respect, such as the seed. The higher its mean SAT, the less this changes "
        "what a classifier learns; a sensitivity of 0 says that every setting gives the same."
    )
    command = "zooscope strategies STUDY"

    def show(self, facts: Facts) -> Part:
        """A bar per group.

        Raises:
            StudyError: no classifier has a group.
        """
        if not facts.groups:
            msg = (
                "no classifier has a group; `zooscope strategies STUDY --groups FILE.csv` takes a table of groups, or measure "
                "with the option `group` in addresses."
            )
            raise StudyError(msg)
        scores = facts.sat if facts.is_imported else facts.now.outcomes
        found = compare_strategies(scores, facts.groups, confidence=facts.confidence)
        rows: list[Row] = [
            [
                str(group),
                Cell.of_number(row["classifiers"], decimals=0),
                Cell.of_number(row["pairs"], decimals=0),
                Cell.of_number(row["sat"], row["sat_low"], row["sat_high"]),
                Cell.of_number(row["sensitivity"]),
            ]
            for group, row in [*found.within.iterrows(), ("all classifiers", found.overall)]
        ]
        return self.fill(
            facts,
            make_figure(make_strategies_picture(found), "strategies"),
            make_table("strategies", ["Group", "Classifiers", "Pairs", "Mean SAT", "Sensitivity"], rows),
            remarks=["Intervals cover the choice of images, not of seeds."],
        )
