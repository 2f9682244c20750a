"""`zooscope check`: whether a study is undamaged."""

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
    if the classifiers, the labels or an imported matrix are damaged, only a copy helps. Exits with 1 if damage remains.
    """
    from zooscope.records.checking import check_study
    from zooscope.records.entries import DATABASE

    with counting_bar("checking", "arrays") as listen:
        result = check_study(study / DATABASE, repair=repair, listen=listen)
    if as_json:
        say_json(
            {
                "study": str(study),
                "damaged": [{"what": damage.what, "remedy": damage.remedy or "measure again"} for damage in result.found],
                "repaired": repair,
            }
        )
    elif not result.found:
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
    if result.left:
        raise typer.Exit(DAMAGED)
