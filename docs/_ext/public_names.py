"""What is public: the names of some modules, and the methods and properties of classes among them."""

import importlib
import inspect
from collections.abc import Iterator, Sequence
from typing import Any, Final

MODULES: Final = ("zooscope", "zooscope.attacks", "zooscope.analyses", "zooscope.probe", "zooscope.testing", "zooscope.errors")


def list_public(modules: Sequence[str]) -> Iterator[str]:
    """All public names of some modules, and of classes their methods and properties, inherited ones too."""
    for module in modules:
        package = importlib.import_module(module)
        for name in list_names(package):
            thing = getattr(package, name)
            if inspect.ismodule(thing) or (find_kind(thing) == "exception" and module != "zooscope.errors"):
                continue
            yield f"{module}.{name}"
            if inspect.isclass(thing):
                yield from (f"{module}.{name}.{member}" for member in dir(thing) if _is_described(thing, member))


def list_names(package: Any) -> Sequence[str]:  # noqa: ANN401  (a module)
    """The public names of a module; where it doesn't list them, the classes that it defines."""
    if hasattr(package, "__all__"):
        return list(package.__all__)
    return [name for name, value in vars(package).items() if inspect.isclass(value) and value.__module__ == package.__name__]


def find_kind(thing: object) -> str:
    """What autodoc calls it."""
    if inspect.ismodule(thing):
        return "module"
    if inspect.isclass(thing):
        return "exception" if issubclass(thing, BaseException) else "class"
    return "function" if callable(thing) else "data"


def find_function(kind: type, member: str) -> Any:  # noqa: ANN401  (a function, mostly)
    """The function behind a class's method or property."""
    value = inspect.getattr_static(kind, member)
    return value.fget if isinstance(value, property) else getattr(value, "__func__", getattr(value, "func", value))


def _is_described(kind: type, member: str) -> bool:
    """Whether a class's member is a public method or property of ours, with a docstring."""
    function = find_function(kind, member)
    is_ours = inspect.isfunction(function) and function.__module__.startswith("zooscope")
    return is_ours and not member.startswith("_") and bool(inspect.getdoc(inspect.getattr_static(kind, member)))
