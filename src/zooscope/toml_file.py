"""A TOML file that a user wrote, read or refused in a sentence."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zooscope.errors import InvalidValueError, MissingFileError, first_line


def read_toml(file: Path, *, kind: str, holding: str = "") -> dict[str, Any]:
    """What a TOML file holds.

    Args:
        file: the file.
        kind: what it is, as a sentence about it begins: `zoo file`, `recipe`.
        holding: what must be in it, as the end of a sentence.

    Raises:
        MissingFileError: there is no such file.
        InvalidValueError: it is no TOML.
    """
    if not file.is_file():
        msg = f"there is no {kind} {file}; give the path of a TOML file{holding}."
        raise MissingFileError(msg)
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except RecursionError as error:
        msg = f"the {kind} {file} nests values too deeply; give plain values."
        raise InvalidValueError(msg) from error
    except ValueError as error:  # no TOML, no text, or a number of too many digits
        msg = f"the {kind} {file} is no TOML: {first_line(error)}."
        raise InvalidValueError(msg) from error


def write_value(value: Any) -> str:  # noqa: ANN401  (whatever TOML holds)
    """A value as TOML; JSON's numbers, texts, booleans and lists are TOML's, its objects are inline tables.

    >>> write_value({"attn_layer": "se", "depths": [2, 2]})
    '{ "attn_layer" = "se", "depths" = [2, 2] }'
    """
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{json.dumps(key, ensure_ascii=False)} = {write_value(each)}" for key, each in value.items())
        return f"{{ {pairs} }}"
    return json.dumps(value, ensure_ascii=False)
