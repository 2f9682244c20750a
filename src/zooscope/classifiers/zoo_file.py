"""Zoo files: a list of classifiers with their options, as TOML.

    [[classifiers]]
    address = "timm:resnet18.a1_in1k"
    group = "convolutional"

    [[classifiers]]
    address = "checkpoint:vit.pth"
    architecture = "vit_tiny_patch16_224"
    "architecture.embed_dim" = 96
    mean = [0.5, 0.5, 0.5]

Every key but `address` is an option of that address, as if it stood behind its `?`. Paths are relative to the file.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from zooscope.classifiers.addresses import BACKGROUND, COMMON_OPTIONS, Address, parsed, written
from zooscope.classifiers.providers.registry import module_of
from zooscope.errors import InvalidValueError, MissingFileError, UnknownNameError

TABLE: Final = "classifiers"
ADDRESS: Final = "address"


def addresses_in(file: Path) -> tuple[str, ...]:
    """The addresses of a zoo file, in its order, as they would be written on the command line; patterns stay patterns.

    Raises:
        MissingFileError: there is no such file.
        InvalidValueError: it is no TOML, lists no classifiers, or one without an address or with a value that can't be used.
        UnknownNameError: a key, or a source, that there is none of.
    """
    if not file.is_file():
        msg = f"there is no zoo file {file}; give the path of a TOML file with [[{TABLE}]] in it."
        raise MissingFileError(msg)
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"the zoo file {file} is no TOML: {error}."
        raise InvalidValueError(msg) from error
    for key in content:
        if key != TABLE:
            kind = f"key of the zoo file {file}"
            raise UnknownNameError(kind, key, (TABLE,), f"Begin each classifier with [[{TABLE}]].")
    entries = content.get(TABLE)
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        msg = f"the zoo file {file} lists no classifiers; begin each with [[{TABLE}]]."
        raise InvalidValueError(msg)
    folder = file.resolve().parent
    return tuple(_address(entry, f"classifier {number} of {file}", folder) for number, entry in enumerate(entries, start=1))


def _address(entry: Mapping[str, Any], place: str, folder: Path) -> str:
    """One classifier; its place is named in errors."""
    if not isinstance(entry.get(ADDRESS), str):
        msg = f'{place} has no address; write {ADDRESS} = "SOURCE:NAME".'
        raise InvalidValueError(msg)
    parts = parsed(entry[ADDRESS])
    said = {**parts.options, **parts.common}
    keys = {key: value for key, value in entry.items() if key != ADDRESS}
    _refuse_unknown(keys, parts, place)
    for key, value in keys.items():
        if key in said:
            msg = f"{place} says {key} twice, in its address and as a key; leave one out."
            raise InvalidValueError(msg)
        said[key] = _text(key, value, place)
    for option in ("weights", "class_map"):
        if option in said and said[option] != BACKGROUND:
            said[option] = _found(said[option], folder)
    rest = _rest(parts, folder)
    if rest != parts.rest:
        said.setdefault("name", parts.head)  # the folder of the file is not part of the name
    return written(parts.source, rest, said)


def _refuse_unknown(keys: Mapping[str, Any], parts: Address, place: str) -> None:
    if not set(keys) - set(COMMON_OPTIONS):
        return
    module = module_of(parts.source)
    if not hasattr(module, "OPTIONS"):
        return
    known = (*module.OPTIONS, *COMMON_OPTIONS)
    for key in keys:
        if key not in known and not key.startswith(getattr(module, "PREFIXES", ())):
            kind = f"key of {place}"
            raise UnknownNameError(kind, key, known, f"{parts.source}: takes {', '.join(known)}.")


def _text(key: str, value: Any, place: str) -> str:  # noqa: ANN401  (whatever TOML holds)
    """A value as it stands behind the `?` of an address."""
    is_list = isinstance(value, list) and all(isinstance(item, bool | int | float | str) for item in value)
    if not is_list and not isinstance(value, bool | int | float | str):
        msg = (
            f"{key} of {place} must be text, a number, true, false or a list of these: got a {type(value).__name__}. "
            f'An option with a dot in its name stands in quotes: "architecture.depth" = 12.'
        )
        raise InvalidValueError(msg)
    if "." in key or isinstance(value, bool):
        return json.dumps(value)  # the keywords of an architecture keep their types
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _rest(parts: Address, folder: Path) -> str:
    """What is loaded; a path of the zoo file becomes one that holds from anywhere."""
    if parts.source in {"checkpoint", "onnx"}:
        return _found(parts.rest, folder)
    if parts.source == "timm" and parts.rest.startswith("local-dir:"):
        return f"local-dir:{_found(parts.rest.removeprefix('local-dir:'), folder)}"
    if parts.source == "huggingface" and (parts.rest.startswith((".", "~", "/")) or (folder / parts.rest).is_dir()):
        return _found(parts.rest, folder)
    return parts.rest


def _found(path: str, folder: Path) -> str:
    return str((folder / Path(path).expanduser()).resolve())
