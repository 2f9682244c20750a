"""The grammar of addresses, of classifiers and of images: `provider:rest?option=value&option=value`. Parsing one opens nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final
from urllib.parse import parse_qsl, unquote, urlencode

from zooscope.errors import InvalidValueError


@final
@dataclass(frozen=True, kw_only=True)
class Address:
    """Where to find a classifier or an image set. `str` writes it as text, and `parse_address` reads that text again.

    >>> address = Address(provider="timm", rest="resnet18", options={"weights": "/zoo/cats & dogs?.pth", "size": "160"})
    >>> str(address)
    'timm:resnet18?weights=/zoo/cats+%26+dogs%3F.pth&size=160'
    >>> parse_address(str(address)) == address
    True

    Attributes:
        provider: where to look, such as `timm` or `folder`; without `:` and `?`.
        rest: what to look for there.
        options: further settings by name, in the order of the address.
    """

    provider: str
    rest: str
    options: Mapping[str, str] = field(default_factory=dict)
    _text: str = field(init=False, default="", compare=False, repr=False)  # as it was parsed; empty for an address made in code

    def __post_init__(self) -> None:
        """Keeps a copy of the options."""
        object.__setattr__(self, "options", dict(self.options))

    def __hash__(self) -> int:
        """Equal for equal addresses; the order of options doesn't matter."""
        return hash((self.provider, self.rest, frozenset(self.options.items())))

    def __str__(self) -> str:
        """The parsed text; otherwise with `%` and `?` in the rest, and reserved characters in options, percent-encoded."""
        if self._text:
            return self._text
        query = urlencode(self.options, safe="/,:[]")
        return f"{self.head}?{query}" if query else self.head

    @property
    def head(self) -> str:
        """The address without its options, as text."""
        if self._text:
            return self._text.partition("?")[0]
        return f"{self.provider}:{self.rest.replace('%', '%25').replace('?', '%3F')}"

    def with_options(self, options: Mapping[str, str]) -> "Address":
        """The address with further options; existing ones get the new value."""
        return replace(self, options={**self.options, **options})

    def without_options(self, *names: str) -> "Address":
        """The address without the options of these names."""
        return replace(self, options={option: value for option, value in self.options.items() if option not in names})


def parse_address(text: str) -> Address:
    """Parses an address; doesn't check whether there is such a provider.

    >>> parse_address("folder:/data/what%3F").rest
    '/data/what?'

    Raises:
        InvalidValueError: the text has no `:`, or an option has no value, or two.
    """
    head, _, query = text.partition("?")
    provider, colon, rest = head.partition(":")
    if not colon:
        msg = f"{text!r} is no address; write PROVIDER:NAME, with options as in PROVIDER:NAME?OPTION=VALUE&OPTION=VALUE."
        raise InvalidValueError(msg)
    pairs = parse_qsl(query, keep_blank_values=True)
    names = [option for option, _ in pairs]
    for option, value in pairs:
        if not value:
            msg = f"{text}: the option {option} has no value; write {option}=VALUE."
            raise InvalidValueError(msg)
        if names.count(option) > 1:
            msg = f"{text}: the option {option} is given twice; leave one out."
            raise InvalidValueError(msg)
    address = Address(provider=provider, rest=unquote(rest), options=dict(pairs))
    object.__setattr__(address, "_text", text)
    return address


def write_address(provider: str, rest: str | Path, options: Mapping[str, str] | None = None) -> str:
    """An address as text, from its parts.

    >>> write_address("parquet", "/data/what?/test.parquet", {"label": "fine label"})
    'parquet:/data/what%3F/test.parquet?label=fine+label'
    """
    return str(Address(provider=provider, rest=str(rest), options=options or {}))
