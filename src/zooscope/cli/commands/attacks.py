"""`zooscope attacks`: which attacks there are, their fields, what they cost. Without another command this is `attacks list`."""

from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, Final

import typer

from zooscope.cli.help import Group, show_example
from zooscope.cli.options import Json
from zooscope.cli.terminal import say, say_json

if TYPE_CHECKING:
    from zooscope.attacks.base import Attack

EXAMPLE: Final = "zooscope attacks"
LIST: Final = "list"
INDENT: Final = "    "


class WithList(Group):
    """Options alone, or nothing at all, are for the command that lists."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  (a class of Typer's or of Click's, by version)
        """Inserts the name of the command if it is missing."""
        names_no_command = not args or (args[0].startswith("-") and args[0] != "--help")
        return super().parse_args(ctx, [LIST, *args] if names_no_command else args)


group = typer.Typer(name="attacks", cls=WithList, rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)


@group.callback(epilog=show_example(EXAMPLE))
def attacks() -> None:
    """List the attacks, or export attacked images.

    `zooscope attacks` alone stands for `zooscope attacks list`.
    """


def list_(as_json: Json = False) -> None:
    """List the attacks, with their fields and what they cost.

    An attack is chosen with --attack NAME?FIELD=VALUE&FIELD=VALUE; fields that are left out have the defaults shown here. The cost
    is the most that an image takes with the defaults: a gradient is a pass forward and back.
    """
    from zooscope.attacks.registry import list_attacks

    found = [_describe(kind) for kind in list_attacks().values()]
    if as_json:
        say_json(found)
        return
    for number, one in enumerate(found):
        say(("\n" if number else "") + f"{one['name']}: {one['summary']}")
        say(f"{INDENT}{_spell_fields(one['fields'])}")
        say(f"{INDENT}{_spell_cost(one)}{one['reference'] and '; '}{one['reference']}")


def _describe(kind: "type[Attack]") -> dict[str, Any]:
    defaults = {field.name: None if field.default is MISSING else field.default for field in fields(kind)}
    cost = None if any(value is None for value in defaults.values()) else kind().cost
    return {
        "name": kind.__name__,
        "summary": (kind.__doc__ or "").strip().partition("\n")[0].rstrip("."),
        "fields": defaults,
        "gradients": cost and cost.gradients,
        "forwards": cost and cost.forwards,
        "reference": kind.REFERENCE,
    }


def _spell_fields(defaults: dict[str, Any]) -> str:
    """Fields and defaults, as --attack takes them."""
    from zooscope.spelling import spell_value

    return " ".join(name if value is None else f"{name}={spell_value(value)}" for name, value in defaults.items()) or "no fields"


def _spell_cost(one: dict[str, Any]) -> str:
    if one["gradients"] is None:
        return "cost not known"
    parts = [(one["gradients"], "gradient"), (one["forwards"], "forward pass")]
    words = [f"{count:,} {word if count == 1 else word + ('es' if word.endswith('s') else 's')}" for count, word in parts if count]
    return f"{' and '.join(words) or 'nothing'} per image"
