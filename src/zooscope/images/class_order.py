"""Which class has which index: the order of the classifiers' outputs."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final
from unicodedata import normalize

import numpy as np
from jaxtyping import Int

from zooscope.errors import ImagesError, MissingFileError

MOST_CLASSES: Final = 100_000  # without a list of them: more is a mistake
_MOST_DIGITS: Final = 18  # what 64 bits hold
_SYNSET: Final = re.compile(r"n\d{8}")
_UNKNOWN: Final = -1  # what public data sets write where they keep the label to themselves


@cache
def imagenet_synsets() -> tuple[str, ...]:
    """The 1,000 synsets of ImageNet in the order of its classifiers' outputs, as timm lists them."""
    return tuple((files("timm") / "data" / "_info" / "imagenet_synsets.txt").read_text(encoding="utf-8").split())


def classes_in(file: Path) -> tuple[str, ...]:
    """Class names from a text file, one a line, in the order of the classifiers' outputs.

    Raises:
        MissingFileError: there is no such file.
        ImagesError: it is no text.
    """
    if not file.is_file():
        msg = f"there is no file of classes {file}; give a text file with one class name a line."
        raise MissingFileError(msg)
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        msg = f"the file of classes {file} is no text in UTF-8; give one with one class name a line."
        raise ImagesError(msg) from error
    return tuple(line.strip() for line in lines if line.strip())


def class_order(found: Iterable[str], classes: Sequence[str] | None, *, address: str, kind: str = "class") -> tuple[str, ...]:
    """The classes in the order of the classifiers' outputs.

    Args:
        found: the class names that the images have.
        classes: the order asked for, which may hold further classes. Without it: ImageNet's 1,000 if all that were found are
            among them, so that a part of ImageNet keeps its labels; else those found, sorted.
        address: what to call the set in an error.
        kind: what a class is in the source, for an error: `subfolder`.

    Raises:
        ImagesError: a name was found that is not among the classes, is given twice, or has more than one line.
    """
    names = sorted(set(found))
    if classes is None:
        classes = imagenet_synsets() if are_synsets(names) else names
    _refuse_unusable(classes, address=address)
    index = _index_of(classes)
    strangers = [name for name in names if spelt(name) not in index]
    if strangers:
        stranger = f"the {kind} {strangers[0]} ({len(strangers)} such)"
        msg = f"{address}: {stranger} is not among the given classes; add it to them or remove it."
        raise ImagesError(msg)
    return tuple(classes)


def are_synsets(names: Sequence[str]) -> bool:
    """Whether all names are among the 1,000 synsets of ImageNet."""
    return bool(names) and all(_SYNSET.fullmatch(name) for name in names) and set(names) <= set(imagenet_synsets())


def labels_of(names: Iterable[str], class_names: Sequence[str]) -> Int[np.ndarray, " image"]:
    """The index of each name in the classes, which `class_order` has checked; the same letter may be composed in two ways."""
    index = _index_of(class_names)
    known: dict[str, int] = {}  # normalising a million names takes seconds, and few are different
    return np.fromiter((known[name] if name in known else known.setdefault(name, index[spelt(name)]) for name in names), np.int64)


def parse_labels(texts: Sequence[str], *, address: str) -> Int[np.ndarray, " image"]:
    """Labels that are written as decimal digits.

    Raises:
        ImagesError: a label has too many digits for an index of a class.
    """
    for position, text in enumerate(texts):
        if len(text) > _MOST_DIGITS:
            msg = (
                f"{address}: the label {text[:_MOST_DIGITS]}... of image {position + 1} has {len(text)} digits, so it is no index "
                "of a class; count from 0."
            )
            raise ImagesError(msg)
    return np.asarray([int(text) for text in texts], dtype=np.int64)


def reordered(
    numbers: Int[np.ndarray, " image"], stored: Sequence[str] | None, classes: Sequence[str] | None, *, address: str
) -> tuple[Int[np.ndarray, " image"], tuple[str, ...]]:
    """Labels and class names of images that have numbers for labels.

    Args:
        numbers: the labels as they are stored.
        stored: the name of each number, where the source knows it.
        classes: the order asked for. Where names are known the numbers follow them into that order, else they are kept.
        address: what to call the set in an error.

    Raises:
        ImagesError: a number has no name, or stands for an unknown label, or the names don't fit the classes.
    """
    if len(numbers) and numbers.min() == numbers.max() == _UNKNOWN:
        msg = f"{address} has no labels (all are {_UNKNOWN}); take a split that has."
        raise ImagesError(msg)
    if stored is None and classes is None:
        require_range(numbers, MOST_CLASSES, address=address)
    if stored is None:
        names = tuple(classes) if classes is not None else tuple(str(number) for number in range(int(numbers.max(initial=-1)) + 1))
        _refuse_unusable(names, address=address)
        require_range(numbers, len(names), address=address)
        return numbers.astype(np.int64), names
    require_range(numbers, len(stored), address=address)
    if classes is None and not are_synsets(stored):
        _refuse_unusable(stored, address=address)
        return numbers.astype(np.int64), tuple(stored)
    names = class_order(stored, classes, address=address)
    return labels_of(stored, names)[numbers], names


def require_range(numbers: Int[np.ndarray, " image"], num_classes: int, *, address: str) -> None:
    """Refuses labels that are no index of a class.

    Raises:
        ImagesError: there is one.
    """
    outside = np.flatnonzero((numbers < 0) | (numbers >= num_classes))
    if len(outside):
        msg = (
            f"{address}: labels must lie in 0 to {num_classes - 1}: got {numbers[outside[0]]} ({len(outside)} such, image "
            f"{outside[0] + 1} first); name all classes (classes=FILE), or take images with labels."
        )
        raise ImagesError(msg)


def _refuse_unusable(classes: Sequence[str], *, address: str) -> None:
    twice = [name for name, count in Counter(map(spelt, classes)).items() if count > 1]
    if twice:
        msg = f"{address}: the class {twice[0]} is given twice; give every class once, in the order of the classifiers' outputs."
        raise ImagesError(msg)
    for name in classes:
        if "\n" in name or not name.strip():
            msg = f"{address}: {name!r} can't be the name of a class, which has one line; rename it."
            raise ImagesError(msg)


def _index_of(class_names: Sequence[str]) -> dict[str, int]:
    return {spelt(name): position for position, name in enumerate(class_names)}


def spelt(name: str) -> str:
    """One spelling for letters that may be composed in two ways, as file systems and editors differ in it."""
    return normalize("NFC", name)
