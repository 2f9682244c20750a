"""From words to the addresses that they stand for: lists taken apart, patterns and zoo files filled in; nothing is loaded."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from zooscope.addresses import Address
from zooscope.arguments import check_arguments
from zooscope.classifiers.addresses import find_name
from zooscope.classifiers.providers.registry import PROVIDERS, find_provider, list_names, parse_classifier_address
from zooscope.classifiers.zoo_file import read_zoo_file
from zooscope.errors import ClassifierError, InvalidValueError, UnknownNameError

ZOO_FILE: Final = ".toml"
WHOLE: Final = "paper:"  # alone it stands for all of them
_BEFORE_ADDRESS: Final = re.compile(r",\s*(?=[\w*\[\]]+:)")


@check_arguments
def classifier_addresses(words: str | Iterable[str]) -> tuple[str, ...]:
    """Every address once, in the order given.

    Args:
        words: one or several: addresses, lists of them with commas between, patterns with `*` or `[...]` over the names of a
            provider (`bundled:*`, `timm:vit_*`, `torchvision:ResNet*`), `paper:` for all 69 networks of the paper, and zoo files
            (what ends in .toml, see `zooscope.classifiers.zoo_file`). Options behind a pattern go to every classifier that it
            stands for.

    Raises:
        UnknownNameError: no such provider, or a pattern matches nothing.
        InvalidValueError: a pattern gives one name to all that it stands for, or a zoo file can't be read.
        MissingFileError: there is no such zoo file.
        ClassifierError: two classifiers have one name.

    Example:
        >>> import zooscope
        >>> zooscope.classifier_addresses(["bundled:mixer, bundled:vit_*"])
        ('bundled:mixer', 'bundled:vit_seed1', 'bundled:vit_seed2')
    """
    return tuple(map(str, select_classifiers([words] if isinstance(words, str) else words)))


def select_classifiers(words: Iterable[str]) -> tuple[Address, ...]:
    """What `classifier_addresses` gives as text, and raises."""
    found = tuple(dict.fromkeys(address for word in words for part in _split(word) for address in _expand(part)))
    owners: dict[str, Address] = {}
    for address in found:
        name = find_name(address)
        if name in owners:
            msg = f"two classifiers are called {name}: {owners[name]} and {address}; give one of them another name (name=...)."
            raise ClassifierError(msg)
        owners[name] = address
    return found


def is_zoo_file(word: str) -> bool:
    """Whether a word names a zoo file: it ends in .toml and is no address."""
    return word.endswith(ZOO_FILE) and word.partition(":")[0] not in PROVIDERS.names


def _split(word: str) -> Iterator[str]:
    """A comma separates addresses where one begins behind it; within the options of an address it stays."""
    if is_zoo_file(word) and Path(word).is_file():
        yield word
        return
    for part in _BEFORE_ADDRESS.split(word):
        yield from (piece.strip() for piece in (part.split(",") if "?" not in part else [part]) if piece.strip())


def _expand(word: str | Address) -> Iterator[Address]:
    """The addresses that an address, a pattern or a zoo file stands for."""
    if isinstance(word, str) and is_zoo_file(word):
        for address in read_zoo_file(Path(word).expanduser()):
            yield from _expand(address)
        return
    parsed = parse_classifier_address(word)
    has_pattern = bool(set("*[") & set(parsed.rest)) and "/" not in parsed.rest and find_provider(parsed).lists_names
    if has_pattern or parsed.head == WHOLE:
        yield from _match(parsed, parsed.head if has_pattern else f"{WHOLE}*")
    else:
        yield parsed


def _match(address: Address, pattern: str) -> Iterator[Address]:
    names = list_names(find_provider(address))
    found = [name for name in names if fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")]  # the tag may be left out
    if not found:
        kind, near = "pattern of classifiers", {*names, *(name.partition(".")[0] for name in names)}
        advice = "It matches no name; `zooscope classifiers 'PROVIDER:*' --names` lists those that there are."
        raise UnknownNameError(kind, pattern, near, advice)
    if "name" in address.options:
        msg = f"{address} gives one name to {len(found)} classifiers; leave name= out of a pattern."
        raise InvalidValueError(msg)
    yield from (replace(address, rest=name.partition(":")[2]) for name in found)
