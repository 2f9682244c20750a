"""`zooscope closer`: is A closer to B than to C, and how sure is each classifier's nearest neighbour?"""

from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from zooscope.cli.analysing import Answer, Out, make_table, run_analysis
from zooscope.cli.completion import complete_classifier
from zooscope.cli.options import CONFIDENCE, Confidence, ExistingStudy, Json
from zooscope.errors import InvalidValueError
from zooscope.words import format_count, format_interval, format_number, format_percent, list_few, shorten_names

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from rich.console import Console

    from zooscope.pictures.data import Picture
    from zooscope.scores.closer import Closer
    from zooscope.study.snapshot import Snapshot

EXAMPLE: Final = "zooscope closer STUDY bundled:vit bundled:mixer bundled:swin"
MOST_RIVALS: Final = 3
MOST_IMAGES: Final = 1e9

_A = Annotated[
    str | None,
    typer.Argument(metavar="A", help="A classifier of the study.", show_default="all", autocompletion=complete_classifier),
]
_B = Annotated[
    str | None,
    typer.Argument(metavar="B", help="One that it may be close to.", show_default=False, autocompletion=complete_classifier),
]
_C = Annotated[str | None, typer.Argument(metavar="C", help="Another one.", show_default=False, autocompletion=complete_classifier)]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Compared:
    names: tuple[str, str, str]
    study: "Snapshot"
    sat: "xr.DataArray"
    found: "Closer"


