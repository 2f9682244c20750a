"""Which class has which index: one rule for every provider. It stands, with its reasons, in `design/0009-images.md`."""

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Int

from zooscope.errors import ClassOrderWarning, ImagesError, MissingFileError
from zooscope.images.stored_labels import StoredLabels, parse_number, spell, store_declared, store_numbers

MOST_CLASSES: Final = 100_000  # without a list of them: more is a mistake
_LONGEST: Final = 60  # characters of a label that an error names
_MOST_COMPARED: Final = 200  # and that are compared with the classes, which takes the square of their number
_SYNSET: Final = re.compile(r"n\d{8}")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# How programs write that there is no label. Case counts in the second: a class may well be called "none".
_NO_NUMBER: Final = frozenset({"nan", "-nan", "inf", "-inf", "<na>", "#n/a"})
_MISSING: Final = frozenset({"", "None", "NULL", "null", "NA", "N/A", "n/a"})
_DECIMAL_COMMA: Final = re.compile(r"\d+,\d+")  # as spreadsheets write 1.0 in much of Europe
_NUMBERED: Final = re.compile(r"(\D*)(\d+)")  # class10, 10_dog
_UNKNOWN: Final = -1  # what public data sets write where they keep the label to themselves
_BY_NAME: Final = "name the classes in the order of the classifiers' outputs (classes=FILE)"


@cache
def read_synsets() -> tuple[str, ...]:
    """The 1,000 synsets of ImageNet in the order of its classifiers' outputs, as timm lists them."""
    return tuple((files("timm") / "data" / "_info" / "imagenet_synsets.txt").read_text(encoding="utf-8").split())


def find_classes(file: Path) -> tuple[str, ...]:
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


def is_all_synsets(names: Sequence[str]) -> bool:
    """Whether all names are among the 1,000 synsets of ImageNet."""
    return bool(names) and all(_SYNSET.fullmatch(name) for name in names) and set(names) <= set(read_synsets())


def order_classes(
    stored: StoredLabels, classes: Sequence[str] | None, *, address: str
) -> tuple[Int[np.ndarray, " image"], tuple[str, ...]]:
    """The label of each image as an index, and the classes in the order of the classifiers' outputs.

    1. Where `classes` are given, labels are matched with them by name, and whole numbers by value with those classes that are
       whole numbers. Where no class is a number, whole numbers are indices into the classes, counted from 0.
    2. Where all labels are among ImageNet's 1,000 synsets, the order is ImageNet's.
    3. Where all are whole numbers, kept as text or as numbers, each is the index of its class, counted from 0.
    4. Else the data set's own order holds; where it has none, the classes are sorted by name.

    So a part of the images keeps its labels under the first three.

    Args:
        stored: the labels as the data set keeps them.
        classes: the order asked for, which may hold further classes.
        address: what to call the set in an error.

    Raises:
        ImagesError: a label is missing (empty, nan), negative, no whole number, beyond all classes or not among those given; one
            number is written in two ways; numbers and names are mixed so that no order is sure; or a class is given twice.
    """
    if classes is not None:
        return _match(stored, tuple(classes), address=address)
    _refuse_missing(stored, stored.first, address=address)
    if is_all_synsets(stored.texts):
        return _match(stored, read_synsets(), address=address)
    values = [number.value for number in stored.numbers if number is not None and number.value is not None]
    if 0 < len(stored.texts) == len(values):
        return _take_numbers(stored, values, address=address)
    _refuse_unordered(stored, address=address)
    if stored.is_declared:
        return _match(stored, stored.texts, address=address)
    names = tuple(sorted(stored.texts))
    _tell_of_numbered(names, address=address)
    return _match(stored, names, address=address)


def order_numbers(
    numbers: Int[np.ndarray, " image"],
    names: Sequence[str] | None,
    classes: Sequence[str] | None,
    *,
    place: Callable[[int], str],
    address: str,
) -> tuple[Int[np.ndarray, " image"], tuple[str, ...]]:
    """As `order_classes`, of whole numbers that the data set may name.

    Args:
        numbers: the labels as they are stored.
        names: the name of each number, where the data set says it.
        classes: the order asked for.
        place: where the label of an image stands, given the image's position.
        address: what to call the set in an error.

    Raises:
        ImagesError: a number has no name; or as `order_classes` says.
    """
    stored = store_numbers(numbers, place)
    if names is not None:
        _require_range(numbers, stored, len(names), address=address)
        stored = store_declared(numbers, names, place)
    return order_classes(stored, classes, address=address)


