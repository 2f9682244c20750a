"""`zooscope check`: whether a study is undamaged."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

import typer

from zooscope.cli.options import ExistingStudy, Json
from zooscope.cli.progress import counting_bar
from zooscope.cli.terminal import say, say_json, tell
from zooscope.words import quote_path

EXAMPLE: Final = "zooscope check STUDY --repair"
NUM_NAMED: Final = 20
DAMAGED: Final = 1

_Repair = Annotated[
    bool, typer.Option("--repair", help="Remove what is damaged and can be measured again; `zooscope measure` then measures it.")
]


def check(study: ExistingStudy, repair: _Repair = False, as_json: Json = False) -> None:
    """Compare everything in a study with its checksums.

    Names what is damaged: the kind, the classifiers, the shard. Damaged measurements can be removed (--repair) and measured again;
    if the classifiers, the labels or an imported matrix are damaged, only a copy helps. Exits with 1 if damage remains. Damaged
    attacked images in the folder cache are named, too; they put no score at risk and are made again when they are needed.
    """
    from zooscope.kept.entries import CACHE, find_damaged
    from zooscope.records.checking import check_study
    from zooscope.records.entries import DATABASE

    with counting_bar("checking", "arrays") as listen:
        result = check_study(study / DATABASE, repair=repair, listen=listen)
    kept = find_damaged(study / CACHE)
    if as_json:
        say_json(
            {
                "study": str(study),
                "damaged": [{"what": damage.what, "remedy": damage.remedy or "measure again"} for damage in result.found],
                "damaged_attacks": list(kept.values()),
                "repaired": repair,
            }
        )
    elif not result.found and not kept:
        say(f"{study}: everything is as it was written")
    else:
        for damage in result.found[:NUM_NAMED]:
            tell(f"Damaged: {damage.what}{f'; {damage.remedy}' if damage.remedy else ''}")
        if len(result.found) > NUM_NAMED:
            tell(f"... and {len(result.found) - NUM_NAMED} more")
        if repair and len(result.left) < len(result.found):
            number = len(result.found) - len(result.left)
            say(f"{study}: {number} damaged parts are forgotten; now run: `zooscope measure {quote_path(study)}`")
        elif not repair and any(not damage.remedy for damage in result.found):
            say(f"To forget what can be measured again: `zooscope check {quote_path(study)} --repair`")
    if kept:
        _repair_kept(list(kept), repair=repair)
    if result.left:
        raise typer.Exit(DAMAGED)


def _repair_kept(files: list[Path], *, repair: bool) -> None:
    """Says how many kept attacks are damaged, and removes them if asked for."""
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    if repair:
        for file in files:
            with suppress(OSError):
                file.unlink()
    how = "removed" if repair else "not used, and made again when they are needed"
    tell(f"Note: the attacked images in {files[0]}{more} are damaged; they are {how}.")
