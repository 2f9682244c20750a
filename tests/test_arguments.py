"""Arguments of wrong kinds are refused in a sentence."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
import torch
from jaxtyping import Float

from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError


@check_arguments
def take(  # one parameter of each kind
    *,
    text: str = "",
    path: str | Path = "",
    whole: int = 0,
    number: float = 0,
    maybe: float | None = None,
    switch: bool = False,
    names: Sequence[str] = (),
    positions: Iterable[int] = (),
    pair: tuple[str, str] = ("a", "b"),
    groups: Mapping[str, str] | None = None,
    choice: Literal["tsne", "mds"] = "mds",
    table: pd.DataFrame | None = None,
    array: Float[np.ndarray, "row column"] | None = None,
    listen: Callable[[str], None] = print,
    anything: object = None,
) -> dict[str, object]:
    given = (text, path, whole, number, maybe, switch, names, positions, pair, groups, choice, table, array, listen, anything)
    return dict(zip(take.__annotations__, given, strict=False))


@pytest.mark.parametrize(
    "given",
    [
        {"path": Path("a"), "text": "a"},
        {"whole": np.int64(3), "number": np.float32(3), "maybe": 3},
        {"whole": torch.tensor(3), "positions": torch.tensor([1, 2])},
        {"names": ["a"], "positions": np.array([1, 2]), "groups": {"a": "b"}},
        {"names": np.array(["a", "b"]), "positions": range(2)},
        {"positions": iter([1, 2]), "pair": ("a", "c"), "choice": "tsne"},
        {"table": pd.DataFrame(), "array": np.zeros((2, 3)), "listen": str, "anything": object()},
    ],
)
def test_what_fits_is_taken_as_it_is(given: dict[str, Any]) -> None:
    taken = take(**given)
    assert all(taken[name] is value for name, value in given.items())


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("text", 3, "take: text must be text: got 3."),
        ("path", None, "take: path must be text or a path: got None."),
        ("whole", 3.0, "take: whole must be a whole number: got 3.0."),
        ("whole", True, "take: whole must be a whole number: got True."),
        ("number", "3", "take: number must be a number: got '3'."),
        ("maybe", "3", "take: maybe must be a number or None: got '3'."),
        ("switch", 1, "take: switch must be True or False: got 1."),
        ("names", "vit", "take: names must be a list of texts: got 'vit'."),
        ("names", ["vit", 3], "take: names must be a list of texts: got a value of type list."),
        ("positions", ["a"], "take: positions must be a list of whole numbers: got a value of type list."),
        ("pair", ("a", "b", "c"), "take: pair must be 2 values: text, text: got a value of type tuple."),
        ("groups", {"a": 3}, "take: groups must be a mapping or None: got a value of type dict."),
        ("choice", "pca", "take: choice must be 'tsne' or 'mds': got 'pca'."),
        ("table", [], "take: table must be a DataFrame or None: got a value of type list."),
        ("listen", 3, "take: listen must be a function: got 3."),
    ],
)
def test_what_does_not_fit_is_named_with_what_would(name: str, value: object, message: str) -> None:
    arguments: dict[str, Any] = {name: value}
    with pytest.raises(InvalidValueError) as caught:
        take(**arguments)
    assert str(caught.value) == message


def test_an_arrays_type_and_axes_are_checked_and_named() -> None:
    with pytest.raises(
        InvalidValueError, match=r"array must be Float\[ndarray, .*: got a value of type ndarray \(int64, shape \(2,\)\)"
    ):
        take(array=np.zeros(2, dtype=np.int64))


@check_arguments
@dataclass(frozen=True)
class Point:
    """A class whose constructor and methods are checked."""

    x: float

    def move(self, by: float) -> "Point":
        return Point(self.x + by)

    @classmethod
    def parse(cls, text: str) -> "Point":
        return cls(float(text))


@pytest.mark.parametrize(("call", "wrong"), [(Point, "a"), (Point(1).move, None), (Point.parse, 3)])
def test_constructors_and_methods_of_a_class_are_checked(call: Callable[[Any], Point], wrong: object) -> None:
    assert Point.parse("2").move(1) == Point(3)
    with pytest.raises(InvalidValueError, match=r"^Point(\.\w+)?: (x|by|text) must be (a number|text): got"):
        call(wrong)


def test_a_wrong_signature_is_pythons_own_error() -> None:
    with pytest.raises(TypeError, match=r"take\(\) got an unexpected keyword argument 'nothing'"):
        take(nothing=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"missing 1 required positional argument: 'by'"):
        Point(1).move()  # type: ignore[call-arg]
