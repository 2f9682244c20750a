"""Labels as a data set keeps them: names or numbers, of whatever type, and where each stands."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, NamedTuple
from unicodedata import normalize

import numpy as np
from jaxtyping import Int, Shaped

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_MOST: Final = 10**18  # far beyond any class; larger ones are cut to it, as their digits alone could fill the memory


class Number(NamedTuple):
    """A number that was written as text."""

    value: int | None  # None where it is not whole
    is_negative: bool
    spelling: str  # 1 and 1.0 are spelt alike, 01 is not


@dataclass(frozen=True, kw_only=True)
class StoredLabels:
    """The labels of a data set as they are written, before it is decided which class has which index.

    Attributes:
        texts: the different labels as text; a number of any type is written out.
        codes: for each image the position of its label in `texts`.
        place: where the label of an image stands, given the image's position: `line 3`.
        is_declared: whether `texts` is the data set's own list of its classes, in the order of its own numbers.
    """

    texts: tuple[str, ...]
    codes: Int[np.ndarray, " image"]
    place: Callable[[int], str]
    is_declared: bool = False

    @cached_property
    def first(self) -> dict[int, int]:
        """Of each label that an image has, by its position in `texts`: the first such image; in the order of these."""
        codes, positions = np.unique(self.codes, return_index=True)
        order = np.argsort(positions)
        return dict(zip(codes[order].tolist(), positions[order].tolist(), strict=True))

    @cached_property
    def numbers(self) -> tuple[Number | None, ...]:
        """Each text as a number, where it is one."""
        return tuple(parse_number(text) for text in self.texts)


def parse_number(text: str) -> Number | None:
    """The decimal number that a text is, in digits of any script; None where it is none.

    >>> parse_number("3.0")
    Number(value=3, is_negative=False, spelling='3')
    >>> parse_number("cat")
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    number = Decimal(text)
    whole = int(min(max(number, Decimal(-_MOST)), Decimal(_MOST))) if number == number.to_integral_value() else None
    return Number(whole, number < 0, str(whole) if match[2] else text.partition(".")[0])


def are_indices(texts: Sequence[str]) -> bool:
    """Whether all texts are whole numbers, none negative."""
    numbers = [parse_number(text) for text in texts]
    return all(number is not None and number.value is not None and not number.is_negative for number in numbers)


def store_texts(labels: Iterable[str], place: Callable[[int], str]) -> StoredLabels:
    """Labels that are texts, one for each image; two spellings of the same letters are one label."""
    known: dict[str, int] = {}
    codes = np.fromiter((known.setdefault(spell(label), len(known)) for label in labels), np.int64)
    return StoredLabels(texts=tuple(known), codes=codes, place=place)


def store_numbers(numbers: Shaped[np.ndarray, " image"], place: Callable[[int], str]) -> StoredLabels:
    """Labels that are numbers, whole or not, one for each image."""
    different, codes = np.unique(numbers, return_inverse=True)
    return StoredLabels(texts=tuple(map(str, different.tolist())), codes=codes.astype(np.int64), place=place)


def store_declared(numbers: Int[np.ndarray, " image"], names: Sequence[str], place: Callable[[int], str]) -> StoredLabels:
    """Numbers that the data set names; each must be a position in the names."""
    return StoredLabels(texts=tuple(names), codes=numbers.astype(np.int64), place=place, is_declared=True)


def write_value(value: Any) -> str | None:  # noqa: ANN401  (whatever JSON holds)
    """The text of a label that JSON holds, a name or a number; None for anything else."""
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def spell(name: str) -> str:
    """One spelling for letters that may be composed in two ways, as file systems and editors differ in it."""
    return normalize("NFC", name)
