"""`zooscope show`: a study's scores in the terminal."""

from typing import Annotated, Final

import typer

from zooscope.cli.options import CONFIDENCE, Confidence, ExistingStudy, Json
from zooscope.cli.terminal import say_json, stdout

EXAMPLE: Final = "zooscope show STUDY --json | jq .sat"


_Normalize = Annotated[
    bool,
    typer.Option(
        "--normalize",
        help="Divide each direction by the share of the same images on which the source's attack fools the source itself: for "
        "sources that the attack fools badly. --json has both.",
    ),
]


def show(
    study: ExistingStudy, confidence: Confidence = CONFIDENCE, *, normalize: _Normalize = False, as_json: Json = False
) -> None:
    """Print the scores of a study.

    Prints the matrix, the most and the least similar pairs with their intervals, and notes. While `measure` runs, it shows what is
    measured so far. --json also has same_mistake: percent of images that source and target take for the same wrong class.
    """
    from zooscope.cli import overview
    from zooscope.cli.drawing import draw_overview
    from zooscope.study.snapshot import read_snapshot

    opened = read_snapshot(study)
    if as_json:
        say_json(overview.encode_overview(opened, confidence=confidence))
    else:
        draw_overview(stdout(), overview.make_overview(opened, confidence=confidence, normalize=normalize))
