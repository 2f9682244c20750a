"""One tree of errors, each also the builtin that callers would catch."""

import inspect
import pickle
from pathlib import Path

import pytest

from zooscope import errors
from zooscope.errors import MissingFileError, UnknownNameError, ZooscopeError

RAISED = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, Exception) and not issubclass(kind, Warning) and kind is not ZooscopeError
]


@pytest.mark.parametrize("kind", RAISED)
def test_every_error_is_a_zooscope_error_and_a_builtin_one(kind: type[Exception]) -> None:
    assert issubclass(kind, ZooscopeError)
    builtin = [base for base in kind.__mro__ if base.__module__ == "builtins" and base not in {Exception, BaseException, object}]
    assert builtin


@pytest.mark.parametrize("kind", [*RAISED, errors.EmptyPairWarning, errors.WeakSourceWarning])
def test_every_error_says_what_it_stands_for(kind: type[Exception]) -> None:
    assert inspect.getdoc(kind)


def test_an_unknown_name_suggests_near_ones() -> None:
    error = UnknownNameError("colour", "gren", ["blue", "green", "grey"], "Take another.")
    assert str(error) == "unknown colour 'gren'. Did you mean green or grey? Take another."


def test_an_unknown_name_without_its_provider_suggests_those_with_it() -> None:
    error = UnknownNameError("classifier", "vit", ["bundled:vit", "bundled:swin", "timm:vit"], "Take another.")
    assert str(error) == "unknown classifier 'vit'. Did you mean bundled:vit or timm:vit? Take another."


def test_an_unknown_name_with_nothing_near_suggests_nothing() -> None:
    assert str(UnknownNameError("colour", "xyz", ["red", "green"], "Take another.")) == "unknown colour 'xyz'. Take another."


def test_a_missing_file_is_told_without_an_error_number() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        raise MissingFileError("there is no such file.")  # noqa: EM101, TRY003  (the sentence itself is tested)
    assert str(caught.value) == "there is no such file."


@pytest.mark.parametrize(
    "error",
    [
        errors.ClassifierError("what is wrong"),
        MissingFileError("what is missing"),
        errors.UntrustedCodeError("what is not run"),
        UnknownNameError("colour", "gren", ["green"], "Take another."),
        errors.NotFiniteError("odd on", [2, 5], images=["a", "b", "c", "d", "e", "f"]),
        errors.MissingExtraError("reading", "onnx"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_come_back_from_other_processes_as_they_were(error: ZooscopeError) -> None:
    error.__dict__["refused"] = "one"
    back = pickle.loads(pickle.dumps(error))  # noqa: S301  (our own)
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert back.__dict__ == error.__dict__


def test_nothing_else_is_raised_on_purpose() -> None:
    """Every `raise` in the source, suites of tests aside, raises one of the tree's errors, or one that Python asks for by name."""
    allowed = {kind.__name__ for kind in RAISED} | {"AttributeError"}
    root = Path(errors.__file__).parent
    for file in set(root.rglob("*.py")) - set((root / "testing").iterdir()):
        for line in file.read_text(encoding="utf-8").splitlines():
            statement = line.strip()
            if statement.startswith("raise ") and statement[6].isupper():
                assert statement[6:].partition("(")[0].partition(" ")[0] in allowed, f"{file}: {statement}"
