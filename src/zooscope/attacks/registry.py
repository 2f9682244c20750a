"""Attacks by name: from a description or a spelling to the attack."""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

from zooscope.arguments import check_arguments
from zooscope.attacks.base import Attack
from zooscope.errors import InvalidValueError, StudyError, UnknownNameError, describe_kind
from zooscope.spelling import KIND, parse_number, parse_spelling, split_list, strip_parentheses, unescape

AttackClass = TypeVar("AttackClass", bound=type[Attack])

_KNOWN: Final[dict[str, type[Attack]]] = {}
_BOOLEANS: Final = {"true": True, "false": False}


@check_arguments
def register(kind: AttackClass) -> AttackClass:
    """Makes an attack known by the name of its class; a decorator, also for attacks of other packages.

    Example:
        >>> from dataclasses import dataclass
        >>> from zooscope.attacks import Attack, Attacked, parse_attack, register
        >>> @register
        ... @dataclass(frozen=True, kw_only=True)
        ... class Nothing(Attack):
        ...     def perturb(self, classifier, pixels, labels, seeds=None):
        ...         return Attacked(pixels)
        >>> str(parse_attack("Nothing"))
        'Nothing'

    Raises:
        InvalidValueError: another attack has that name, or this is none.
    """
    given: object = kind
    if not isinstance(given, type) or not issubclass(given, Attack):
        msg = f"register takes a class that derives from Attack: got {describe_kind(kind)}."
        raise InvalidValueError(msg)
    known = _KNOWN.setdefault(kind.__name__, kind)
    if known is not kind:
        msg = f"there is an attack {kind.__name__} already, in {known.__module__}; give the one in {kind.__module__} another name."
        raise InvalidValueError(msg)
    return kind


def list_attacks() -> dict[str, type[Attack]]:
    """All attacks that are known, by name."""
    return dict(sorted(_KNOWN.items()))


@check_arguments
def build_attack(description: str) -> Attack:
    """The attack whose `description` this is.

    Example:
        >>> from zooscope.attacks import LinfPGD, build_attack
        >>> build_attack(LinfPGD(iterations=5).description) == LinfPGD(iterations=5)
        True

    Raises:
        StudyError: this zooscope has no such attack, or not with these settings.
    """
    try:
        return _build(json.loads(description))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        msg = (
            f"this zooscope doesn't know the attack {description[:200]}; use the version that measured the study, or import the "
            "package that has the attack."
        )
        raise StudyError(msg) from error


@check_arguments
def parse_attack(text: str) -> Attack:
    """The attack of a spelling; fields that it leaves out have their defaults.

    Example:
        >>> from zooscope.attacks import parse_attack
        >>> print(parse_attack("LinfPGD?epsilon=4/255&iterations=10"))
        LinfPGD?epsilon=4/255&step_size=0.1&iterations=10&random_start=false

    Args:
        text: `NAME?FIELD=VALUE&FIELD=VALUE`; see `zooscope.spelling`.

    Raises:
        UnknownNameError: there is no such attack.
        InvalidValueError: the attack has no such field, or the field can't have this value.
    """
    name, settings = parse_spelling(text)
    if name not in _KNOWN:
        what = "attack"
        raise UnknownNameError(what, name, _KNOWN, f"Attacks: {', '.join(list_attacks())}.")
    kind = _KNOWN[name]
    _require_fields(kind, settings)
    hints = get_type_hints(kind)
    return _make(kind, {field: _read(f"{name}.{field}", value, hints[field]) for field, value in settings.items()})


def collect_attack(given: Attack | str) -> Attack:
    """An attack as people hand it over: itself, or its spelling as `parse_attack` takes it.

    Raises:
        UnknownNameError: there is no such attack.
        InvalidValueError: the attack has no such field, or the field can't have this value.
    """
    return parse_attack(given) if isinstance(given, str) else given


def change_attack(attack: Attack, settings: Mapping[str, object]) -> Attack:
    """The attack with other values of some of its fields.

    Example:
        >>> from zooscope.attacks import LinfPGD
        >>> change_attack(LinfPGD(), {"iterations": 10}).iterations
        10

    Raises:
        InvalidValueError: the attack has no such field, or the field can't have this value.
    """
    _require_fields(type(attack), settings)
    return replace(attack, **settings)


def _require_fields(kind: type[Attack], settings: Mapping[str, object]) -> None:
    known = [field.name for field in fields(kind)]
    for field in settings:
        if field not in known:
            msg = f"{kind.__name__} has no field {field!r}; its fields are {', '.join(known) or 'none'}."
            raise InvalidValueError(msg)


def _build(settings: dict[str, Any]) -> Attack:
    return _KNOWN[settings[KIND]](**{field: _build_value(value) for field, value in settings.items() if field != KIND})


def _build_value(value: object) -> object:
    if isinstance(value, dict):
        return _build(value)
    return tuple(map(_build_value, value)) if isinstance(value, list) else value


def _make(kind: type[Attack], settings: Mapping[str, object]) -> Attack:
    try:
        return kind(**settings)
    except TypeError as error:  # a field without a default
        msg = f"{kind.__name__} can't be made ({error}); its fields are {', '.join(field.name for field in fields(kind))}."
        raise InvalidValueError(msg) from error


def _read(field: str, text: str, hint: Any) -> object:  # noqa: ANN401  (a type, or what typing has for one)
    """A field's value, of the field's type."""
    if get_origin(hint) is tuple:
        return tuple(_read(field, element, get_args(hint)[0]) for element in split_list(text))
    if isinstance(hint, type) and issubclass(hint, Attack):
        return parse_attack(strip_parentheses(text))
    readers: dict[Any, Callable[[str], object]] = {bool: _BOOLEANS.__getitem__, int: int, float: parse_number, str: unescape}
    try:
        return readers[hint](text)
    except (LookupError, ValueError) as error:
        expected = {bool: "true or false", int: "a whole number", float: "a number such as 0.03 or 8/255"}.get(hint, hint)
        msg = f"{field} must be {expected}: got {text!r}."
        raise InvalidValueError(msg) from error