def _require_range(numbers: Int[np.ndarray, " image"], stored: StoredLabels, num_classes: int, *, address: str) -> None:
    """Refuses numbers that are no index of a class.

    Args:
        numbers: of the images.
        stored: the same labels as they are written.
        num_classes: how many classes there are.
        address: what to call the set in an error.

    Raises:
        ImagesError: there is one.
    """
    outside = np.flatnonzero((numbers < 0) | (numbers >= num_classes))
    if not len(outside):
        return
    if (numbers == _UNKNOWN).all():
        msg = f"{address} has no labels (all are {_UNKNOWN}); take a split that has."
        raise ImagesError(msg)
    image = int(outside[0])
    why = "is negative" if numbers[image] < 0 else f"is no index of {num_classes} classes, which count from 0"
    label = _shorten(stored.texts[stored.codes[image]])
    msg = (
        f"{address}, {stored.place(image)}: the label {label} {why} ({len(outside)} such); {_BY_NAME}, or take images with labels."
    )
    raise ImagesError(msg)


def _match(stored: StoredLabels, classes: tuple[str, ...], *, address: str) -> tuple[Int[np.ndarray, " image"], tuple[str, ...]]:
    """Labels as positions in the classes."""
    _refuse_unusable(classes, address=address)
    by_name = {spell(name): position for position, name in enumerate(classes)}
    class_numbers = [
        (number.value, position) for position, name in enumerate(classes) if (number := parse_number(name)) is not None
    ]
    by_value = _require_unambiguous(class_numbers)
    used = {code: stored.numbers[code] for code in stored.first}
    if not class_numbers and all(number is not None and number.value is not None for number in used.values()):
        numbers = _replace_codes(stored, {code: number.value for code, number in used.items() if number is not None})
        _require_range(numbers, stored, len(classes), address=address)
        _refuse_two_spellings(stored, numbers, address=address)
        return numbers, classes
    found = {
        code: by_name.get(spell(stored.texts[code]), by_value.get(None if number is None else number.value))
        for code, number in used.items()
    }
    _refuse_missing(stored, [code for code, position in found.items() if position is None], address=address)
    _refuse_strangers(stored, found, classes, address=address)
    labels = _replace_codes(stored, found)
    _refuse_two_spellings(stored, labels, address=address)
    return labels, classes


def _take_numbers(
    stored: StoredLabels, values: Sequence[int], *, address: str
) -> tuple[Int[np.ndarray, " image"], tuple[str, ...]]:
    """Labels that are all whole numbers: each is the index of its class."""
    numbers = np.asarray(values, dtype=np.int64)[stored.codes]
    _require_range(numbers, stored, MOST_CLASSES, address=address)
    _refuse_two_spellings(stored, numbers, address=address)
    if stored.is_declared and values != list(range(len(values))):
        first = ", ".join(stored.texts[:3])
        warnings.warn(
            f"{address} lists its classes in the order {first}, ...; as all are whole numbers, each is the index of its class. For "
            f"classifiers trained with the other order, {_BY_NAME}.",
            ClassOrderWarning,
            stacklevel=2,
        )
    elif len(values) > 1 and sorted(values) == list(range(1, len(values) + 1)):
        warnings.warn(
            f"{address}: the labels are 1 to {len(values)} and are taken as indices that count from 0, so that class 0 has no "
            f"image. If they count from 1, {_BY_NAME}: 1 to {len(values)}.",
            ClassOrderWarning,
            stacklevel=2,
        )
    return numbers, tuple(map(str, range(max(value for value in values if value < MOST_CLASSES) + 1)))


def _tell_of_numbered(names: Sequence[str], *, address: str) -> None:
    """Says where names that are numbered in one way are not sorted by these numbers."""
    found = [match for name in names if (match := _NUMBERED.match(name)) is not None]
    if len(found) < len(names) or len({match[1] for match in found}) > 1:
        return
    numbers = [int(match[2][:_LONGEST]) for match in found]
    early = next((place for place, number in enumerate(numbers[:-1]) if number > numbers[place + 1]), None)
    if early is not None:
        first, second = _shorten(names[early]), _shorten(names[early + 1])
        warnings.warn(
            f"{address}: the classes are sorted as text, so that {first} comes before {second}. "
            f"If the classifiers' outputs follow the numbers, {_BY_NAME}.",
            ClassOrderWarning,
            stacklevel=2,
        )


def _require_unambiguous(numbers: Sequence[tuple[int | None, int]]) -> dict[int | None, int]:
    """Positions by value; where two have one value, only their spelling tells them apart."""
    counts = Counter(value for value, _ in numbers)
    return {value: position for value, position in numbers if value is not None and counts[value] == 1}


