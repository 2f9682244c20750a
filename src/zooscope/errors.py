"""Every error that zooscope raises on purpose: one tree; each branch also derives from the builtin that callers would catch.

A message says what is wrong, with which item, and what to do. The command line prints it as one sentence without a traceback.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final

LONGEST_VALUE: Final = 60  # characters of a value in a sentence


def first_line(error: BaseException) -> str:
    """The first line of another library's error, short enough for a sentence."""
    return next((line.strip().rstrip(".:") for line in str(error).splitlines() if line.strip()), type(error).__name__)


def describe_kind(value: object) -> str:
    """What a value is, short enough for a sentence.

    >>> describe_kind("vit"), describe_kind(3), describe_kind({"a": 1})
    ("'vit'", '3', 'a value of type dict')
    """
    if value is None or (isinstance(value, str | int | float) and len(repr(value)) <= LONGEST_VALUE):
        return repr(value)
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    about = f" ({dtype}, shape {tuple(shape)})" if isinstance(shape, tuple) and dtype is not None else ""
    return f"a value of type {type(value).__name__}{about}"


class ZooscopeError(Exception):
    """Base class of zooscope's errors: an input or the environment is at fault.

    Example:
        >>> import zooscope
        >>> try:
        ...     zooscope.attacks.LinfPGD(epsilon=8)
        ... except zooscope.ZooscopeError as error:
        ...     print(error)
        LinfPGD.epsilon must be in (0, 1] (pixels are in [0, 1]): got 8. For 8/255 write 8/255.
    """

    def __reduce__(self) -> tuple[object, ...]:
        """As it is, without making the message anew: errors come back from other processes."""
        return _restore, (type(self), self.args), self.__dict__


def _restore(kind: type[ZooscopeError], arguments: tuple[object, ...]) -> ZooscopeError:
    error = kind.__new__(kind)
    error.args = arguments
    return error


class InvalidValueError(ZooscopeError, ValueError):
    """A value that can't be used: an attack's setting, a confidence, a shape."""


class UnknownNameError(ZooscopeError, LookupError):
    """An unknown name; the message suggests similar ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str], advice: str) -> None:
        names = {each.casefold(): each for each in sorted(known)}
        own = [each for each in names.values() if each.endswith(f":{name}")]  # shown without its provider
        close = [names[match] for match in get_close_matches(name.casefold(), names, n=3, cutoff=0.5)]
        near = list(dict.fromkeys([*own, *close]))[:3]
        guess = f" Did you mean {' or '.join(near)}?" if near else ""
        super().__init__(f"unknown {kind} {name!r}.{guess} {advice}")


class ClassifierError(ZooscopeError, ValueError):
    """A classifier that can't be loaded or doesn't behave as one.

    Attributes:
        refused: name of the classifier that can't be measured; empty where it may be another time, as after a failed download.
    """

    refused: str = ""


class NotFiniteError(ClassifierError):
    """A loss, gradients or logits that are NaN or infinite.

    Attributes:
        positions: of the images, counted from 0.
    """

    def __init__(self, problem: str, positions: Sequence[int], *, images: Sequence[str] = ()) -> None:
        first = images[positions[0]] if images else str(positions[0])
        others = f" and {len(positions) - 1} more" if len(positions) > 1 else ""
        super().__init__(f"{problem} image {first}{others}; check its weights and its mean and std.")
        self._problem, self.positions = problem, tuple(positions)

    def among(self, positions: Sequence[int]) -> "NotFiniteError":
        """The same error of images that were taken from others, with their positions there.

        >>> from zooscope.errors import NotFiniteError
        >>> NotFiniteError("the loss is NaN on", [1]).among([5, 7]).positions
        (7,)
        """
        return NotFiniteError(self._problem, [positions[place] for place in self.positions])

    def naming(self, images: Sequence[str]) -> "NotFiniteError":
        """The same error with the images' ids in place of their positions.

        >>> from zooscope.errors import NotFiniteError
        >>> print(NotFiniteError("the loss is NaN on", [1]).naming(["cat.png", "dog.png"]))
        the loss is NaN on image dog.png; check its weights and its mean and std.
        """
        return NotFiniteError(self._problem, self.positions, images=images)


class ImagesError(ZooscopeError, ValueError):
    """Images that can't be read or don't fit the classifiers."""


class StudyError(ZooscopeError, RuntimeError):
    """A study that can't be opened, continued or changed as asked."""


class TrainingError(ZooscopeError, ArithmeticError):
    """A training whose loss is no longer finite; its last good weights are kept."""


class OtherContentError(StudyError):
    """Two results of one unit that differ."""


class NotMeasuredError(StudyError):
    """Something that a study can measure, and hasn't yet."""


class UntrustedCodeError(ZooscopeError, PermissionError):
    """Code that an address in a study names, and that is not run because the study is not trusted."""

    def __str__(self) -> str:
        """The message only: PermissionError would prepend an errno."""
        return str(self.args[0])


class MissingFileError(ZooscopeError, FileNotFoundError):
    """A file or folder that isn't there."""

    def __str__(self) -> str:
        """The message only: FileNotFoundError would prepend an errno."""
        return str(self.args[0])


class MissingExtraError(ZooscopeError, ImportError):
    """An optional library that is needed here and isn't installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs libraries that are not installed: `pip install 'zooscope[{extra}]'`")


class ZooscopeWarning(UserWarning):
    """Base of all warnings that Zooscope gives."""


class EmptyPairWarning(ZooscopeWarning):
    """Two classifiers that share no correctly classified image: their score is NaN."""


class WeakSourceWarning(ZooscopeWarning):
    """A source whose attack fools itself on fewer than 90 % of images: its whole row of scores is too low."""


class OneSidedWarning(ZooscopeWarning):
    """Some classifiers are not attacked, so that pairs have one direction or none: their two-sided score is NaN."""


class ClassOrderWarning(ZooscopeWarning):
    """Labels whose order another program may see otherwise: numbers that may count from 1, or that were sorted as text."""


class ClassMatchingWarning(ZooscopeWarning):
    """Outputs of a classifier whose names are in another order than the images' classes, or are other names."""


class ImplausibleClassifierWarning(ZooscopeWarning):
    """A classifier far less accurate than its outputs in another order, its card, or the other classifiers of the study."""


class ProbabilitiesWarning(ZooscopeWarning):
    """Outputs that look like probabilities and may be logits."""


class LeftOutWarning(ZooscopeWarning):
    """Files or rows beside the images that are not used."""


class MemoryWarning(ZooscopeWarning):
    """Memory ran out, so smaller batches go through a network."""


class NotCompiledWarning(ZooscopeWarning):
    """A network that should be compiled can't be, and runs as it is."""


class UnknownComponentWarning(ZooscopeWarning):
    """Columns, values or classifiers of a table of components that are not known here."""


class DamagedAttackWarning(ZooscopeWarning):
    """Kept attacked images that are damaged: they are attacked again."""


class NotKeptWarning(ZooscopeWarning):
    """Attacked images that can't be kept, because the disk is full, for example: a later run attacks them again."""


class RoundedPixelsWarning(ZooscopeWarning):
    """Attacked images that were rounded to the 256 levels of a PNG: they are other images than those that were measured."""
