"""`zooscope export`: a study for other programs."""

from pathlib import Path
from typing import Annotated, Final

import typer

from zooscope.cli.options import CONFIDENCE, Confidence, ExistingStudy
from zooscope.cli.terminal import say

EXAMPLE: Final = "zooscope export STUDY --out tables"

_Out = Annotated[Path, typer.Option(metavar="DIR", help="The folder for the files; it is made.", show_default=False)]


def export(study: ExistingStudy, out: _Out, confidence: Confidence = CONFIDENCE) -> None:
    """Write a study as CSV and Parquet.

    sat.csv, sat_low.csv and sat_high.csv are square, with names in the header and in the first column; so are those of
    sat_normalized (divided by the sources' own success). transfer.csv has the source by row and the target by column, in percent,
    as do same_mistake.csv (both take the image for the same wrong class) and its ends. classifiers.csv has a row per classifier,
    and predictions.parquet a row per source, target and image (source, target, image, label, prediction), as far as both classify
    the clean image correctly.
    """
    from zooscope.study.snapshot import read_snapshot

    opened = read_snapshot(study)
    for file in opened.export(out, confidence=confidence):
        say(str(file))
