"""`zooscope classifiers`: the bundled ones."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table

from zooscope.cli.options import Json
from zooscope.cli.terminal import say, say_json, stdout

if TYPE_CHECKING:
    from zooscope.classifiers.bundled.zoo import Card

EXAMPLE: Final = "zooscope classifiers --names"

_Names = Annotated[bool, typer.Option("--names", help="Print the names alone, one a line.")]


def classifiers(names: _Names = False, as_json: Json = False) -> None:
    """List the bundled classifiers.

    They are small networks trained on CIFAR-10; --json tells how. Accuracy is that on CIFAR-10's 10,000 test images.
    """
    from zooscope.classifiers.bundled.zoo import cards

    found = {f"bundled:{name}": card for name, card in cards().items()}
    if as_json:
        say_json([{"name": name, **asdict(card)} for name, card in found.items()])
    elif names:
        for name in found:
            say(name)
    else:
        stdout().print(_table(found))


def _table(found: "dict[str, Card]") -> Table:
    from zooscope.classifiers.bundled.architectures import ARCHITECTURES

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Name", no_wrap=True)
    table.add_column("Seed", justify="right")
    table.add_column("Accuracy", justify="right")
    table.add_column("Architecture")
    for name, card in found.items():
        description = (ARCHITECTURES[card.architecture].__doc__ or card.architecture).partition("\n")[0]
        table.add_row(name, str(card.seed), f"{100 * card.test_accuracy:.1f} %", description)
    return table
