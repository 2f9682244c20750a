"""The grammar of an image set's address: `source:rest?option=value&option=value`. Nothing is opened to read one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlencode

from zooscope.errors import InvalidValueError, UnknownNameError

FORMS: Final[Mapping[str, str]] = {
    "bundled": "bundled:cifar10",
    "folder": "folder:PATH",
    "manifest": "manifest:FILE.csv",
    "parquet": "parquet:FILE_OR_FOLDER",
    "huggingface": "huggingface:ORG/NAME?split=SPLIT",
    "torchvision": "torchvision:CIFAR10?root=PATH",
    "webdataset": "webdataset:SHARDS.tar",
}
SOURCES: Final = tuple(FORMS)


@dataclass(frozen=True, kw_only=True)
class Address:
    """An address taken apart.

    Attributes:
        source: one of `SOURCES`.
        rest: what stands between the first `:` and the `?`, with %3F and its like decoded.
        options: what stands behind the `?`, decoded.
    """

    source: str
    rest: str
    options: Mapping[str, str]


def parsed(address: str) -> Address:
    """An address taken apart.

    Raises:
        UnknownNameError: no such source.
        InvalidValueError: there is nothing behind the source, or an option has no value, or two.
    """
    head, _, query = address.partition("?")
    source, colon, rest = head.partition(":")
    if not colon or source not in SOURCES:
        kind, here = "image source", f" For a folder of images write folder:{address}." if Path(address).is_dir() else ""
        raise UnknownNameError(kind, source, SOURCES, f"Write {' or '.join(FORMS.values())}.{here}")
    if not rest:
        msg = f"{address} says not which images; write {FORMS[source]}."
        raise InvalidValueError(msg)
    return Address(source=source, rest=unquote(rest), options=options_in(query, address))


def written(source: str, rest: str | Path, options: Mapping[str, str] | None = None) -> str:
    """An address put together; what `parsed` takes apart again.

    >>> written("parquet", "/data/what?/test.parquet", {"label": "fine label"})
    'parquet:/data/what%3F/test.parquet?label=fine+label'
    """
    query = urlencode(options or {}, safe="/,:[]")
    return f"{source}:{str(rest).replace('%', '%25').replace('?', '%3F')}{'?' if query else ''}{query}"


def refuse_unknown(options: Mapping[str, str], known: Sequence[str], *, source: str, common: Sequence[str] = ()) -> None:
    """Refuses an option that the source doesn't take; `common` names those that all sources take and that were looked at before.

    Raises:
        UnknownNameError: there is one; the options that the source takes are listed.
    """
    unknown = [option for option in options if option not in known]
    if unknown:
        kind = "option"
        raise UnknownNameError(kind, unknown[0], known, f"{source}: takes {', '.join((*known, *common)) or 'no options'}.")


def options_in(query: str, address: str) -> dict[str, str]:
    """What stands behind the `?` of an address, decoded.

    Raises:
        InvalidValueError: an option has no value, or two.
    """
    pairs = parse_qsl(query, keep_blank_values=True)
    names = [option for option, _ in pairs]
    for option, value in pairs:
        if not value:
            msg = f"{address}: the option {option} has no value; write {option}=VALUE."
            raise InvalidValueError(msg)
        if names.count(option) > 1:
            msg = f"{address}: the option {option} is given twice; leave one out."
            raise InvalidValueError(msg)
    return dict(pairs)
