"""`zooscope card`: what a model card says of a classifier's relatives."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from zooscope.cli.analysing import make_plain
from zooscope.cli.options import CONFIDENCE, Confidence, ExistingStudy, Json, StudyClassifier
from zooscope.cli.terminal import say, say_json, tell

EXAMPLE: Final = "zooscope card STUDY bundled:vit --out card.md"

_Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the Markdown into this file.", show_default="print it")]


def card(
    study: ExistingStudy,
    classifier: StudyClassifier,
    *,
    out: _Out = None,
    confidence: Confidence = CONFIDENCE,
    as_json: Json = False,
) -> None:
    """Write a classifier's relatives as Markdown for its model card.

    The nearest classifiers with intervals, whether the nearest is certain, the least similar ones, the settings of attack and
    images, and the command that measures the same again.
    """
    from zooscope.card import collect_card, format_card
    from zooscope.outputs import write_text
    from zooscope.study.snapshot import read_snapshot

    found = collect_card(read_snapshot(study), classifier, confidence=confidence)
    if out is not None:
        write_text(out, format_card(found))
        tell(f"The card: {out}")
    if as_json:
        say_json(make_plain(asdict(found)))
    elif out is None:
        for line in format_card(found).splitlines():
            say(line)
