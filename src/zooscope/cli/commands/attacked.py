"""`zooscope attacks export`, `kept` and `forget`: the attacked images of a study."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table

from zooscope.cli.completion import complete_classifier
from zooscope.cli.measuring import drop_none, split_names
from zooscope.cli.options import BatchSize, Device, ExistingStudy, Json, Trust
from zooscope.cli.progress import progress_bar
from zooscope.cli.terminal import say, say_json, stdout
from zooscope.words import format_bytes, format_count

if TYPE_CHECKING:
    from zooscope.kept.kept_attacks import Held, KeptAttacks

EXPORT_EXAMPLE: Final = "zooscope attacks export STUDY --out attacked --sources 'vit*'"
KEPT_EXAMPLE: Final = "zooscope attacks kept STUDY"
FORGET_EXAMPLE: Final = "zooscope attacks forget STUDY"


class Format(StrEnum):
    """How attacked images are written."""

    SAFETENSORS = "safetensors"
    NPZ = "npz"
    PNG = "png"


_Out = Annotated[Path, typer.Option(metavar="DIR", help="The folder for the files; it is made.", show_default=False)]
_Sources = Annotated[
    list[str] | None,
    typer.Option(
        "--sources",
        metavar="PATTERN...",
        help="Names (or patterns of names) of attacked classifiers.",
        show_default="all",
        autocompletion=complete_classifier,
    ),
]
_Format = Annotated[
    Format, typer.Option("--format", help="safetensors and npz hold the pixels exactly; png rounds them to 8 bits.")
]


def export(
    study: ExistingStudy,
    out: _Out,
    sources: _Sources = None,
    file_format: _Format = Format.SAFETENSORS,
    *,
    batch_size: BatchSize = None,
    device: Device = "auto",
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Write a study's attacked images.

    For each source a file with the attacked pixels, the labels, the ids and the facts of the attack, of all images that the source
    gets right when clean; its name, epsilon and the attack are in it, too. Images that are kept in the study's folder are taken
    from there, others are attacked again. As png, a folder with a table, manifest.csv: rounding to 8 bits changes the images, and
    how much is said.
    """
    from zooscope.study.attacked import export_attacks
    from zooscope.study.study import Study

    with progress_bar() as listen, Study.open(study, trust=trust) as opened:
        written = export_attacks(
            opened,
            out,
            sources=split_names(sources),
            file_format=file_format.value,
            device=device,
            listen=listen,
            **drop_none(batch_size=batch_size),
        )
    if as_json:
        say_json([one._asdict() | {"path": str(one.path)} for one in written])
        return
    for one in written:
        say(f"{one.path}: {format_count(one.num_images, 'image')} attacked through {one.source}")


def kept(study: ExistingStudy, as_json: Json = False) -> None:
    """Say how many attacked images are kept.

    They lie in the folder cache of the study's folder, packed without loss, and are used again when a classifier is added.
    """
    held = _find_kept(study).describe()
    if as_json:
        say_json({"sources": {name: one._asdict() for name, one in held.items()}, "num_bytes": _count_bytes(held)})
        return
    if not held:
        say(f"{study}: no attacked images are kept")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("Source", "Images", "Size", "Bytes per image"):
        table.add_column(heading, justify="left" if heading == "Source" else "right", overflow="fold")
    for name, one in held.items():
        per_image = f"{one.num_bytes / one.images:,.0f}" if one.images else ""
        table.add_row(name or "(damaged)", f"{one.images:,}", format_bytes(one.num_bytes), per_image)
    stdout().print(table)
    say(f"\n{format_bytes(_count_bytes(held))} together")


def forget(study: ExistingStudy) -> None:
    """Remove the attacked images that are kept.

    What is measured stays. Classifiers that are added later cost an attack on every source once more.
    """
    gone = _find_kept(study).forget()
    say(f"{study}: {format_count(gone.images, 'attacked image')} forgotten, {format_bytes(gone.num_bytes)}")


def _find_kept(study: Path) -> "KeptAttacks":
    """What is kept of a study.

    Raises:
        MissingFileError: there is no study in the folder.
    """
    from zooscope.kept.entries import CACHE
    from zooscope.kept.kept_attacks import KeptAttacks
    from zooscope.records.entries import DATABASE
    from zooscope.records.records import Records

    Records.open(study / DATABASE).close()
    return KeptAttacks(study / CACHE)


def _count_bytes(held: "dict[str, Held]") -> int:
    return sum(one.num_bytes for one in held.values())
