"""Providers: where classifiers and images come from, and how to add one from outside the package."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, final

from zooscope.addresses import Address
from zooscope.errors import InvalidValueError, MissingExtraError, UnknownNameError, UntrustedCodeError


def keep_rest(rest: str, folder: Path) -> str:  # noqa: ARG001  (the form of `Provider.locate`)
    """The rest of an address, unchanged: it is not a file."""
    return rest


def name_no_code(address: Address) -> str | None:  # noqa: ARG001  (the form of `Provider.code_in`)
    """None: no address of the provider names code."""
    return None


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Where classifiers or images come from; what is known before its module is imported.

    Attributes:
        name: the part of its addresses before the `:`.
        form: of its addresses, such as `folder:PATH`.
        module: its module, or the module's dotted name; it is imported when an address first needs it. It has `OPTIONS`, the names
            of its options, and a function `load`; see CONTRIBUTING.md.
        extra: zooscope's optional extra with the libraries that the module imports; None if it needs none.
        lists_names: whether the module has a function `list_names()`, for patterns.
        locate: makes the rest of an address in a file independent of the current folder, given the file's folder.
        code_in: the code that loading an address would run, such as `module:function`; None if there is none. Such an address is
            refused if it comes from someone else's study.
    """

    name: str
    form: str
    module: Any
    extra: str | None = None
    lists_names: bool = False
    locate: Callable[[str, Path], str] = keep_rest
    code_in: Callable[[Address], str | None] = name_no_code


@final
class Registry:
    """The providers of one kind: the package's own, registered ones, and those of installed packages.

    An installed package adds one by an entry point whose name is the provider's and which leads to a `Provider`.
    """

    def __init__(self, kind: str, group: str, providers: Iterable[Provider]) -> None:
        """Starts with the package's own.

        Args:
            kind: `classifier` or `image`, for errors.
            group: of the entry points.
            providers: the package's own.
        """
        self._kind, self._group = kind, group
        self._known = {provider.name: provider for provider in providers}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all providers."""
        return tuple(dict.fromkeys((*self._known, *sorted(entry_points(group=self._group).names))))

    @property
    def forms(self) -> Mapping[str, str]:
        """The form of the addresses of each registered provider; imports no other package."""
        return {name: provider.form for name, provider in self._known.items()}

    def register(self, provider: Provider) -> None:
        """Adds a provider.

        Raises:
            InvalidValueError: its name is taken, or can't be used before a `:`.
        """
        if provider.name in self._known:
            msg = f"there is a {self._kind} provider {provider.name} already; choose another name."
            raise InvalidValueError(msg)
        if not provider.name.isidentifier():
            msg = f"the name of a {self._kind} provider must be a word of letters, digits and _: got {provider.name!r}."
            raise InvalidValueError(msg)
        self._known[provider.name] = provider

    def find(self, name: str, advice: str) -> Provider:
        """Finds a provider by name.

        Args:
            name: the part before the `:`.
            advice: ends the error.

        Raises:
            UnknownNameError: there is none; similar names are suggested.
            InvalidValueError: an installed package announces it, but has no such provider.
        """
        if name not in self._known:
            announced = entry_points(group=self._group, name=name)
            if not announced:
                kind = f"{self._kind} provider"
                raise UnknownNameError(kind, name, self.names, advice)
            (point, *_) = announced
            provider = point.load()
            if not isinstance(provider, Provider) or provider.name != name:
                place = f"the entry point {name} of {self._group} ({point.value})"
                msg = f"{place} must lead to a Provider called {name}: got {provider!r}."
                raise InvalidValueError(msg)
            self.register(provider)
        return self._known[name]

    def require_no_code(self, provider: Provider, address: Address, *, name: str) -> None:
        """Rejects an address if loading it would run code that it names.

        Args:
            provider: of the address.
            address: from a record, not from the current user.
            name: what is loaded, for the error.

        Raises:
            UntrustedCodeError: it names such code.
        """
        code = provider.code_in(address)
        if code is not None:
            msg = (
                f"{name} is built by code that its address in the study names ({code}), and code from a study is not run unasked; "
                "give the address again yourself, or trust the study if you trust whoever made it (trust=True)."
            )
            raise UntrustedCodeError(msg)

    def import_module(self, provider: Provider) -> Any:  # noqa: ANN401  (a module, or what stands for one)
        """The provider's module.

        Raises:
            MissingExtraError: it needs a library that isn't installed.
        """
        if not isinstance(provider.module, str):
            return provider.module
        try:
            return import_module(provider.module)
        except ModuleNotFoundError as error:
            if provider.extra is None or (error.name or "").startswith("zooscope"):
                raise
            what = f"the {self._kind} provider {provider.name}"
            raise MissingExtraError(what, provider.extra) from error


def refuse_unknown_options(options: Iterable[str], known: Sequence[str], *, provider: str, common: Sequence[str] = ()) -> None:
    """Rejects options that the provider doesn't have; `common` are the options that all have, checked earlier.

    Raises:
        UnknownNameError: there is such an option; the provider's options are listed.
    """
    unknown = [option for option in options if option not in known]
    if unknown:
        kind = "option"
        raise UnknownNameError(kind, unknown[0], known, f"{provider}: takes {', '.join((*known, *common)) or 'no options'}.")
