"""`zooscope report`: a study as one HTML page."""

from pathlib import Path
from typing import Annotated, Final

import typer

from zooscope.cli.options import CONFIDENCE, Confidence, ExistingStudy
from zooscope.cli.terminal import say

EXAMPLE: Final = "zooscope report STUDY --out similarity.html"

_Out = Annotated[Path | None, typer.Option(metavar="FILE", help="The page.", show_default="report.html in the study's folder")]


def report(study: ExistingStudy, out: _Out = None, confidence: Confidence = CONFIDENCE) -> None:
    """Draw a study as one HTML page.

    The page needs no network: a heat map of the scores, a table of the classifiers, and a gallery of attacked images.
    """
    from zooscope.report import write_report
    from zooscope.study.study import Study

    with Study.open(study) as opened:
        page = write_report(opened, out or study / "report.html", confidence=confidence)
    say(f"The report: {page}")