def closer(
    study: ExistingStudy,
    a: _A = None,
    b: _B = None,
    c: _C = None,
    *,
    confidence: Confidence = CONFIDENCE,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Say whether A is closer to B than to C.

    The difference of both SAT with its interval (both are of the same images, so this tells more than two intervals that overlap),
    and how many images would tell it from 0 in four of five samples. Without names: the nearest neighbour of every classifier, and
    whether these images show that no other one is nearer.
    """
    names = _require_three(a, b, c)

    def find() -> Answer:
        from zooscope.study.snapshot import read_snapshot

        opened = read_snapshot(study)
        if names is None:
            table = opened.nearest(confidence=confidence)
            return Answer(
                text=lambda console: _print_table(console, opened, table, confidence),
                values=lambda: _encode_table(opened, table, confidence),
                picture=lambda: _draw_table(table, confidence),
            )
        found = opened.closer(*names, confidence=confidence)
        compared = _Compared(names=names, study=opened, sat=opened.sat(confidence=confidence), found=found)
        return Answer(
            text=lambda console: _print_pair(console, compared),
            values=lambda: _encode_pair(compared),
            picture=lambda: _draw_pair(compared),
        )

    run_analysis(find, as_json=as_json, out=out)


def _require_three(a: str | None, b: str | None, c: str | None) -> tuple[str, str, str] | None:
    """All names, or none."""
    if a is None:
        return None
    if b is None or c is None:
        msg = f"name three classifiers: is {a} closer to {b or 'B'} than to C? Without any name, all are shown."
        raise InvalidValueError(msg)
    return a, b, c


# Is A closer to B than to C?


def _print_pair(console: "Console", compared: _Compared) -> None:
    found, study = compared.found, compared.study
    a, b, c = shorten_names(compared.names).values()
    images, percent = format_count(study.num_images, "image"), f"{100 * found.confidence:g} %"
    nearer, farther = (b, c) if found.difference > 0 else (c, b)
    if found.difference == 0:
        console.print(f"{a} is as close to {b} as to {c} on these {images}.")
    elif found.is_told_apart:
        console.print(f"{a} is closer to {nearer} than to {farther}.")
    else:
        console.print(f"{a} seems closer to {nearer} than to {farther}, but these {images} don't tell them apart.")
    console.print()
    made = make_table("", "SAT", f"{percent} interval", "percent", "images", numbers=("SAT", "percent", "images"))
    for name, short in zip(compared.names[1:], (b, c), strict=True):
        cell = compared.sat.sel(a=compared.names[0], b=name)
        made.add_row(
            f"{a} and {short}",
            format_number(float(cell)),
            format_interval(float(cell.low), float(cell.high)),
            format_number(float(cell.percent), 1),
            str(int(cell["count"])),
        )
    made.add_row("difference", format_number(found.difference), format_interval(found.low, found.high), "", "")
    console.print(made)
    console.print()
    console.print(_describe_images(found.images_for_80_percent_power, study.num_images, is_told_apart=found.is_told_apart))


def _describe_images(needed: float, num_images: int, *, is_told_apart: bool) -> str:
    if not isfinite(needed) or needed > MOST_IMAGES:
        return "No number of images tells them apart, if they are as equal as on these."
    told = f"{_format_images(needed)} would tell so large a difference apart in four of five samples (80 % power)"
    return f"About {told}; the study has {num_images}." if is_told_apart else f"About {told}. The study has {num_images}."


def _format_images(needed: float) -> str:
    """Two digits are all that such an estimate knows."""
    step = 10 ** max(0, floor(log10(max(needed, 1))) - 1)
    rounded = max(1, ceil(needed / step) * step)
    return f"{rounded:,} {'image' if rounded == 1 else 'images'}"


def _encode_pair(compared: _Compared) -> dict[str, Any]:
    found, (a, b, c) = compared.found, compared.names
    return {
        "study": compared.study.place,
        "a": a,
        "b": b,
        "c": c,
        "sat": {name: _encode_cell(compared.sat.sel(a=a, b=name)) for name in (b, c)},
        "difference": found.difference,
        "low": found.low,
        "high": found.high,
        "confidence": found.confidence,
        "certainty": found.certainty,
        "is_told_apart": found.is_told_apart,
        "images": compared.study.num_images,
        "images_for_80_percent_power": found.images_for_80_percent_power,
    }


def _encode_cell(cell: "xr.DataArray") -> dict[str, float]:
    return {"score": float(cell)} | {key: float(cell[key]) for key in ("low", "high", "percent", "count")}


def _draw_pair(compared: _Compared) -> "Picture":
    from zooscope.pictures.closer import make_closer_picture

    return make_closer_picture(compared.names, compared.sat, compared.found)


# Every classifier's nearest neighbour


def _print_table(console: "Console", study: "Snapshot", table: "pd.DataFrame", confidence: float) -> None:
    short = shorten_names([str(name) for name in table.index])
    made = make_table("Classifier", "Nearest", "SAT", "How sure", "As near", "Images", numbers=("SAT", "How sure", "Images"))
    for name, row in table.iterrows():
        made.add_row(
            short[str(name)],
            "-" if row["nearest"] is None else short[row["nearest"]],
            format_number(row["sat"]),
            _format_certainty(row),
            list_few([short[rival] for rival in row["as_near"]], MOST_RIVALS) or "-",
            "-" if not isfinite(row["num_images"]) else _format_images(row["num_images"]).split()[0],
        )
    console.print(made)
    console.print()
    known = table[table["nearest"].notna()]
    sure = int(known["is_sure"].sum())
    console.print(
        f"Of {format_count(len(known), 'nearest neighbour')} {sure} {'is' if sure == 1 else 'are'} sure on these "
        f"{format_count(study.num_images, 'image')}: every other classifier is told apart ({100 * confidence:g} % intervals of "
        "differences). How sure: confidence that the neighbour is nearer than the rival that is least told apart. Images: how many "
        "would tell this rival apart in four of five samples."
    )


def _format_certainty(row: "pd.Series[Any]") -> str:
    if not isfinite(row["certainty"]):
        return "-"
    percent = 100 * float(row["certainty"])
    return "> 99.9 %" if percent > 99.9 else format_percent(percent)  # noqa: PLR2004


def _encode_table(study: "Snapshot", table: "pd.DataFrame", confidence: float) -> dict[str, Any]:
    renamed = table.rename(columns={"num_images": "images_for_80_percent_power"})
    return {
        "study": study.place,
        "images": study.num_images,
        "confidence": confidence,
        "nearest": renamed.reset_index().to_dict(orient="records"),
    }


def _draw_table(table: "pd.DataFrame", confidence: float) -> "Picture":
    from zooscope.pictures.closer import make_nearest_picture

    return make_nearest_picture(table, confidence)
