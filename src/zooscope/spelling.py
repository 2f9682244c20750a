"""The text form of an attack, its spelling: `LinfPGD?epsilon=8/255&step_size=0.1`; and of numbers and shares. Needs no torch.

An attack within an attack is in parentheses, several are separated by commas: `Both?attacks=(LinfPGD),(LinfPGD?epsilon=4/255)`.
"""

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from zooscope.errors import InvalidValueError

KIND: Final = "attack"  # the key for the name of the attack's class in a description
LEVELS: Final = 255
_RESERVED: Final = "&?=(),%"
_CLOSES: Final = {"(": 1, ")": -1}


class Spelled(NamedTuple):
    """A parsed spelling: the name of an attack, and its fields as text."""

    name: str
    fields: dict[str, str]


def spell(description: str) -> str:
    """The spelling of an attack, with all of its fields.

    >>> spell('{"attack": "LinfPGD", "epsilon": 0.03137254901960784, "random_start": false}')
    'LinfPGD?epsilon=8/255&random_start=false'

    Args:
        description: the attack as JSON, as in a record.

    Raises:
        InvalidValueError: this doesn't describe an attack.
    """
    try:
        return _spell_attack(json.loads(description))
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        msg = f"{description[:80]!r} doesn't describe an attack; it must be JSON with its name and its fields."
        raise InvalidValueError(msg) from error


def parse_spelling(text: str, *, what: str = "attack", example: str = "LinfPGD?epsilon=8/255") -> Spelled:
    """The name and the fields of the spelling of an attack, or of something else that is spelled alike.

    >>> parse_spelling("LinfPGD?epsilon=8/255").fields
    {'epsilon': '8/255'}

    Args:
        text: `NAME?FIELD=VALUE&FIELD=VALUE`.
        what: it spells, for the sentence of an error.
        example: of a spelling, for that sentence.

    Raises:
        InvalidValueError: the text isn't a spelling.
    """
    name, _, rest = text.partition("?")
    fields: dict[str, str] = {}
    for part in _split(rest, "&") if rest else ():
        field, equals, value = part.partition("=")
        if not equals or not field or field in fields:
            fault = f"{field} is given twice" if field in fields else f"{part!r} is not FIELD=VALUE"
            msg = f"the {what} {text!r} can't be read: {fault}; write NAME?FIELD=VALUE&FIELD=VALUE, as in {example}."
            raise InvalidValueError(msg)
        fields[field] = value
    return Spelled(name, fields)


class Part(NamedTuple):
    """One of several equal shares of work, each for a process of its own.

    Attributes:
        number: from 1 to `of`.
        of: how many shares there are.
    """

    number: int
    of: int


def parse_part(text: str) -> Part:
    """A share of work.

    >>> parse_part("2/8")
    Part(number=2, of=8)

    Raises:
        InvalidValueError: the text is no such share.
    """
    number, _, of = text.partition("/")
    if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        msg = f"a part is written 2/8, the second of eight: got {text!r}."
        raise InvalidValueError(msg)
    return Part(int(number), int(of))


def parse_number(text: str) -> float:
    """A number written as 0.03 or as 8/255.

    >>> parse_number("8/255") == 8 / 255
    True

    Raises:
        InvalidValueError: the text is not a number.
    """
    number, slash, divisor = text.partition("/")
    try:
        return float(number) / float(divisor) if slash else float(number)
    except (ValueError, ZeroDivisionError) as error:
        msg = f"{text!r} is no number; write it as 0.03 or as 8/255."
        raise InvalidValueError(msg) from error


def spell_number(value: float) -> str:
    """The shorter of the decimal and the fraction of 255, read back exactly.

    >>> spell_number(8 / 255), spell_number(0.1)
    ('8/255', '0.1')
    """
    level = round(value * LEVELS) if abs(value) <= 1 else 0
    decimal = repr(int(value)) if float(value).is_integer() else repr(float(value))
    return min(decimal, f"{level}/{LEVELS}", key=len) if level / LEVELS == value else decimal


def split_list(text: str) -> tuple[str, ...]:
    """The elements of a list: separated by commas; parentheses around an element are removed.

    >>> split_list("(LinfPGD?epsilon=8/255),(LinfPGD)")
    ('LinfPGD?epsilon=8/255', 'LinfPGD')
    """
    return tuple(strip_parentheses(part) for part in _split(text, ",")) if text else ()


def strip_parentheses(text: str) -> str:
    """The text without the parentheses around it.

    >>> strip_parentheses("(LinfPGD)")
    'LinfPGD'
    """
    return text[1:-1] if text.startswith("(") and text.endswith(")") else text


def unescape(text: str) -> str:
    """The text before `spell` escaped its reserved characters.

    >>> unescape("a%26b")
    'a&b'
    """
    return unquote(text)


def _spell_attack(settings: dict[str, Any]) -> str:
    name = settings[KIND]
    if not isinstance(name, str):
        msg = f"the attack's name is no text: {name!r}."
        raise InvalidValueError(msg)
    fields = "&".join(f"{field}={spell_value(value)}" for field, value in settings.items() if field != KIND)
    return f"{name}?{fields}" if fields else name


def spell_value(value: object) -> str:
    """The value of a field as an attack's spelling has it.

    >>> spell_value(8 / 255), spell_value(True), spell_value("a&b")
    ('8/255', 'true', 'a%26b')

    Raises:
        InvalidValueError: no field can have the value.
    """
    if isinstance(value, dict):
        return f"({_spell_attack(value)})"
    if isinstance(value, list):
        return ",".join(map(spell_value, value))
    if isinstance(value, str):
        return "".join(quote(character, safe="") if character in _RESERVED else character for character in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return spell_number(value) if isinstance(value, float) else str(value)
    msg = f"a field of the attack is {value!r}."
    raise InvalidValueError(msg)


def _split(text: str, separator: str) -> Iterator[str]:
    """Parts between separators outside parentheses."""
    depth, start = 0, 0
    for position, character in enumerate(text):
        depth += _CLOSES.get(character, 0)
        if character == separator and depth == 0:
            yield text[start:position]
            start = position + 1
    yield text[start:]
