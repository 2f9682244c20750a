"""A recipe from its settings by name, and one with other settings."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.training.recipe import Recipe, list_setting_names

FROM: Final = "from"  # Python can't call a field so
OPTIONS: Final = "network.options."


def make_recipe(tree: Mapping[str, Any], *, place: str) -> Recipe:
    """A recipe from a tree of sections, as TOML holds it.

    Example:
        >>> make_recipe({"name": "vit", "network": {"architecture": "bundled:vit"}}, place="a recipe").epochs
        10

    Args:
        tree: sections and settings.
        place: what to call it in an error.

    Raises:
        UnknownNameError: there is no such setting.
        InvalidValueError: a value can't be used.
    """
    made: Recipe = _make(Recipe, tree, place)
    return made


def change(recipe: Recipe, settings: Mapping[str, Any], *, place: str = "a recipe") -> Recipe:
    """A recipe with other settings, by dotted name.

    Example:
        >>> from zooscope.training.recipe import NetworkSettings
        >>> recipe = Recipe(name="vit", network=NetworkSettings(architecture="bundled:vit"))
        >>> change(recipe, {"optimizer.learning_rate": 0.01}).optimizer.learning_rate
        0.01

    Raises:
        UnknownNameError: there is no such setting.
        InvalidValueError: a value can't be used.
    """
    tree = _make_tree(recipe)
    for name, value in settings.items():
        if name not in list_setting_names() and not name.startswith(OPTIONS):
            kind = f"setting of {place}"
            raise UnknownNameError(kind, name, list_setting_names(), f"Settings are {', '.join(list_setting_names())}.")
        put(tree, name.split("."), value)
    return make_recipe(tree, place=place)


def put(tree: dict[str, Any], path: list[str], value: Any) -> None:  # noqa: ANN401  (whatever TOML holds)
    """Puts a value into a tree of sections, which are made where they lack."""
    for key in path[:-1]:
        inner = tree.setdefault(key, {})
        if not isinstance(inner, dict):
            inner = tree[key] = {}
        tree = inner
    tree[path[-1]] = value


def _make(kind: Any, tree: Mapping[str, Any], place: str, prefix: str = "") -> Any:  # noqa: ANN401  (a section, whichever)
    """A section of a recipe from what TOML holds."""
    types = {FROM if prefix and each.name == "start" else each.name: each for each in fields(kind)}
    arguments: dict[str, Any] = {}
    for key, value in tree.items():
        if key not in types:
            what, known = f"setting of {place}", [f"{prefix}{name}" for name in types]
            raise UnknownNameError(what, f"{prefix}{key}", known, f"There are {', '.join(known)}.")
        found = types[key]
        if is_dataclass(found.type):
            if not isinstance(value, Mapping):
                msg = f"{prefix}{key} of {place} must be a section: begin it with [{prefix}{key}]."
                raise InvalidValueError(msg)
            arguments[found.name] = _make(found.type, value, place, f"{key}.")
        else:
            arguments[found.name] = tuple(value) if isinstance(value, list) else value
    if kind is Recipe and "network" not in tree:
        msg = f"{place} names no network; write network.architecture = NAME, from random weights, or network.from = ADDRESS."
        raise InvalidValueError(msg)
    try:
        return kind(**arguments)
    except InvalidValueError as error:
        named = str(error).replace(f"{kind.__name__}: ", prefix, 1)  # a user knows sections, not classes
        msg = f"{place}: {named}"
        raise InvalidValueError(msg) from error


def _make_tree(section: Any) -> dict[str, Any]:  # noqa: ANN401  (a section, whichever)
    """A section as a file would hold it."""
    tree: dict[str, Any] = {}
    for each in fields(section):
        value = getattr(section, each.name)
        tree[FROM if each.name == "start" else each.name] = (
            _make_tree(value) if is_dataclass(value) else dict(value) if isinstance(value, Mapping) else value
        )
    return tree
