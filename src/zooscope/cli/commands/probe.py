"""`zooscope probe`: attack a few landmarks once, test any number of classifiers on their images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from zooscope.cli.analysing import make_plain, make_table
from zooscope.cli.help import Command, Group, show_example
from zooscope.cli.measuring import drop_none, split_names
from zooscope.cli.options import (
    CONFIDENCE,
    AllowChance,
    BatchSize,
    Classifiers,
    Confidence,
    Device,
    ExistingStudy,
    Json,
    Trust,
)
from zooscope.cli.terminal import say, say_json, stdout
from zooscope.errors import InvalidValueError
from zooscope.words import format_count, format_interval, format_number, format_percent, quote_path, shorten_names

if TYPE_CHECKING:
    from rich.console import Console

    from zooscope.analyses.profiles import Profiles

EXAMPLE: Final = "zooscope probe run pack.zoo --classifiers 'onnx:model.onnx'"
MAKE_EXAMPLE: Final = "zooscope probe make STUDY --landmarks 16 --out pack.zoo"
NUM_NEAREST: Final = 3
LARGE_CONTROL_PERCENT: Final = 5.0
MEBI: Final = 2**20

group = typer.Typer(
    name="probe",
    cls=Group,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)


@group.callback(epilog=show_example(EXAMPLE))
def probe() -> None:
    """Compare many classifiers by a few attacked ones.

    `make` writes the images of a study, attacked through some landmarks, into one file. `run` tests classifiers on them: forward
    passes alone, so that ONNX, quantised or remote classifiers take part. Each one's profile is its one-sided SAT to every
    landmark; `zooscope complete` estimates the SAT of all pairs from profiles.
    """


_Landmarks = Annotated[
    str,
    typer.Option(
        metavar="NUMBER|NAMES",
        help="How many classifiers to attack, chosen to represent the others by their clean predictions; or their names, "
        "separated by commas.",
    ),
]
_Made = Annotated[Path, typer.Option("--out", metavar="FILE", help="The pack.", show_default=False)]
_Pack = Annotated[Path, typer.Argument(metavar="PACK", help="What `probe make` wrote.", show_default=False)]
_Study = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="STUDY",
        help="The folder for the study of landmarks and classifiers; made, or continued. Without it nothing is kept.",
        show_default=False,
    ),
]


@group.command(cls=Command, epilog=show_example(MAKE_EXAMPLE))
def make(
    study: ExistingStudy,
    *,
    landmarks: _Landmarks = "16",
    out: _Made = Path("pack.zoo"),
    batch_size: BatchSize = None,
    device: Device = "auto",
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Write a probe pack: a study's images, attacked.

    The images are attacked once more through each landmark, as the study's attack does. The pack holds them without loss, with
    the clean images, labels and class names; whoever gets the file gets the images.
    """
    from zooscope.cli.progress import progress_bar

    with progress_bar() as listen:
        import zooscope.probe

        with zooscope.Study.open(study, trust=trust) as opened:
            pack = zooscope.probe.make(
                opened,
                out,
                landmarks=int(landmarks) if landmarks.isdecimal() else (split_names([landmarks]) or ()),
                device=device,
                listen=listen,
                **drop_none(batch_size=batch_size),
            )
    size = out.stat().st_size / MEBI
    if as_json:
        say_json({"pack": str(out), "landmarks": list(pack.names), "images": len(pack.image_ids), "digest": pack.digest})
        return
    say(f"{out}: {len(pack.image_ids)} images, attacked through {format_count(len(pack.names), 'landmark')}, {size:.1f} MiB")
    say(f"Landmarks: {', '.join(pack.names)}")
    say(f"To test classifiers on it: `zooscope probe run {quote_path(out)} --classifiers ADDRESS...`")


@group.command(cls=Command, epilog=show_example(EXAMPLE))
def run(
    pack: _Pack,
    *,
    classifiers: Classifiers = None,
    out: _Study = None,
    batch_size: BatchSize = None,
    device: Device = "auto",
    allow_chance: AllowChance = False,
    confidence: Confidence = CONFIDENCE,
    as_json: Json = False,
) -> None:
    """Test classifiers on a probe pack.

    Prints the clean accuracy of each, and its nearest landmarks, by one-sided SAT: how many of the images that were attacked
    through the landmark fool it. With --out the answers are kept in a study whose sources are the landmarks, which `show`, `export`
    and `complete` take; after an interruption the same command goes on.
    """
    from zooscope.cli.progress import progress_bar

    if not classifiers:
        msg = "no classifier to test; name some by --classifiers."
        raise InvalidValueError(msg)
    with progress_bar() as listen:
        import zooscope.probe

        profiles = zooscope.probe.run(
            pack,
            classifiers,
            out=out,
            device=device,
            allow_chance=allow_chance,
            confidence=confidence,
            listen=listen,
            **drop_none(batch_size=batch_size),
        )
    if as_json:
        say_json(make_plain(_encode(profiles)))
        return
    _print(stdout(), profiles)
    if out is not None:
        say(f"The study: {out}. To see it: `zooscope show {quote_path(out)}`")


def _encode(profiles: "Profiles") -> dict[str, Any]:
    by_name = {str(name): rows.drop(columns="classifier") for name, rows in profiles.table.groupby("classifier", sort=False)}
    return {
        "confidence": profiles.confidence,
        "landmarks": profiles.landmarks.reset_index(),
        "classifiers": [
            {"name": name, **summary.to_dict(), "profile": by_name[str(name)]} for name, summary in profiles.classifiers.iterrows()
        ],
    }


def _print(console: "Console", profiles: "Profiles") -> None:
    short = shorten_names([*profiles.classifiers.index, *profiles.landmarks.index])
    ends = f"{100 * profiles.confidence:g} % interval"
    numbers = ("Clean", "SAT, one-sided", ends)
    made = make_table("Classifier", "Clean", "Nearest", "SAT, one-sided", ends, numbers=numbers)
    for name, summary in profiles.classifiers.iterrows():
        rows = profiles.table[profiles.table["classifier"] == name].head(NUM_NEAREST)
        for place, (_, row) in enumerate(rows.iterrows()):
            made.add_row(
                short[str(name)] if place == 0 else "",
                format_percent(summary["clean_accuracy"]) if place == 0 else "",
                short[row["landmark"]],
                format_number(row["sat"]),
                format_interval(row["low"], row["high"]),
            )
    console.print(made)
    console.print()
    unsure = [short[str(name)] for name, one in profiles.classifiers.iterrows() if not one["nearest_share"] >= profiles.confidence]
    console.print(
        f"Each nearest landmark is the nearest in at least {100 * profiles.confidence:g} % of bootstrap draws of the images"
        + (f", but for {', '.join(unsure)}." if unsure else ".")
    )
    large = profiles.table[profiles.table["control"] > LARGE_CONTROL_PERCENT]
    if len(large):
        names = ", ".join(short[name] for name in dict.fromkeys(large["classifier"]))
        console.print(
            f"Note: more than {LARGE_CONTROL_PERCENT:g} % of the images are wrong without any attack, only because they are "
            f"preprocessed for a landmark, for {names}."
        )
