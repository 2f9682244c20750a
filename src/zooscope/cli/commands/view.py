"""`zooscope view`: the report in a browser, while studies are measured."""

from pathlib import Path
from typing import Annotated, Final

import typer

from zooscope.cli.options import CONFIDENCE, Confidence
from zooscope.cli.terminal import say

EXAMPLE: Final = "zooscope view STUDY"

_Studies = Annotated[list[Path], typer.Argument(metavar="STUDY...", help="The folders of one or more studies.", show_default=False)]
_Port = Annotated[int, typer.Option(metavar="NUMBER", help="The port; 0 takes a free one.")]


def view(studies: _Studies, port: _Port = 0, confidence: Confidence = CONFIDENCE) -> None:
    """Show the report in a browser, and keep it up to date.

    Serves the pages of studies on this machine alone, at an address with a random token, and loads them again while `measure` runs.
    Nothing is written. Stop it by Ctrl-C.
    """
    from zooscope.view.serve import serve_studies

    serve_studies(studies, port=port, confidence=confidence, listen=lambda address: say(f"Open {address} (Ctrl-C stops it)"))
