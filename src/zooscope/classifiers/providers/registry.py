"""The providers of classifiers, and how their addresses are read. A provider is imported when an address first needs it."""

from pathlib import Path
from typing import Any, Final

from zooscope.addresses import Address, parse_address
from zooscope.errors import UnknownNameError
from zooscope.providers import Provider, Registry

GROUP: Final = "zooscope.classifiers"  # of entry points
TIMM_FOLDER: Final = "local-dir:"
BUNDLED: Final = "bundled:"


def register_provider(provider: Provider) -> None:
    """Adds a provider of classifiers; from then on its addresses can be used everywhere, also on the command line.

    Its module has `load(rest, options, *, name)`, which gives a `Classifier`, and `OPTIONS`, the names of its options.

    Raises:
        InvalidValueError: there is one of that name, or the name can't stand before a `:`.
    """
    PROVIDERS.register(provider)


def parse_classifier_address(address: str | Address) -> Address:
    """The address that a text stands for, if there is a provider for it.

    Raises:
        UnknownNameError: there is no such provider.
        InvalidValueError: an option has no value, or two.
    """
    if isinstance(address, str) and ":" not in address.partition("?")[0]:
        kind = "classifier"
        raise UnknownNameError(kind, address, list_bundled_names(), _advise())
    parsed = parse_address(address) if isinstance(address, str) else address
    find_provider(parsed)
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


def list_names(provider: Provider) -> tuple[str, ...]:
    """The addresses of all classifiers of a provider whose names can be listed; none is loaded."""
    return tuple(f"{provider.name}:{name}" for name in PROVIDERS.import_module(provider).list_names())


def list_bundled_names() -> tuple[str, ...]:
    """The addresses of all bundled classifiers."""
    return list_names(PROVIDERS.find("bundled", _advise()))


def locate_file(path: str, folder: Path) -> str:
    """A path that holds from anywhere, of one that is relative to a folder."""
    return str((folder / Path(path).expanduser()).resolve())


def is_function(architecture: str) -> bool:
    """Whether an architecture is `module:function`, which is imported, and not a name that timm knows."""
    return ":" in architecture and not is_bundled(architecture)


def is_bundled(architecture: str) -> bool:
    """Whether an architecture is one of those of the bundled classifiers."""
    return architecture.startswith(BUNDLED)


def _advise() -> str:
    return f"Write PROVIDER:NAME, or the path of a zoo file (.toml); the providers are {', '.join(PROVIDERS.forms)}."


def _find_function(address: Address) -> str | None:
    architecture = address.options.get("architecture", "")
    return f"architecture={architecture}" if is_function(architecture) else None


def _locate_in_timm(rest: str, folder: Path) -> str:
    return f"{TIMM_FOLDER}{locate_file(rest.removeprefix(TIMM_FOLDER), folder)}" if rest.startswith(TIMM_FOLDER) else rest


def _locate_folder(rest: str, folder: Path) -> str:
    """A folder, where there is one; else it is `ORG/NAME` of the Hugging Face hub."""
    return locate_file(rest, folder) if rest.startswith((".", "~", "/")) or (folder / rest).is_dir() else rest


PROVIDERS: Final = Registry(
    "classifier",
    GROUP,
    [
        Provider(name="bundled", form="bundled:NAME", module="zooscope.classifiers.providers.bundled", lists_names=True),
        Provider(
            name="timm",
            form="timm:NAME, timm:hf-hub:ORG/NAME, timm:local-dir:FOLDER",
            module="zooscope.classifiers.providers.timm",
            lists_names=True,
            locate=_locate_in_timm,
        ),
        Provider(
            name="torchvision", form="torchvision:WEIGHTS", module="zooscope.classifiers.providers.torchvision", lists_names=True
        ),
        Provider(
            name="huggingface",
            form="huggingface:ORG/NAME, huggingface:FOLDER",
            module="zooscope.classifiers.providers.huggingface",
            extra="huggingface",
            locate=_locate_folder,
        ),
        Provider(
            name="checkpoint",
            form="checkpoint:FILE?architecture=NAME",
            module="zooscope.classifiers.providers.checkpoint",
            locate=locate_file,
            code_in=_find_function,
        ),
        Provider(name="onnx", form="onnx:FILE", module="zooscope.classifiers.providers.onnx", extra="onnx", locate=locate_file),
        Provider(name="paper", form="paper:NAME", module="zooscope.classifiers.providers.paper", lists_names=True),
    ],
)
