"""Help that breaks no command in the middle, cuts nothing, and lists commands by what they are for."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from typer.core import TyperCommand, TyperGroup

from zooscope.cli.wrapping import glue, unglue

EXAMPLE_ON_ITS_OWN_LINE: Final = "\b\nExample:\n  {}"  # \b: not wrapped
LONGEST: Final = 1000  # characters of a command's sentence: never cut


class Command(TyperCommand):
    """A command with such help."""

    def __init__(self, *words: Any, **options: Any) -> None:  # noqa: ANN401  (as of TyperCommand)
        """As of TyperCommand."""
        super().__init__(*words, **options)
        _glue(self)

    def get_help(self, ctx: Any) -> str:  # noqa: ANN401  (a class of Typer's or of Click's, by version)
        """The whole help."""
        return unglue(super().get_help(ctx))


class Group(TyperGroup):
    """A group of commands with such help."""

    sections: ClassVar[Mapping[str, Sequence[str]]] = {}  # names of commands by heading; those in none come last

    def __init__(self, *words: Any, **options: Any) -> None:  # noqa: ANN401  (as of TyperGroup)
        """As of TyperGroup."""
        super().__init__(*words, **options)
        _glue(self)

    def get_help(self, ctx: Any) -> str:  # noqa: ANN401  (a class of Typer's or of Click's, by version)
        """The whole help."""
        return unglue(super().get_help(ctx))

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002  (as above)
        """The commands under their headings, each with the first sentence of its help."""
        named = {name for names in self.sections.values() for name in names}
        others = [name for name in self.commands if name not in named]
        width = max(map(len, self.commands))
        for heading, names in {**self.sections, "Commands": others}.items():
            rows = [(name.ljust(width), self.commands[name].get_short_help_str(LONGEST)) for name in names]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


def show_example(command: str) -> str:
    """The end of a command's help."""
    return EXAMPLE_ON_ITS_OWN_LINE.format(command)


def _glue(command: Any) -> None:  # noqa: ANN401  (as above)
    command.help = glue(command.help or "")
    for parameter in command.params:
        parameter.help = glue(parameter.help) if getattr(parameter, "help", None) else None
