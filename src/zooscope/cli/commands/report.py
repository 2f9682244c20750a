"""`zooscope report`: a study as one HTML page."""

from pathlib import Path
from typing import Annotated, Final

import typer

from zooscope.cli.options import CONFIDENCE, Confidence, ExistingStudy, Trust
from zooscope.cli.terminal import say

EXAMPLE: Final = "zooscope report STUDY --out similarity.html"

_Out = Annotated[Path | None, typer.Option(metavar="FILE", help="The page.", show_default="report.html in the study's folder")]


def report(study: ExistingStudy, out: _Out = None, confidence: Confidence = CONFIDENCE, *, trust: Trust = False) -> None:
    """Draw a study as one HTML page.

    The page needs no network: a heat map of the scores, a table of the classifiers, and a gallery of attacked images. What can't be
    shown, of an imported matrix for example, is left out with a sentence that says why.
    """
    from zooscope.report import write_report

    page = out or study / "report.html"
    try:
        from zooscope.study.study import Study
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        from zooscope.study.snapshot import read_snapshot  # a study can be read where torch is missing

        write_report(read_snapshot(study), page, confidence=confidence)
    else:
        with Study.open(study, trust=trust) as opened:
            write_report(opened, page, confidence=confidence)
    say(f"The report: {page}")
