"""`zooscope attacks`: which attacks there are, their fields, what they cost."""

from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, Final

from zooscope.cli.options import Json
from zooscope.cli.terminal import say, say_json

if TYPE_CHECKING:
    from zooscope.attacks.base import Attack

EXAMPLE: Final = "zooscope attacks"
INDENT: Final = "    "


def attacks(as_json: Json = False) -> None:
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
