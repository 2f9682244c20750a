"""`zooscope merge`: the parts of a study, put together."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from zooscope.cli.terminal import say, tell
from zooscope.words import format_count, list_few, quote_path

if TYPE_CHECKING:
    from zooscope.study.merge import Merged

EXAMPLE: Final = "zooscope merge STUDY"
MOST_PARTS: Final = 6

_Out = Annotated[
    Path,
    typer.Argument(
        metavar="STUDY", help="The folder of the study that the parts become; one that is there is completed.", show_default=False
    ),
]
_Parts = Annotated[
    list[Path] | None,
    typer.Argument(metavar="PART", help="The folders of the parts, or of other studies.", show_default="all of STUDY/parts"),
]
_AllowChance = Annotated[bool, typer.Option("--allow-chance", help="Also take classifiers that are no better than guessing.")]


def merge(study: _Out, parts: _Parts = None, *, allow_chance: _AllowChance = False) -> None:
    """Put parts of a study together that `measure --part` made.

    The parts must be about the same images and attack, with the same weights under each name, and of one version of zooscope; a
    unit that two of them measured must have the same result. Studies with different classifiers are merged, too; `measure` then
    measures what is missing between them. Everything is written, or nothing.
    """
    from zooscope.study.merge import merge_studies

    merged = merge_studies(study, parts or None, allow_chance=allow_chance)
    for reason in merged.left_out.values():
        tell(f"Note: left out: {reason}")
    if len(merged.ways) > 1:
        ways = "; ".join(map(str, merged.ways))
        tell(f"Note: the parts were measured in {len(merged.ways)} ways, so the last bits of numbers may differ: {ways}.")
    say(
        f"{study}: {format_count(merged.num_parts, 'part')} merged: {format_count(merged.num_classifiers, 'classifier')} on "
        f"{format_count(merged.num_images, 'image')}. {_describe_rest(merged, quote_path(study))}"
    )


def _describe_rest(merged: "Merged", place: str) -> str:
    """What is missing, and what to do next."""
    if not merged.missing:
        return f"Nothing is missing. To see the scores: `zooscope show {place}`, or `zooscope report {place}`"
    units = ", ".join(f"{count} units of {what}" for what, count in merged.missing.items())
    absent = list_few([f"{part.number}/{part.of}" for part in merged.absent], MOST_PARTS)
    parts = f" (parts {absent} are not there)" if merged.absent else ""
    return f"Missing: {units}{parts}; measure those parts and merge again, or `zooscope measure {place}` measures all of it"
