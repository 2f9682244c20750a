"""The program `zooscope` and its commands."""

import re
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

import zooscope
from zooscope.cli import classifiers, compare, demo, doctor, export, measure, report, show
from zooscope.cli.terminal import INTERRUPTED, notes_for_warnings, tell
from zooscope.errors import ZooscopeError

FAILED: Final = 1
SEVERAL_WORDS: Final = "--classifiers"
_ADDRESS: Final = re.compile(r"[\w*\[\]]+:")


class Commands(TyperGroup):
    """Says expected errors and warnings in one line each, and lets `--classifiers` take several words."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  (a class of Typer's or of Click's, by version)
        """Repeats the option before every further word, which is what the parser understands."""
        return super().parse_args(ctx, repeated(args))

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  (as above)
        """Runs a command."""
        try:
            with notes_for_warnings():
                return super().invoke(ctx)
        except ZooscopeError as error:
            tell(f"Error: {error}")
            raise typer.Exit(FAILED) from error
        except KeyboardInterrupt as error:
            tell("Stopped.")
            raise typer.Exit(INTERRUPTED) from error


def repeated(words: list[str]) -> list[str]:
    """`--classifiers A B` as `--classifiers A --classifiers B`; words that look like addresses belong to the option."""
    result: list[str] = []
    taking = False
    for word in words:
        option = word.partition("=")[0]
        starts_address = _ADDRESS.match(word) is not None
        if taking and starts_address and result[-1] != SEVERAL_WORDS:
            result.append(SEVERAL_WORDS)
        taking = option == SEVERAL_WORDS or (taking and (starts_address or result[-1] == SEVERAL_WORDS))
        result.append(word)
    return result


def _print_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"zooscope {zooscope.__version__}")
        raise typer.Exit
    return wanted


def zooscope_command(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Tell how alike image classifiers are, by how well attacks transfer between them.

    Start with `zooscope demo`: it measures the bundled classifiers and draws a report, without network. For classifiers of your
    own: `measure` a study, then `show` it, draw a `report`, or `export` it. `zooscope COMMAND --help` explains each command, with
    an example.
    """


# Plain help and plain errors: they read the same in a terminal, in a pipe and in a log.
app = typer.Typer(
    name="zooscope", cls=Commands, rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True
)
app.callback()(zooscope_command)
for _module, _command in (
    (demo, demo.demo),
    (measure, measure.measure),
    (show, show.show),
    (compare, compare.compare),
    (report, report.report),
    (export, export.export),
    (classifiers, classifiers.classifiers),
    (doctor, doctor.doctor),
):
    app.command(epilog=f"Example: {_module.EXAMPLE}")(_command)
