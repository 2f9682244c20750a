"""`zooscope stability`: how much SAT varies with the images, and how many are enough."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from zooscope.cli.analysing import AnalysisSeed, Answer, Out, make_table, run_analysis
from zooscope.cli.completion import complete_classifier
from zooscope.cli.options import CONFIDENCE, Confidence, ExistingStudy, Json
from zooscope.words import shorten_names

if TYPE_CHECKING:
    from rich.console import Console

    from zooscope.analyses.stability import Stability

EXAMPLE: Final = "zooscope stability STUDY --width 2"
NUM_SETS: Final = 10
WIDTH: Final = 2.0

_Pair = Annotated[
    tuple[str, str] | None,
    typer.Option(
        metavar="A B",
        help="Two classifiers of the study; the default is the mean over all pairs.",
        show_default=False,
        autocompletion=complete_classifier,
    ),
]
_Sizes = Annotated[
    str | None,
    typer.Option(metavar="NUMBERS", help="Numbers of images per set, separated by commas.", show_default="10,20,50,... to all"),
]
_Sets = Annotated[int, typer.Option("--sets", metavar="NUMBER", help="Number of sets of each size.")]
_Width = Annotated[
    float, typer.Option(metavar="POINTS", help="The requested width of a score's interval from end to end, in percent points.")
]


def stability(
    study: ExistingStudy,
    *,
    pair: _Pair = None,
    sizes: _Sizes = None,
    sets: _Sets = NUM_SETS,
    width: _Width = WIDTH,
    confidence: Confidence = CONFIDENCE,
    seed: AnalysisSeed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Measure how much SAT depends on the choice of images.

    From what is measured already: the standard deviation of SAT (in percent, without the logarithm) over several sets of images, by
    their size, and how many images a score needs for an interval of a given width.
    """

    def find() -> Answer:
        from zooscope.analyses.stability import measure_stability
        from zooscope.pictures.stability import make_stability_picture
        from zooscope.scores.outcomes import find_outcomes
        from zooscope.study.snapshot import read_snapshot

        opened = read_snapshot(study)
        outcomes = find_outcomes(opened.predictions)
        found = measure_stability(
            outcomes, pair=pair, sizes=_parse_numbers(sizes), num_sets=sets, width=width, confidence=confidence, seed=seed
        )
        return Answer(
            text=lambda console: _print(console, found),
            values=lambda: _encode(found),
            picture=lambda: make_stability_picture(found),
        )

    run_analysis(find, as_json=as_json, out=out)


def _parse_numbers(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(number) for number in text.split(",")]
    except ValueError as error:
        msg = f"{text!r} is not a list of numbers; write it as 100,500,1000."
        raise typer.BadParameter(msg, param_hint="--sizes") from error


def _encode(found: "Stability") -> dict[str, Any]:
    return {
        "by_size": found.by_size.reset_index(),
        "sets": found.num_sets,
        "needed": {
            "images": found.needed,
            "images_for_the_widest_pair": found.needed_most,
            "width": found.width,
            "confidence": found.confidence,
        },
        "pairs": found.pairs,
        "images": found.num_images,
    }


def _print(console: "Console", found: "Stability") -> None:
    whose = (
        " and ".join(shorten_names([str(found.pairs[end].iloc[0]) for end in "ab"]).values())
        if len(found.pairs) == 1
        else f"mean over {len(found.pairs)} pairs"
    )
    console.print(f"Standard deviation of SAT in percent points over {found.num_sets} sets of images ({whose}):")
    made = make_table("Images", "Standard deviation", "Expected", "Sets", numbers=("Images", "Standard deviation", "Expected"))
    for size, row in found.by_size.iterrows():
        made.add_row(
            str(size),
            f"{row['std']:.2f}",
            f"{row['expected']:.2f}",
            "share no image" if row["disjoint"] else "drawn with replacement",
        )
    console.print(made)
    console.print()
    most = "" if len(found.pairs) == 1 else f", {found.needed_most} for the pair that needs the most"
    console.print(
        f"An interval of {found.width:g} points from end to end ({100 * found.confidence:g} %) needs {found.needed} images{most}. "
        f"The study has {found.num_images}. Extrapolated from the spread over its images, as 1 / sqrt(images)."
    )
