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

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from zooscope.addresses import Address
from zooscope.classifiers.addresses import BACKGROUND, COMMON_OPTIONS
from zooscope.classifiers.providers.registry import find_provider, import_provider, locate_file, parse_classifier_address
from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.toml_file import read_toml, write_value

TABLE: Final = "classifiers"
ADDRESS: Final = "address"


def read_zoo_file(file: Path) -> tuple[Address, ...]:
    """The addresses of a zoo file, in its order; patterns stay patterns.

    Raises:
        MissingFileError: there is no such file.
        InvalidValueError: it is no TOML, lists no classifiers, or one without an address or with a value that can't be used.
        UnknownNameError: there is no such key or provider.
    """
    content = read_toml(file, kind="zoo file", holding=f" with [[{TABLE}]] in it")
    for key in content:
        if key != TABLE:
            kind = f"key of the zoo file {file}"
            raise UnknownNameError(kind, key, (TABLE,), f"Begin each classifier with [[{TABLE}]].")
    entries = content.get(TABLE)
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        msg = f"the zoo file {file} lists no classifiers; begin each with [[{TABLE}]]."
        raise InvalidValueError(msg)
    folder = file.resolve().parent
    return tuple(_read_address(entry, f"classifier {number} of {file}", folder) for number, entry in enumerate(entries, start=1))


def _read_address(entry: Mapping[str, Any], place: str, folder: Path) -> Address:
    """One classifier; its place is named in errors."""
    if not isinstance(entry.get(ADDRESS), str):
        msg = f'{place} has no address; write {ADDRESS} = "PROVIDER:NAME".'
        raise InvalidValueError(msg)
    parsed = parse_classifier_address(entry[ADDRESS])
    said = dict(parsed.options)
    keys = {key: value for key, value in entry.items() if key != ADDRESS}
    _refuse_unknown(keys, parsed, place)
    for key, value in keys.items():
        if key in said:
            msg = f"{place} says {key} twice, in its address and as a key; leave one out."
            raise InvalidValueError(msg)
        said[key] = _read_text(key, value, place)
    for option in ("weights", "class_map"):
        if option in said and said[option] != BACKGROUND:
            said[option] = locate_file(said[option], folder)
    rest = find_provider(parsed).locate(parsed.rest, folder)
    if rest != parsed.rest:
        said.setdefault("name", parsed.head)  # the folder of the file is not part of the name
    return Address(provider=parsed.provider, rest=rest, options=said)


def _refuse_unknown(keys: Mapping[str, Any], address: Address, place: str) -> None:
    if not set(keys) - set(COMMON_OPTIONS):
        return
    module = import_provider(address)
    if not hasattr(module, "OPTIONS"):
        return
    known = (*module.OPTIONS, *COMMON_OPTIONS)
    for key in keys:
        if key not in known and not key.startswith(getattr(module, "PREFIXES", ())):
            kind = f"key of {place}"
            raise UnknownNameError(kind, key, known, f"{address.provider}: takes {', '.join(known)}.")


def _read_text(key: str, value: Any, place: str) -> str:  # noqa: ANN401  (whatever TOML holds)
    """A value as it stands behind the `?` of an address."""
    is_list = isinstance(value, list) and all(isinstance(item, bool | int | float | str) for item in value)
    is_keyword = "." in key and isinstance(value, dict)
    if not (is_list or is_keyword) and not isinstance(value, bool | int | float | str):
        msg = (
            f"{key} of {place} must be text, a number, true, false or a list of these: got a {type(value).__name__}. "
            f'An option with a dot in its name stands in quotes: "architecture.depth" = 12.'
        )
        raise InvalidValueError(msg)
    if "." in key or isinstance(value, bool):
        return write_value(value)  # the keywords of an architecture keep their types
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
