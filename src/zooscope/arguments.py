"""Checks what public functions are given, by their annotations: a wrong kind of argument is one sentence, not a traceback."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, wraps
from numbers import Real
from operator import index
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from zooscope.errors import InvalidValueError, describe_kind

Target = TypeVar("Target", bound=Callable[..., Any])

_NAMES: Final = {
    str: "text",
    Path: "a path",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    NoneType: "None",
    Mapping: "a mapping",
    Callable: "a function",
}
_PLURALS: Final = {str: "texts", Path: "paths", int: "whole numbers", float: "numbers"}


def check_arguments(target: Target) -> Target:
    """A decorator: the function, or every public method of the class and its constructor, refuses arguments of a wrong kind.

    Example:
        >>> @check_arguments
        ... def repeat(text: str, times: int = 2) -> str:
        ...     return text * times
        >>> repeat("ab", times="3")
        Traceback (most recent call last):
            ...
        zooscope.errors.InvalidValueError: repeat: times must be a whole number: got '3'.
    """
    if not inspect.isclass(target):
        checked: Any = _check_function(target)
        return checked  # type: ignore[no-any-return]
    for name, member in list(vars(target).items()):
        if name != "__init__" and name.startswith("_"):
            continue
        if inspect.isfunction(member):
            setattr(target, name, _check_function(member))
        elif isinstance(member, classmethod):
            setattr(target, name, classmethod(_check_function(member.__func__)))
    return target


def _check_function(function: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(function)
    names = tuple(signature.parameters)
    called = function.__qualname__.removesuffix(".__init__")

    @cache
    def read_hints() -> dict[str, Any]:
        """When first called: annotations may name classes that are not there yet when the function is made."""
        try:
            hints = get_type_hints(function)
        except NameError:  # of an import for types alone
            return {}
        single = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        return {name: hint for name, hint in hints.items() if name in names and signature.parameters[name].kind not in single}

    @wraps(function)
    def check(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401  (whatever the function takes and gives)
        hints = read_hints()
        for name, value in (*zip(names, arguments, strict=False), *options.items()):
            if name in hints and not _fits(value, hints[name]):
                msg = f"{called}: {name} must be {_describe(hints[name])}: got {describe_kind(value)}."
                raise InvalidValueError(msg)
        return function(*arguments, **options)

    return check


def _fits(value: object, hint: Any) -> bool:  # noqa: ANN401  (a type, or what typing has for one)
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return any(_fits(value, each) for each in inner)
    if origin is Literal:
        return any(type(value) is type(each) and value == each for each in inner)
    if hint in _NUMBERS:
        return _NUMBERS[hint](value)
    kind = origin or hint
    if kind is Sequence and isinstance(value, np.ndarray) and value.ndim == 1:  # as good as a list
        return all(_fits(each, inner[0]) for each in value)
    fits = not isinstance(kind, type) or _is_instance(value, kind)
    return _fits_inside(value, kind, inner) if fits and inner and issubclass(kind, Iterable) else fits


def _is_whole(value: object) -> bool:
    """Whether it is a whole number, also of NumPy or torch."""
    try:
        index(value)  # type: ignore[arg-type]
    except TypeError:
        return False
    return not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


_NUMBERS: Final = {int: _is_whole, float: _is_number}


def _is_instance(value: object, kind: type) -> bool:
    try:
        return isinstance(value, kind)
    except TypeError:  # a protocol that can't be looked for
        return True


def _fits_inside(value: Any, kind: type, inner: tuple[Any, ...]) -> bool:  # noqa: ANN401  (what has items)
    if isinstance(value, str):  # its letters are texts, but nobody means them
        return False
    if issubclass(kind, Mapping):
        return all(_fits(key, inner[0]) and _fits(each, inner[1]) for key, each in value.items())
    if issubclass(kind, tuple) and inner[-1] is not Ellipsis:
        return len(value) == len(inner) and all(map(_fits, value, inner))
    return isinstance(value, Iterator) or all(_fits(each, inner[0]) for each in value)


def _describe(hint: Any) -> str:  # noqa: ANN401  (a type, or what typing has for one)
    origin, inner = get_origin(hint), get_args(hint)
    kind = origin or hint
    if origin in {Union, UnionType}:
        return " or ".join(dict.fromkeys(map(_describe, inner)))
    if origin is Literal:
        return " or ".join(map(repr, inner))
    if kind in _NAMES or hasattr(hint, "array_type"):  # that of jaxtyping names itself
        return _NAMES.get(kind) or str(hint.__name__)
    if inner and isinstance(kind, type) and issubclass(kind, Iterable):
        is_fixed = issubclass(kind, tuple) and inner[-1] is not Ellipsis
        return f"{len(inner)} values: {', '.join(map(_describe, inner))}" if is_fixed else _describe_list(inner[0])
    name = getattr(kind, "__name__", str(kind))
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def _describe_list(hint: Any) -> str:  # noqa: ANN401  (as above)
    return f"a list of {_PLURALS[hint]}" if hint in _PLURALS else f"a list, each {_describe(hint)}"
