"""`zooscope components`: what a network is built of, and which components explain a study's scores."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.table import Table

from zooscope.cli.help import Command, Group, show_example
from zooscope.cli.options import Json
from zooscope.cli.terminal import say, say_json, stdout

if TYPE_CHECKING:
    from zooscope.components.reading.read import Components

EXAMPLE: Final = "zooscope components read bundled:vit"
ON_A_STUDY: Final = "importance"


class WithDefault(Group):
    """A first word that is not a command is a study's folder, for the command for studies."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  (a class of Typer's or of Click's, by version)
        """Inserts the name of the command if it is missing."""
        names_no_command = bool(args) and args[0] not in self.commands and args[0] != "--help"
        return super().parse_args(ctx, [ON_A_STUDY, *args] if names_no_command and ON_A_STUDY in self.commands else args)


group = typer.Typer(
    name="components",
    cls=WithDefault,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)


@group.callback(epilog=show_example(EXAMPLE))
def components() -> None:
    """Read a network's components, or measure which matter.

    `read` takes one classifier. A study's folder alone, `zooscope components STUDY`, stands for `zooscope components importance
    STUDY`; a study whose folder has the name of a command is written ./read.
    """


_Address = Annotated[
    str,
    typer.Argument(
        metavar="CLASSIFIER",
        help="Any classifier's address, such as bundled:vit; for timm:NAME and paper:NAME no weights are needed.",
        show_default=False,
    ),
]
_Override = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A CSV whose values override: the classifier's name in the first column, components in the others.",
        show_default=False,
    ),
]


@group.command(cls=Command, epilog=show_example(EXAMPLE))
def read(classifier: _Address, override: _Override = None, as_json: Json = False) -> None:
    """Print a network's 13 components, and the reason for each.

    Looks at the modules and one traced forward pass, never at the network's name, so it works on any network. The values are
    those of the paper's table.
    """
    from zooscope.components.reading.read import override_components, read_components
    from zooscope.components.reading.skeleton import load_skeleton

    loaded = load_skeleton(classifier)
    found = read_components(loaded)
    if override is not None:
        found = override_components(found, override, name=loaded.name)
    if as_json:
        say_json(
            {
                "classifier": loaded.name,
                "components": {name: {"value": r.value, "why": r.why, "is_guess": r.is_guess} for name, r in found.items()},
            }
        )
    else:
        say(loaded.name)
        stdout().print(_make_table(found))


def _make_table(found: "Components") -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Component", max_width=22)
    table.add_column("Value", max_width=16)
    table.add_column("Why", ratio=1, overflow="fold")
    for name, reading in found.items():
        table.add_row(name, reading.value, reading.why)
    return table
