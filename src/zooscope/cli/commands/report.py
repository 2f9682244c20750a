"""`zooscope report`: a study as one HTML page."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from zooscope.cli.options import CONFIDENCE, Confidence, ExistingStudy
from zooscope.cli.terminal import say

if TYPE_CHECKING:
    from zooscope.study.recorded import RecordedStudy

EXAMPLE: Final = "zooscope report STUDY --out similarity.html"

_Out = Annotated[Path | None, typer.Option(metavar="FILE", help="The page.", show_default="report.html in the study's folder")]


def report(study: ExistingStudy, out: _Out = None, confidence: Confidence = CONFIDENCE) -> None:
    """Draw a study as one HTML page.

    The page needs no network: a heat map of the scores, a table of the classifiers, and a gallery of attacked images. What can't be
    shown, of an imported matrix for example, is left out with a sentence that says why.
    """
    from zooscope.report import write_report

    with _open(study) as opened:
        page = write_report(opened, out or study / "report.html", confidence=confidence)
    say(f"The report: {page}")


def _open(path: Path) -> "RecordedStudy":
    """The study; where torch is missing it can still be read."""
    from zooscope.study.recorded import RecordedStudy

    try:
        from zooscope.study.study import Study
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return RecordedStudy.read(path)
    return Study.open(path)
