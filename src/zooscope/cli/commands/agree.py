"""`zooscope agree`: two studies of the same classifiers side by side."""

import warnings
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from zooscope.cli.analysing import AnalysisSeed, Answer, Out, make_table, run_analysis
from zooscope.cli.options import Confidence, Json
from zooscope.words import format_attack, format_count, format_number, list_few, shorten_names

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console

    from zooscope.analyses.study_agreement import StudyAgreement
    from zooscope.pictures.data import Picture
    from zooscope.statistics.mantel import Correlation
    from zooscope.study.snapshot import Snapshot

EXAMPLE: Final = "zooscope agree STUDY OTHER --out agree.png"
BAND: Final = 0.9
MOST_PAIRS: Final = 6
MOST_NAMES: Final = 5
ORDINALS: Final = ("first", "second")

_First = Annotated[
    Path,
    typer.Argument(metavar="STUDY", help="The folder of the first study, also of an imported matrix.", show_default=False),
]
_Second = Annotated[
    Path,
    typer.Argument(metavar="STUDY", help="The folder of the second one, with classifiers of the same names.", show_default=False),
]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    studies: "tuple[Snapshot, Snapshot]"
    agreement: "StudyAgreement"


def agree(
    first: _First,
    second: _Second,
    *,
    confidence: Confidence = BAND,
    seed: AnalysisSeed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Compare two studies of the same classifiers.

    Do they agree on which classifiers are similar: under another attack, on other images, or in a published matrix? Classifiers
    are matched by name. Shows how SAT correlates over their pairs, with p values from permuting classifiers, and the pairs farthest
    from the trend. A difference that all pairs share, as under a stronger attack, is in the trend.
    """

    def find() -> Answer:
        from zooscope.analyses.study_agreement import measure_agreement
        from zooscope.study.snapshot import read_snapshot

        studies = read_snapshot(first), read_snapshot(second)
        scores = [_read_scores(study) for study in studies]
        agreement = measure_agreement(scores[0], scores[1], confidence=confidence, seed=seed)
        found = _Found(studies=studies, agreement=agreement)
        return Answer(text=lambda console: _print(console, found), values=lambda: _encode(found), picture=lambda: _draw(found))

    run_analysis(find, as_json=as_json, out=out)


def _read_scores(study: "Snapshot") -> "xr.DataArray":
    """SAT of all pairs; the answer says itself which have none because their classifiers are targets only."""
    from zooscope.errors import OneSidedWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OneSidedWarning)
        return study.sat(confidence=None)


def _draw(found: _Found) -> "Picture":
    from zooscope.pictures.agree import label_studies, make_agreement_picture

    first, second = found.studies
    labels = label_studies((first.definition, second.definition), (first.place, second.place))
    return make_agreement_picture(found.agreement, labels)


def _encode(found: _Found) -> dict[str, Any]:
    agreement = found.agreement
    trend, pearson, spearman = agreement.trend, agreement.pearson, agreement.spearman
    only = agreement.only_first, agreement.only_second
    return {
        **{
            ordinal: {
                "study": study.place,
                "attack": study.definition.attack_settings,
                "images": {"address": study.definition.images, "count": study.num_images},
                "targets_only": _list_targets_only(study),
                "left_out": names,
            }
            for ordinal, study, names in zip(ORDINALS, found.studies, only, strict=True)
        },
        "classifiers": agreement.names,
        "count": agreement.count,
        "pearson": pearson.r,
        "p_mantel": pearson.p_mantel,
        "spearman": spearman.r,
        "p_mantel_spearman": spearman.p_mantel,
        "permutations": {"count": pearson.num_permutations, "exact": pearson.exact},
        "trend": {
            "slope": trend.slope,
            "intercept": trend.intercept,
            "confidence": trend.confidence,
            "first": trend.x,
            "second": trend.y,
            "low": trend.low,
            "high": trend.high,
        },
        "pairs": agreement.pairs,
        "unscored": agreement.unscored,
    }


def _list_targets_only(study: "Snapshot") -> list[str]:
    return [] if study.is_imported else [name for name in study.names if name not in study.sources]


def _print(console: "Console", found: _Found) -> None:
    agreement = found.agreement
    short = shorten_names([*agreement.names, *agreement.only_first, *agreement.only_second])
    for ordinal, study in zip(ORDINALS, found.studies, strict=True):
        about = (
            "an imported matrix" if study.is_imported else f"{study.definition.images}, {format_count(study.num_images, 'image')}"
        )
        console.print(f"{ordinal.capitalize()} study: {study.place} ({about})")
        console.print(f"Attack: {format_attack(study.definition.attack_settings)}")
    console.print()
    console.print(
        f"{len(agreement.names)} classifiers are in both studies; {format_count(agreement.count, 'pair')} of them "
        f"{'has' if agreement.count == 1 else 'have'} a score in both."
    )
    for ordinal, names in zip(ORDINALS, (agreement.only_first, agreement.only_second), strict=True):
        if names:
            console.print(f"Left out, only in the {ordinal}: {list_few([short[name] for name in names], MOST_NAMES)}.")
    _print_unscored(console, found, short)
    console.print()
    _print_correlation(console, agreement)
    if agreement.count:
        console.print()
        _print_pairs(console, agreement, short)


def _print_unscored(console: "Console", found: _Found, short: dict[str, str]) -> None:
    unscored = found.agreement.unscored
    if unscored.empty:
        return
    listed = [
        f"{short[row['a']]} and {short[row['b']]} ({_say_where(isnan(row['first']), isnan(row['second']))})"
        for _, row in unscored.iterrows()
    ]
    console.print(f"Without a score: {list_few(listed, MOST_NAMES)}.")
    for ordinal, study in zip(ORDINALS, found.studies, strict=True):
        targets = [short[name] for name in _list_targets_only(study) if name in found.agreement.names]
        if targets:
            console.print(
                f"Not attacked in the {ordinal}, so no pair with them has a score there: {list_few(targets, MOST_NAMES)}."
            )


def _say_where(is_first: bool, is_second: bool) -> str:
    return "in neither" if is_first and is_second else f"not in the {ORDINALS[is_second]}"


def _print_correlation(console: "Console", agreement: "StudyAgreement") -> None:
    pearson, spearman, trend = agreement.pearson, agreement.spearman, agreement.trend
    if isnan(pearson.r):
        console.print("Too few pairs, or all scores of a study are the same: there is no correlation.")
        return
    console.print(
        f"SAT of the two studies: r = {pearson.r:.2f}, p = {pearson.p_mantel:.2g}; Spearman's rank correlation "
        f"{_format_rank(spearman)}. The p values are from permuting classifiers (Mantel, {pearson.num_permutations} "
        f"permutations{', all there are' if pearson.exact else ''})."
    )
    mean = float(agreement.pairs["difference"].mean())
    console.print(
        f"On average, SAT is {format_number(abs(mean))} {'lower' if mean < 0 else 'higher'} in the second study. One unit more in "
        f"the first goes with {format_number(abs(trend.slope))} {'less' if trend.slope < 0 else 'more'} in the second."
    )


def _format_rank(spearman: "Correlation") -> str:
    return f"{spearman.r:.2f}, p = {spearman.p_mantel:.2g}"


def _print_pairs(console: "Console", agreement: "StudyAgreement", short: dict[str, str]) -> None:
    numbers = ("First", "Second", "Difference", "From the trend")
    heading = "Pair" if isnan(agreement.trend.slope) else "Farthest from the trend"
    made = make_table(heading, *numbers, numbers=numbers)
    for _, row in agreement.pairs.head(MOST_PAIRS).iterrows():
        made.add_row(
            f"{short[row['a']]} and {short[row['b']]}",
            format_number(row["first"]),
            format_number(row["second"]),
            *(_format_signed(row[name]) for name in ("difference", "residual")),
        )
    console.print(made)


def _format_signed(value: float) -> str:
    text = format_number(value)
    return f"+{text}" if value > 0 and float(text) else text
