"""The providers of images, and how their addresses are read. A provider is imported when an address first needs it."""

from pathlib import Path
from typing import Any, Final

from zooscope.addresses import Address, parse_address
from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.providers import Provider, Registry

GROUP: Final = "zooscope.images"  # of entry points


def register_provider(provider: Provider) -> None:
    """Adds a provider of images; from then on its addresses can be used everywhere, also on the command line.

    Its module has `load(rest, options, *, classes)`, which lists an `ImageSet` without reading an image, and `OPTIONS`, the names
    of its options.

    Raises:
        InvalidValueError: there is one of that name, or the name can't stand before a `:`.
    """
    PROVIDERS.register(provider)


def parse_images_address(address: str | Address) -> Address:
    """The address that a text stands for, if there is a provider for it.

    Raises:
        UnknownNameError: there is no such provider.
        InvalidValueError: there is nothing behind the provider, or an option has no value, or two.
    """
    if isinstance(address, str) and ":" not in address.partition("?")[0]:
        kind, here = "image provider", f" For a folder of images write folder:{address}." if Path(address).is_dir() else ""
        raise UnknownNameError(kind, address, PROVIDERS.names, f"{_advise()}{here}")
    parsed = parse_address(address) if isinstance(address, str) else address
    provider = find_provider(parsed)
    if not parsed.rest:
        msg = f"{address} doesn't say which images; write {provider.form}."
        raise InvalidValueError(msg)
    return parsed


def find_provider(address: Address) -> Provider:
    """The provider of an address.

    Raises:
        UnknownNameError: there is none.
    """
    return PROVIDERS.find(address.provider, _advise())


def import_provider(address: Address) -> Any:  # noqa: ANN401  (a module)
    """The module of an address's provider.

    Raises:
        UnknownNameError: there is no such provider.
        MissingExtraError: it needs a library that isn't installed.
    """
    return PROVIDERS.import_module(find_provider(address))


def _advise() -> str:
    return f"Write {' or '.join(PROVIDERS.forms.values())}."


PROVIDERS: Final = Registry(
    "image",
    GROUP,
    [
        Provider(name="bundled", form="bundled:cifar10", module="zooscope.images.providers.bundled"),
        Provider(name="folder", form="folder:PATH", module="zooscope.images.providers.folder"),
        Provider(name="manifest", form="manifest:FILE.csv", module="zooscope.images.providers.manifest"),
        Provider(name="parquet", form="parquet:FILE_OR_FOLDER", module="zooscope.images.providers.parquet"),
        Provider(
            name="huggingface",
            form="huggingface:ORG/NAME?split=SPLIT",
            module="zooscope.images.providers.huggingface",
            extra="huggingface",
        ),
        Provider(name="torchvision", form="torchvision:CIFAR10?root=PATH", module="zooscope.images.providers.torchvision"),
        Provider(name="webdataset", form="webdataset:SHARDS.tar", module="zooscope.images.providers.webdataset"),
    ],
)
