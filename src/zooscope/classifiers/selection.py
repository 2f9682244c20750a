"""From words to the addresses that they stand for: lists taken apart, patterns and zoo files filled in; nothing is loaded."""

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from zooscope.classifiers.addresses import SOURCES, Address, name_of, parsed
from zooscope.classifiers.providers.registry import names_of
from zooscope.classifiers.zoo_file import addresses_in
from zooscope.errors import ClassifierError, InvalidValueError, UnknownNameError

ZOO_FILE: Final = ".toml"
WHOLE: Final = "paper:"  # alone it stands for all of them
NAMED: Final = (
    "bundled",
    "timm",
    "torchvision",
    "paper",
)  # sources whose names can be listed; in those of files anything may stand
_BEFORE_ADDRESS: Final = re.compile(r",\s*(?=[\w*\[\]]+:)")


def classifier_addresses(words: Iterable[str]) -> tuple[str, ...]:
    """Every address once, in the order given.

    Args:
        words: addresses, lists of them with commas between, patterns with `*` or `[...]` over the names of a source
            (`bundled:*`, `timm:vit_*`, `torchvision:ResNet*`), `paper:` for all 69 networks of the paper, and zoo files (what ends
            in .toml, see `zooscope.classifiers.zoo_file`). Options behind a pattern go to every classifier that it stands for.

    Raises:
        UnknownNameError: no such source, or a pattern matches nothing.
        InvalidValueError: a pattern gives one name to all that it stands for, or a zoo file can't be read.
        MissingFileError: there is no such zoo file.
        ClassifierError: two classifiers have one name.
    """
    found = tuple(dict.fromkeys(address for word in words for part in _parts(word) for address in _meant(part)))
    owners: dict[str, str] = {}
    for address in found:
        name = name_of(address)
        if name in owners:
            msg = f"two classifiers are called {name}: {owners[name]} and {address}; give one of them another name (name=...)."
            raise ClassifierError(msg)
        owners[name] = address
    return found


def is_zoo_file(word: str) -> bool:
    """Whether a word names a zoo file: it ends in .toml and is no address."""
    return word.endswith(ZOO_FILE) and word.partition(":")[0] not in SOURCES


def _parts(word: str) -> Iterator[str]:
    """A comma separates addresses where one begins behind it; within the options of an address it stays."""
    if is_zoo_file(word) and Path(word).is_file():
        yield word
        return
    for part in _BEFORE_ADDRESS.split(word):
        yield from (piece.strip() for piece in (part.split(",") if "?" not in part else [part]) if piece.strip())


def _meant(word: str) -> Iterator[str]:
    """The addresses that an address, a pattern or a zoo file stands for."""
    if is_zoo_file(word):
        for address in addresses_in(Path(word).expanduser()):
            yield from _meant(address)
        return
    parts = parsed(word)
    is_pattern = bool(set("*[") & set(parts.rest)) and "/" not in parts.rest and parts.source in NAMED
    if is_pattern or parts.head == WHOLE:
        yield from _matching(word, parts, parts.head if is_pattern else f"{WHOLE}*")
    else:
        yield word


def _matching(word: str, parts: Address, pattern: str) -> Iterator[str]:
    names = names_of(parts.source)
    found = [name for name in names if fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")]  # the tag may be left out
    if not found:
        kind, near = "pattern of classifiers", {*names, *(name.partition(".")[0] for name in names)}
        advice = "It matches no name; `zooscope classifiers 'SOURCE:*' --names` lists those that there are."
        raise UnknownNameError(kind, pattern, near, advice)
    if "name" in parts.common:
        msg = f"{word} gives one name to {len(found)} classifiers; leave name= out of a pattern."
        raise InvalidValueError(msg)
    _, mark, query = word.partition("?")
    yield from (f"{name}{mark}{query}" for name in found)
