"""`zooscope show`: a study's scores in the terminal."""

from typing import Final

from zooscope.cli.options import CONFIDENCE, Confidence, ExistingStudy, Json
from zooscope.cli.terminal import say_json, stdout

EXAMPLE: Final = "zooscope show STUDY --json | jq .sat"


def show(study: ExistingStudy, confidence: Confidence = CONFIDENCE, as_json: Json = False) -> None:
    """Print the scores of a study.

    Prints the matrix, the most and the least similar pairs with their intervals, and notes. While `measure` runs, it shows what is
    measured so far.
    """
    from zooscope.cli import overview
    from zooscope.cli.drawing import draw_overview
    from zooscope.study.snapshot import read_snapshot

    opened = read_snapshot(study)
    view = overview.make_overview(opened, confidence=confidence)
    if as_json:
        say_json(overview.encode_overview(view))
    else:
        draw_overview(stdout(), view)
