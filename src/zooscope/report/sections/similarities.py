"""SAT beside the other similarities that the study has."""

from typing import TYPE_CHECKING, Any, Final, final

import numpy as np
from jaxtyping import Float
from markupsafe import Markup

from zooscope.errors import InvalidValueError, StudyError
from zooscope.pictures.similarities import make_steadiness_picture
from zooscope.report.facts import Facts
from zooscope.report.sections.analysis import Analysis
from zooscope.report.sections.base import Need, Part
from zooscope.report.sections.figures import Cell, Row, make_figure, make_table

if TYPE_CHECKING:
    from zooscope.study.comparison import StudyComparison

MOST_COMPARED: Final = 30  # classifiers; the whole comparison of more takes long
FEWEST_PAIRS: Final = 3


@final
class SimilaritiesSection(Analysis):
    """The rivals of SAT, and where they differ."""

    title = "Other similarities"
    anchor = "similarities"
    needs = frozenset({Need.PREDICTIONS})
    reading = (
        "Other scores of the same pairs, and how far they agree with SAT: r near 1 says the same as SAT, r near 0 something "
        "else. The matrix above shows each of them, too."
    )
    command = "zooscope similarities STUDY"

    def show(self, facts: Facts) -> Part:
        """A row per score.

        Raises:
            StudyError: the study has none.
        """
        rivals, missing = facts.found_rivals
        if not rivals:
            msg = f"no similarity can be computed; {next(iter(missing.values()))} measures the rest."
            raise StudyError(msg)
        compared = _compare(facts) if len(facts.names) <= MOST_COMPARED and Need.TORCH.is_met(facts) else None
        sat = _take_pairs(facts.sat.to_numpy())
        rows: list[Row] = [["SAT", "similarity by attack transferability", Cell.of_number(1.0), *_describe("sat", compared)]]
        for rival in rivals:
            sign = 1 if rival.similarity.larger_is_more_similar else -1
            likeness = sign * _take_pairs(rival.matrix.to_numpy())
            rows.append(
                [
                    rival.similarity.name.replace("_", " "),
                    rival.similarity.title,
                    Cell.of_number(_correlate(sat, likeness)),
                    *_describe(rival.similarity.name, compared),
                ]
            )
        headings = ["Score", "What it is", "r with SAT"]
        headings += [] if compared is None else ["Same architecture (AUC)", "r with ensembles' gain"]
        table = make_table("similarities", headings, rows)
        return self.fill(facts, table, *_draw(compared, facts), remarks=_remark(facts, missing, compared))


def _compare(facts: Facts) -> "StudyComparison":
    from zooscope.study.comparison import compare_study_similarities  # noqa: PLC0415  (what an attack costs takes torch)

    return compare_study_similarities(facts.now, confidence=facts.confidence)


def _take_pairs(matrix: Float[np.ndarray, "a b"]) -> Float[np.ndarray, " pair"]:
    """The mean of both directions of every pair."""
    rows, columns = np.triu_indices(len(matrix), 1)
    return np.asarray((matrix[rows, columns] + matrix[columns, rows]) / 2, dtype=np.float64)


def _correlate(one: Float[np.ndarray, " pair"], other: Float[np.ndarray, " pair"]) -> float:
    known = ~np.isnan(one) & ~np.isnan(other)
    if known.sum() < FEWEST_PAIRS or np.ptp(one[known]) == 0 or np.ptp(other[known]) == 0:
        return float("nan")
    return float(np.corrcoef(one[known], other[known])[0, 1])


def _describe(name: str, compared: "StudyComparison | None") -> list[Cell]:
    """What a score tells, with intervals."""
    if compared is None:
        return []
    found = [compared.found.same_architecture.answers, compared.found.ensembles.answers]
    return [_make_cell(table.loc[name]) if name in table.index else Cell.of_number(float("nan")) for table in found]


def _make_cell(row: Any) -> Cell:  # noqa: ANN401  (a row of pandas)
    return Cell.of_number(float(row["value"]), float(row["low"]), float(row["high"]))


def _draw(compared: "StudyComparison | None", facts: Facts) -> list[Markup]:
    """The spread of every score by its cost, where it is known."""
    if compared is None:
        return []
    try:
        picture = make_steadiness_picture(compared.stabilities, num_classifiers=len(facts.names), relative=True)
    except InvalidValueError:  # there are too few images
        return []
    return [make_figure(picture, "steadiness")]


def _remark(facts: Facts, missing: dict[str, str], compared: "StudyComparison | None") -> list[str]:
    lacking = [f"{name.replace('_', ' ')}: {command}" for name, command in missing.items()]
    remarks = [f"Not measured, and the command that does it: {'; '.join(lacking)}."] if lacking else []
    if compared is None:
        remarks.append(
            f"With more than {MOST_COMPARED} classifiers, or without torch, the page has correlations alone; "
            "`zooscope similarities STUDY` compares the scores in full, with intervals."
        )
    else:
        remarks.append(
            "Same architecture: how often a pair of equal architecture is more alike than another pair (0.5: by chance). r with "
            "ensembles' gain: of likeness and the error reduction of ensembles of two. "
            f"In both, {100 * facts.confidence:g}\N{NO-BREAK SPACE}% intervals."
        )
    return remarks
