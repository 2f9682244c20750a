"""`zooscope select`: which classifiers make a good ensemble."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from zooscope.cli.analysing import AnalysisSeed, Answer, Out, make_table, run_analysis
from zooscope.cli.clustered import take_classifiers
from zooscope.cli.commands.ensembles import Average, Averaged, take_clean_logits
from zooscope.cli.completion import complete_classifier
from zooscope.cli.options import CONFIDENCE, Confidence, ExistingStudy, Json
from zooscope.words import format_count, format_interval, format_percent, shorten_names

if TYPE_CHECKING:
    from rich.console import Console

    from zooscope.analyses.selection import Selection

EXAMPLE: Final = "zooscope select STUDY --size 3"
SIZE: Final = 5
PERCENT: Final = 100

_Size = Annotated[int, typer.Option(metavar="NUMBER", help="Members of an ensemble.")]
_From = Annotated[
    list[str] | None,
    typer.Option(
        "--from",
        metavar="NAME...",
        help="The classifiers to choose from, separated by spaces or commas; all of the study by default.",
        show_default=False,
        autocompletion=complete_classifier,
    ),
]
_Random = Annotated[int, typer.Option("--random", metavar="NUMBER", help="Random picks to compare with.")]


def select(
    study: ExistingStudy,
    *,
    size: _Size = SIZE,
    names: _From = None,
    average: Average = Averaged.LOGITS,
    random: _Random = 200,
    confidence: Confidence = CONFIDENCE,
    seed: AnalysisSeed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Choose classifiers for an ensemble.

    By several methods: the most diverse by SAT, the best as predicted from SAT and accuracies, greedily by measured error, and the
    best single ones. All are chosen on one half of the images and evaluated on the other, together with random picks. Prints the
    best, if there are enough images to tell it from the others.
    """

    def find() -> Answer:
        from zooscope.analyses.selection import select_ensemble
        from zooscope.pictures.selection import make_selection_picture
        from zooscope.scores.outcomes import find_outcomes
        from zooscope.study.snapshot import read_snapshot

        opened = read_snapshot(study)
        wanted = tuple(dict.fromkeys(name for word in names or () for name in word.split(","))) or opened.names
        predictions = opened.predictions
        logits, outcomes = take_clean_logits(opened, wanted, predictions), take_classifiers(find_outcomes(predictions), wanted)
        found = select_ensemble(
            logits, outcomes, size=size, average=average.value, confidence=confidence, num_random=random, seed=seed
        )
        return Answer(
            text=lambda console: _print(console, found, wanted),
            values=lambda: _encode(found),
            picture=lambda: make_selection_picture(found),
        )

    run_analysis(find, as_json=as_json, out=out)


def _encode(found: "Selection") -> dict[str, Any]:
    return {
        "chosen": found.chosen.reset_index(),
        "best": found.best,
        "winner": found.winner,
        "indistinct": found.indistinct,
        "equal": found.equal,
        "regression": None if found.regression is None else asdict(found.regression),
        "random": {"picks": found.num_random, "std": found.random_std},
        "images": {"choosing": found.num_choosing, "reporting": found.num_reporting},
        "confidence": found.confidence,
    }


def _print(console: "Console", found: "Selection", names: tuple[str, ...]) -> None:
    ends = f"{PERCENT * found.confidence:g} % interval"
    numbers = ("Error", ends, "Members alone", "Reduction")
    made = make_table("Chosen as", *numbers, numbers=numbers)
    for method, row in found.chosen.sort_values("error", kind="stable").iterrows():
        made.add_row(
            format_count(found.num_random, "random pick") if method == "random" else str(method),
            format_percent(100 * row["error"]),
            format_interval(PERCENT * row["low"], PERCENT * row["high"], 1),
            format_percent(100 * row["mean_error"]),
            format_percent(100 * row["err"]),
        )
    console.print(f"Top-1 error on {found.num_reporting} images; chosen on {found.num_choosing} others.")
    console.print(made)
    console.print()
    from zooscope.analyses.selection import describe_winner

    short = shorten_names(names)
    for method, row in found.chosen.iterrows():
        if row["members"]:
            console.print(f"{method}: {', '.join(short[name] for name in row['members'])}")
    console.print()
    console.print(describe_winner(found))
