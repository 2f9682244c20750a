"""The places that classifiers come from, each a module that is imported when an address first needs it."""

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Final

from zooscope.errors import MissingExtraError

EXTRAS: Final[Mapping[str, str]] = {"huggingface": "huggingface", "onnx": "onnx"}


def module_of(source: str) -> ModuleType:
    """The module of a source: `load(rest, options, *, name)`, and `names()` if they can be listed.

    Raises:
        MissingExtraError: it needs a library that isn't installed.
    """
    try:
        return import_module(f"zooscope.classifiers.providers.{source}")
    except ModuleNotFoundError as error:
        if source not in EXTRAS or (error.name or "").startswith("zooscope"):
            raise
        what = f"the classifier source {source}"
        raise MissingExtraError(what, EXTRAS[source]) from error


def names_of(source: str) -> tuple[str, ...]:
    """The addresses of all classifiers of a source whose names can be listed; none is loaded."""
    return tuple(f"{source}:{name}" for name in module_of(source).names())


def bundled_names() -> tuple[str, ...]:
    """The addresses of all bundled classifiers."""
    return names_of("bundled")
