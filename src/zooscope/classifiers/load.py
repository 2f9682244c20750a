"""Classifiers by address: `bundled:NAME`, `timm:ARCHITECTURE?weights=FILE`."""

from typing import Final
from urllib.parse import parse_qsl

from zooscope.classifiers import timm
from zooscope.classifiers.bundled import zoo
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import InvalidValueError, UnknownNameError

SOURCES: Final = ("bundled", "timm")


def load_classifier(address: str, *, name: str | None = None) -> Classifier:
    """The classifier at an address, on the CPU.

    Args:
        address: `bundled:NAME`, or `timm:ARCHITECTURE?weights=FILE` with further options behind `&`: `num_classes`, `size`,
            `mean`, `std`, `interpolation`, `crop`, `name`. A `&`, `%` or `+` inside a value is written %26, %25, %2B.
        name: what to call it; else the option `name`, else the address up to the `?`.

    Raises:
        UnknownNameError: no such source, or the source knows no such name.
        ClassifierError: the weights don't fit.
        MissingFileError: the checkpoint is not there.
    """
    source, rest, options = _parts(address)
    called = name or options.pop("name", None) or f"{source}:{rest}"
    options.pop("name", None)
    if source == "bundled":
        if options:
            msg = f"{address}: bundled classifiers take no option but name: got {', '.join(options)}."
            raise InvalidValueError(msg)
        return zoo.load(rest, called=called)
    return timm.load(rest, options, name=called)


def bundled_names() -> tuple[str, ...]:
    """The addresses of all bundled classifiers."""
    return tuple(f"bundled:{name}" for name in zoo.cards())


def _parts(address: str) -> tuple[str, str, dict[str, str]]:
    head, _, query = address.partition("?")
    source, colon, rest = head.partition(":")
    if not colon or source not in SOURCES:
        kind, named, known = ("classifier source", source, SOURCES) if colon else ("classifier", address, bundled_names())
        raise UnknownNameError(kind, named, known, "Write bundled:NAME or timm:ARCHITECTURE?weights=FILE.")
    return source, rest, dict(parse_qsl(query, keep_blank_values=True))