def _replace_codes(stored: StoredLabels, found: Mapping[int, int | None]) -> Int[np.ndarray, " image"]:
    table: Int[np.ndarray, " label"] = np.full(len(stored.texts), -1, dtype=np.int64)
    for code, position in found.items():
        table[code] = -1 if position is None else position
    labels: Int[np.ndarray, " image"] = table[stored.codes]
    return labels


def _refuse_missing(stored: StoredLabels, codes: Iterable[int], *, address: str) -> None:
    for code in codes:
        text = stored.texts[code]
        if text.casefold() in _NO_NUMBER or (not stored.is_declared and (text in _MISSING or not text.strip())):
            msg = (
                f"{address}, {stored.place(stored.first[code])}: the label {text!r} stands for a missing one; leave the image out, "
                f"or if a class is called so, {_BY_NAME}."
            )
            raise ImagesError(msg)


def _refuse_unordered(stored: StoredLabels, *, address: str) -> None:
    """Labels that are neither all names nor all whole numbers."""
    numbers = [(stored.numbers[code], code, image) for code, image in stored.first.items()]
    must_be_whole = not stored.is_declared and all(number is not None for number, _, _ in numbers)
    for number, code, image in numbers:
        if number is not None and (number.is_negative or (must_be_whole and number.value is None)):
            what = "a negative number" if number.is_negative else "no whole number"
            msg = (
                f"{address}, {stored.place(image)}: the label {_shorten(stored.texts[code])} is {what}, so it is no class; leave "
                f"the image out, or {_BY_NAME}."
            )
            raise ImagesError(msg)
    commas = [(code, image) for code, image in stored.first.items() if _DECIMAL_COMMA.fullmatch(stored.texts[code])]
    if commas and len(commas) == len(stored.first):
        code, image = commas[0]
        label = f"{address}, {stored.place(image)}: the label {_shorten(stored.texts[code])}"
        msg = f"{label} has a decimal comma; write whole numbers, or {_BY_NAME}."
        raise ImagesError(msg)
    by_name = sorted(numbers, key=lambda each: each[1] if stored.is_declared else stored.texts[each[1]])
    whole = [number.value for number, _, _ in by_name if number is not None and number.value is not None]
    if whole != sorted(whole):
        name = next(code for code, number in enumerate(stored.numbers) if number is None or number.value is None)
        where = f" ({stored.place(stored.first[name])})" if name in stored.first else ""
        msg = (
            f"{address}: {len(whole)} of the {len(numbers)} labels are whole numbers, but {_shorten(stored.texts[name])} is none"
            f"{where}, so their order isn't sure; leave it out, or {_BY_NAME}."
        )
        raise ImagesError(msg)


def _refuse_strangers(stored: StoredLabels, found: Mapping[int, int | None], classes: Sequence[str], *, address: str) -> None:
    strangers = [code for code, position in found.items() if position is None]
    if not strangers:
        return
    text = stored.texts[strangers[0]]
    near = get_close_matches(text[:_MOST_COMPARED], classes, n=3, cutoff=0.5)
    guess = f"; did you mean {' or '.join(near)}?" if near else ""
    msg = (
        f"{address}, {stored.place(stored.first[strangers[0]])}: {_shorten(text)} is not among the given classes ({len(strangers)} "
        f"such{guess}); add it to them, or leave its images out."
    )
    raise ImagesError(msg)


def _refuse_two_spellings(stored: StoredLabels, labels: Int[np.ndarray, " image"], *, address: str) -> None:
    """01 beside 1 may be another class or the same one; 1.0 is the same."""
    seen: dict[int, tuple[str, int]] = {}
    for code, image in stored.first.items():
        number = stored.numbers[code]
        if number is None:
            continue
        spelling, other = seen.setdefault(int(labels[image]), (number.spelling, image))
        if spelling != number.spelling:
            label, first = _shorten(stored.texts[code]), _shorten(stored.texts[stored.codes[other]])
            msg = (
                f"{address}, {stored.place(image)}: the label {label} is the same number as {first} ({stored.place(other)}); write "
                f"it in one way, or {_BY_NAME}."
            )
            raise ImagesError(msg)


def _refuse_unusable(classes: Sequence[str], *, address: str) -> None:
    twice = [name for name, count in Counter(map(spell, classes)).items() if count > 1]
    if twice:
        msg = f"{address}: the class {twice[0]} is given twice; give every class once, in the order of the classifiers' outputs."
        raise ImagesError(msg)
    for name in classes:
        if not name.strip() or _CONTROL.search(name):
            msg = f"{address}: {name!r} can't be the name of a class, which is one line of text; rename it."
            raise ImagesError(msg)


def _shorten(label: str) -> str:
    return label if len(label) <= _LONGEST else f"{label[:_LONGEST]}..."
