"""`zooscope strategies`: how similar classifiers are that were trained differently."""

from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from zooscope.cli.analysing import Answer, Out, make_table, run_analysis
from zooscope.cli.groups import Groups, require_groups
from zooscope.cli.options import CONFIDENCE, Confidence, ExistingStudy, Json
from zooscope.words import format_interval, format_number

if TYPE_CHECKING:
    from rich.console import Console

    from zooscope.analyses.strategies import Strategies

EXAMPLE: Final = "zooscope strategies STUDY --groups seeds.csv --out strategies.png"
MOST_SHOWN: Final = 10  # pairs of groups


def strategies(
    study: ExistingStudy,
    *,
    groups: Groups = None,
    confidence: Confidence = CONFIDENCE,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Compare SAT within groups: seeds, settings, regimes.

    A group has classifiers of one architecture that differ in seed, hyper-parameters or training regime. Prints the
    mean SAT within and between groups with intervals, and the sensitivity: 1 minus the mean share of images that fool, 0 if
    every setting gives the same classifier.
    """

    def find() -> Answer:
        from zooscope.analyses.strategies import compare_strategies
        from zooscope.pictures.strategies import make_strategies_picture
        from zooscope.scores.outcomes import find_outcomes
        from zooscope.study.snapshot import read_snapshot

        opened = read_snapshot(study)
        scores = opened.sat() if opened.is_imported else find_outcomes(opened.predictions)
        found = compare_strategies(scores, require_groups(opened, groups), confidence=confidence)
        return Answer(
            text=lambda console: _print(console, found),
            values=lambda: _encode(found),
            picture=lambda: make_strategies_picture(found),
        )

    run_analysis(find, as_json=as_json, out=out)


def _encode(found: "Strategies") -> dict[str, Any]:
    return {
        "within": {str(group): row.to_dict() for group, row in found.within.iterrows()},
        "between": _list_between(found),
        "overall": found.overall.to_dict(),
        "confidence": found.confidence,
    }


def _print(console: "Console", found: "Strategies") -> None:
    ends = f"{100 * found.confidence:g} % interval"
    numbers = ("Classifiers", "Pairs", "SAT", ends, "Sensitivity")
    made = make_table("Group", *numbers, numbers=numbers)
    for group, row in [*found.within.iterrows(), ("all classifiers", found.overall)]:
        made.add_row(
            str(group),
            format_number(row["classifiers"], 0),
            format_number(row["pairs"], 0),
            format_number(row["sat"]),
            format_interval(row["sat_low"], row["sat_high"]),
            format_number(row["sensitivity"]),
        )
    console.print("Mean SAT of the pairs within a group:")
    console.print(made)
    pairs = _list_between(found)
    if pairs:
        ordered = sorted(pairs, key=lambda pair: -pair["sat"])
        between = make_table("Between groups", "SAT", ends, numbers=("SAT", ends))
        for place, pair in enumerate(ordered):
            if len(pairs) <= MOST_SHOWN or min(place, len(pairs) - 1 - place) < MOST_SHOWN // 2:
                between.add_row(
                    f"{pair['group']} and {pair['other']}", format_number(pair["sat"]), format_interval(pair["low"], pair["high"])
                )
            elif place == MOST_SHOWN // 2:
                between.add_row(f"... {len(pairs) - MOST_SHOWN} more, all in --json ...")
        console.print()
        console.print(between)
    console.print()
    console.print(
        "Sensitivity is 1 minus the mean share of images that fool: 0 if every setting gives the same. Intervals cover "
        "the choice of images, not of seeds."
    )
    if found.overall["few_fooled"]:
        console.print(
            f"Note: of {found.overall['few_fooled']:.0f} of the {found.overall['pairs']:.0f} pairs fewer than 5 images fool. The "
            "logarithm of so small a share is too low on average, and so is a mean of SAT over such pairs; the sensitivity is not."
        )


def _list_between(found: "Strategies") -> list[dict[str, Any]]:
    """Every pair of groups once."""
    groups = [str(group) for group in found.between["group"].to_numpy()]
    return [
        {"group": group, "other": other, "sat": float(cell), "low": float(cell.low), "high": float(cell.high)}
        for group, other in combinations(groups, 2)
        for cell in [found.between.sel(group=group, other=other)]
    ]
