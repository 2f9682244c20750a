"""The grammar of a classifier's address: `source:rest?option=value&option=value`. Nothing is loaded to read one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlencode

from zooscope.errors import UnknownNameError
from zooscope.images.addresses import options_in

FORMS: Final[Mapping[str, str]] = {
    "bundled": "bundled:NAME",
    "timm": "timm:NAME, timm:hf-hub:ORG/NAME, timm:local-dir:FOLDER",
    "torchvision": "torchvision:WEIGHTS",
    "huggingface": "huggingface:ORG/NAME, huggingface:FOLDER",
    "checkpoint": "checkpoint:FILE?architecture=NAME",
    "onnx": "onnx:FILE",
    "paper": "paper:NAME",
}
SOURCES: Final = tuple(FORMS)
COMMON_OPTIONS: Final = ("name", "group", "class_map")
BACKGROUND: Final = "background"  # the class map that is no file
_ADVICE: Final = f"Write SOURCE:NAME; the sources are {', '.join(SOURCES)}."


@dataclass(frozen=True, kw_only=True)
class Address:
    """An address taken apart.

    Attributes:
        source: one of `SOURCES`.
        head: source and rest as they were written, which is the classifier's name where nothing else is said.
        rest: what stands between the first `:` and the `?`, with %3F and its like decoded.
        options: what stands behind the `?`, decoded, without those that every source takes.
        common: those that every source takes, by name; only those that are there.
    """

    source: str
    head: str
    rest: str
    options: Mapping[str, str]
    common: Mapping[str, str]

    @property
    def name(self) -> str:
        """What the classifier is called: the option `name`, else `head`."""
        return self.common.get("name", self.head)


def parsed(address: str) -> Address:
    """An address taken apart.

    Raises:
        UnknownNameError: no such source.
        InvalidValueError: an option has no value, or two.
    """
    head, _, query = address.partition("?")
    source, colon, rest = head.partition(":")
    if not colon:
        from zooscope.classifiers.providers.registry import bundled_names  # noqa: PLC0415  (for this error alone: it imports torch)

        kind = "classifier"
        raise UnknownNameError(kind, address, bundled_names(), _ADVICE)
    if source not in SOURCES:
        kind = "classifier source"
        raise UnknownNameError(kind, source, SOURCES, _ADVICE)
    options = options_in(query, address)
    common: dict[str, str] = {option: options.pop(option) for option in COMMON_OPTIONS if option in options}
    return Address(source=source, head=head, rest=unquote(rest), options=options, common=common)


def written(source: str, rest: str, options: Mapping[str, str] | None = None) -> str:
    """An address put together; what `parsed` takes apart again.

    >>> written("checkpoint", "/zoo/vit?.pth", {"architecture": "vit_tiny_patch16_224", "mean": "0.5,0.5,0.5"})
    'checkpoint:/zoo/vit%3F.pth?architecture=vit_tiny_patch16_224&mean=0.5,0.5,0.5'
    """
    return extended(f"{source}:{rest.replace('%', '%25').replace('?', '%3F')}", options or {})


def extended(address: str, options: Mapping[str, str]) -> str:
    """An address with further options behind those that it has."""
    query = urlencode(options, safe="/,:")
    return f"{address}{'&' if '?' in address else '?'}{query}" if query else address


def name_of(address: str) -> str:
    """What a classifier is called, told from its address alone.

    Raises:
        UnknownNameError: no such source.
    """
    return parsed(address).name


def group_of(address: str) -> str | None:
    """Which group of settings a classifier belongs to, told from its address alone; None where the address says nothing.

    Raises:
        UnknownNameError: no such source.
    """
    return parsed(address).common.get("group")
