"""From the words after --classifiers to addresses: lists taken apart, patterns filled in."""

import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final

from zooscope.errors import UnknownNameError

_BEFORE_ADDRESS: Final = re.compile(r",\s*(?=[\w*\[\]]+:)")


def addresses(words: Iterable[str]) -> tuple[str, ...]:
    """Every address once, in the order given.

    Args:
        words: addresses, lists of them with commas between, and patterns with `*` or `[...]` over the bundled classifiers.

    Raises:
        UnknownNameError: a pattern matches nothing.
    """
    return tuple(dict.fromkeys(address for word in words for part in _parts(word) for address in _matching(part)))


def _parts(word: str) -> Iterator[str]:
    """A comma separates addresses where one begins behind it; within the options of an address it stays."""
    for part in _BEFORE_ADDRESS.split(word):
        yield from (piece.strip() for piece in (part.split(",") if "?" not in part else [part]) if piece.strip())


def _matching(address: str) -> Sequence[str]:
    if not set("*[") & set(address.partition("?")[0]):
        return (address,)
    from zooscope.classifiers.load import bundled_names

    found = [name for name in bundled_names() if fnmatchcase(name, address)]
    if "?" in address or not found:
        kind, near = "pattern of classifiers", bundled_names()
        advice = "Patterns match bundled classifiers, and take no options; `zooscope classifiers` lists the names."
        raise UnknownNameError(kind, address, near, advice)
    return found
