"""`zooscope classifiers`: the bundled ones, the providers of others, and the matches of a pattern or a zoo file."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table

from zooscope.classifiers.providers.registry import PROVIDERS
from zooscope.cli.options import Json
from zooscope.cli.terminal import say, say_json, stdout

if TYPE_CHECKING:
    from zooscope.classifiers.bundled.cards import Card

EXAMPLE: Final = "zooscope classifiers 'timm:vit_*' --names"

_Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="PATTERN", help="Patterns, zoo files or addresses, as for `measure --classifiers`.", show_default=False),
]
_Names = Annotated[bool, typer.Option("--names", help="Print the names only, one per line.")]
_Paper = Annotated[bool, typer.Option("--paper", help="List the paper's 69 networks with their 13 components.")]


def classifiers(words: _Words = None, paper: _Paper = False, names: _Names = False, as_json: Json = False) -> None:
    """List the bundled classifiers, or those that patterns match.

    The bundled ones are small networks trained on CIFAR-10; --json shows how. Accuracy is on CIFAR-10's 10,000 test images.
    For a pattern, such as 'timm:vit_*', or a zoo file, the addresses are listed; none is loaded.
    """
    if paper:
        from zooscope.cli.paper import list_paper

        if words:
            msg = f"--paper lists all 69 and takes no pattern: got {' '.join(words)}; leave --paper out and write 'paper:resnet*'."
            raise typer.BadParameter(msg)
        list_paper(names=names, as_json=as_json)
        return
    if words:
        _list(words, names=names, as_json=as_json)
        return
    from zooscope.classifiers.bundled.cards import read_cards

    found = {f"bundled:{name}": card for name, card in read_cards().items()}
    if as_json:
        say_json([{"name": name, **asdict(card)} for name, card in found.items()])
    elif names:
        for name in found:
            say(name)
    else:
        stdout().print(_make_table(found))
        say("\nOthers, by address:")
        for form in list(PROVIDERS.forms.values())[1:]:
            say(f"  {form}")


def _list(words: list[str], *, names: bool, as_json: bool) -> None:
    """The matches of the words: addresses, or with --names the classifiers' names."""
    from zooscope.addresses import parse_address
    from zooscope.classifiers.addresses import find_name
    from zooscope.classifiers.selection import classifier_addresses

    found = {address: find_name(parse_address(address)) for address in classifier_addresses(words)}
    if as_json:
        say_json([{"name": name, "address": address} for address, name in found.items()])
    else:
        for address, name in found.items():
            say(name if names else address)


def _make_table(found: "dict[str, Card]") -> Table:
    from zooscope.classifiers.bundled.architectures import ARCHITECTURES

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Name", no_wrap=True)
    table.add_column("Seed", justify="right")
    table.add_column("Accuracy", justify="right")
    table.add_column("Architecture")
    for name, card in found.items():
        description = (ARCHITECTURES[card.architecture].__doc__ or card.architecture).partition("\n")[0]
        if card.robust_accuracy is not None:
            description += f" Adversarially trained: {100 * card.robust_accuracy:.1f} % under attack."
        table.add_row(name, str(card.seed), f"{100 * card.test_accuracy:.1f} %", description)
    return table
