"""`zooscope similarities`: all similarity scores of a study side by side."""

from math import isnan, sqrt
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from zooscope.cli.analysing import AnalysisSeed, Answer, Out, make_table, run_analysis
from zooscope.cli.options import CONFIDENCE, Confidence, ExistingStudy, Json
from zooscope.words import UNKNOWN, format_count, format_interval, format_number

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from zooscope.analyses.similarity_comparison import Ranking
    from zooscope.study.comparison import StudyComparison
    from zooscope.study.snapshot import Snapshot

EXAMPLE: Final = "zooscope similarities STUDY --out steadiness.png"
SAT: Final = "sat"

_Relative = Annotated[
    bool, typer.Option("--relative", help="Draw the spread divided by the spread over the pairs, which scores can be compared by.")
]


def similarities(
    study: ExistingStudy,
    *,
    confidence: Confidence = CONFIDENCE,
    seed: AnalysisSeed = 0,
    relative: _Relative = False,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Compare SAT with all other similarities of a study.

    How the scores correlate, which of them tells pairs of equal architecture from others, which follows the gain of ensembles of
    two, how steady each is at which cost, and how sure the differences are. Scores that the study lacks are listed with the command
    that measures what they take. The picture shows the spread of each score over sets of images by their cost.
    """

    def find() -> Answer:
        from zooscope.pictures.similarities import make_steadiness_picture
        from zooscope.study.comparison import compare_study_similarities
        from zooscope.study.snapshot import read_snapshot

        opened = read_snapshot(study)
        found = compare_study_similarities(opened, confidence=confidence, seed=seed)
        return Answer(
            text=lambda console: _print(console, opened, found),
            values=lambda: _encode(opened, found),
            picture=lambda: make_steadiness_picture(found.stabilities, num_classifiers=len(found.found.names), relative=relative),
        )

    run_analysis(find, as_json=as_json, out=out)


# JSON


def _encode(study: "Snapshot", found: "StudyComparison") -> dict[str, Any]:
    compared = found.found
    rankings = {"same_architecture_auc": compared.same_architecture, "ensemble_correlation": compared.ensembles}
    return {
        "study": study.place,
        "attack": study.definition.attack_settings,
        "classifiers": study.names,
        "images": study.num_images,
        "scores": {
            name: {
                "title": score.title,
                "matrix": score.matrix.to_numpy(),
                "cost": score.passes,
                "larger_is_more_similar": score.larger_is_more_similar,
                "measurement": score.matrix.attrs.get("measurement", ""),
                "gaps": score.gaps,
            }
            for name, score in found.scores.items()
        },
        "missing": found.missing,
        "correlations": _nest(compared.correlations, "r"),
        "p_mantel": _nest(compared.correlations, "p_mantel"),
        **{name: ranking.answers["value"] for name, ranking in rankings.items()},
        "ensemble_p_mantel": compared.ensemble_p,
        "ensemble_correlation_on_other_half": found.other_half,
        "intervals": {name: ranking.answers[["low", "high", "num_pairs"]].T.to_dict() for name, ranking in rankings.items()},
        "differences": {name: ranking.differences for name, ranking in rankings.items()},
        "confidence": compared.confidence,
        "pairs": {"equal_architecture": compared.num_same, "other": compared.num_other},
        "stability": {
            name: {"unit": found.units[name], "spread": one.spread, "by_size": one.by_size.reset_index()}
            for name, one in found.stabilities.items()
        },
    }


def _nest(correlations: "pd.DataFrame", column: str) -> dict[str, dict[str, float]]:
    """A number of every two scores, both ways."""
    result: dict[str, dict[str, float]] = {}
    for _, row in correlations.iterrows():
        for one, other in ((row["first"], row["second"]), (row["second"], row["first"])):
            result.setdefault(one, {})[other] = row[column]
    return result


# Text


def _print(console: "Console", study: "Snapshot", found: "StudyComparison") -> None:
    compared = found.found
    console.print(
        f"{study.place}: {len(study.names)} classifiers, {format_count(study.num_images, 'image')}. "
        f"{format_count(compared.num_same, 'pair')} of equal architecture, {compared.num_other} of different ones."
    )
    for name, command in found.missing.items():
        console.print(f"Without {name}: `{command}` measures what it takes.")
    for name, score in found.scores.items():
        _print_gaps(console, name, score.gaps, len(study.names))
    console.print()
    _print_answers(console, found)
    if len(found.scores) > 1:
        console.print()
        _print_differences(console, found)
        console.print()
        _print_correlations(console, found)
    console.print()
    _print_stabilities(console, found)


def _print_gaps(console: "Console", name: str, gaps: dict[str, int], size: int) -> None:
    if gaps:
        reason, *others = sorted(gaps, key=lambda text: (-gaps[text], text))
        more = f" (and {format_count(len(others), 'more reason')})" if others else ""
        console.print(f"{name} has no score of {sum(gaps.values())} of {size * (size - 1) // 2} pairs: {reason.rstrip('.')}{more}.")


def _print_answers(console: "Console", found: "StudyComparison") -> None:
    from zooscope.analyses.similarity_comparison import FEWEST_FOR_INTERVALS

    compared = found.found
    made = make_table("Score", "Passes", "AUC", "r with ERR", "Halves", numbers=("Passes", "Halves"))
    for name, score in found.scores.items():
        made.add_row(
            name,
            UNKNOWN if score.passes is None else f"{score.passes:,}",
            *(_format_answer(ranking, name) for ranking in (compared.same_architecture, compared.ensembles)),
            format_number(found.other_half[name]),
        )
    console.print(made)
    console.print()
    console.print(
        "Passes: cost per classifier in forward passes, besides clean predictions; a backward pass counts as two. AUC: how often a "
        "pair of equal architecture is more alike than another pair; 0.5 by chance. r with ERR: correlation of likeness with the "
        "error reduction of ensembles of two; below 0, ensembles of unlike classifiers gain more. Halves: the same with "
        "likeness from one half of the images and the error reduction on the other half, without the chance that both share."
    )
    console.print(
        f"In parentheses: {100 * compared.confidence:g} % intervals by resampling classifiers; none where all draws give the same "
        "number, as for an AUC of 1, or classifiers are too few."
    )
    number = len(compared.names)
    if number < FEWEST_FOR_INTERVALS:
        console.print(f"Note: {number} classifiers are too few to compare scores by: what correlates over so few pairs is chance.")
    if compared.num_same == 0 or compared.num_other == 0:
        which = "have the same recorded architecture" if compared.num_same == 0 else "differ in their recorded architecture"
        console.print(f"There is no AUC: no two classifiers {which}.")
    if found.no_gains:
        console.print(f"There is no correlation with ERR: {found.no_gains}")


def _format_answer(ranking: "Ranking", name: str) -> str:
    value, low, high = (float(ranking.answers.loc[name, column]) for column in ("value", "low", "high"))  # type: ignore[arg-type]
    return _with_interval(value, low, high)


def _format_difference(ranking: "Ranking", name: str) -> str:
    rows = ranking.differences
    row = rows[(rows["first"] == SAT) & (rows["second"] == name)]
    return _with_interval(*(float(row[column].item()) for column in ("difference", "low", "high")))


def _with_interval(value: float, low: float, high: float) -> str:
    return format_number(value) + ("" if isnan(low) else f" ({format_interval(low, high)})")


def _print_differences(console: "Console", found: "StudyComparison") -> None:
    compared = found.found
    made = make_table("SAT minus", "AUC", "r with ERR")
    for name in list(found.scores)[1:]:
        made.add_row(name, *(_format_difference(ranking, name) for ranking in (compared.same_architecture, compared.ensembles)))
    console.print(made)


def _print_correlations(console: "Console", found: "StudyComparison") -> None:
    """The lower triangle, so that ten scores fit into 80 columns."""
    from rich.table import Table

    known = _nest(found.found.correlations, "r")
    names = list(found.scores)
    made = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    made.add_column("Correlation of likeness", no_wrap=True)
    for number in range(1, len(names)):
        made.add_column(str(number), justify="right", no_wrap=True)
    for place, name in enumerate(names):
        made.add_row(f"{place + 1:2} {name}", *(format_number(known[name][other]) for other in names[:place]))
    console.print(made)


def _print_stabilities(console: "Console", found: "StudyComparison") -> None:
    steps = {name: one.by_size[one.by_size["disjoint"].astype(bool)] for name, one in found.stabilities.items()}
    known = {name: rows.iloc[-1] for name, rows in steps.items() if len(rows)}
    if not known:
        console.print("There are too few images for ten sets that share none, so how steady the scores are is not known.")
        return
    numbers = ("Set", "Passes", "Std", "Of the spread", "At SAT's cost")
    made = make_table("Score", *numbers, numbers=numbers)
    reference = float(known[SAT]["passes"]) if SAT in known else float("nan")
    for name in found.scores:
        if name not in known:
            made.add_row(name, *[UNKNOWN] * len(numbers))
            continue
        passes, std, relative = (float(known[name][column]) for column in ("passes", "std", "relative"))
        made.add_row(
            name,
            f"{known[name].name} {found.units[name]}",
            UNKNOWN if isnan(passes) else f"{passes:,.0f}",
            format_number(std),
            format_number(relative),
            format_number(std * sqrt(passes / reference)),
        )
    console.print("How much a score varies from one set of images to another, over ten sets that share none:")
    console.print(made)
    console.print()
    console.print(
        "Passes: cost of a set, clean predictions included. Std: standard deviation, in hundredths of the score (SAT: percent "
        "points, without the logarithm), mean over the pairs. Of the spread: divided by the standard deviation over the pairs, "
        "which is what a score has to tell apart. At SAT's cost: std extrapolated to as many passes as SAT's set, as "
        "1 / sqrt(passes)."
    )
