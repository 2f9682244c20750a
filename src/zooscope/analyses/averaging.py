"""Which images the average of several classifiers gets right, for thousands of ensembles at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float16, Int
from scipy.special import softmax

from zooscope.errors import InvalidValueError, UnknownNameError

Average = Literal["logits", "probabilities"]
AVERAGES: Final[tuple[Average, ...]] = ("logits", "probabilities")
IMAGES_AT_ONCE: Final = 8
SUMS_AT_ONCE: Final = 200_000
NUM_CANDIDATES: Final = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class CleanLogits:
    """What classifiers say of the same clean images.

    Attributes:
        names: the classifiers.
        values: the logits of each.
        labels: the true classes.
    """

    names: tuple[str, ...]
    values: tuple[Float16[np.ndarray, "_image _cls"], ...]
    labels: Int[np.ndarray, " image"]

    def __post_init__(self) -> None:
        """Refuses logits that don't fit each other."""
        shapes = {values.shape for values in self.values}
        if len(self.names) != len(self.values) or len(shapes) > 1 or any(len(self.labels) != shape[0] for shape in shapes):
            msg = (
                f"{len(self.names)} classifiers and {len(self.labels)} labels need as many logits of one shape (image, class): "
                f"got {len(self.values)} of shapes {sorted(shapes)}."
            )
            raise InvalidValueError(msg)

    def take_images(self, images: Int[np.ndarray, " chosen"]) -> "CleanLogits":
        """The same classifiers on some of the images."""
        return CleanLogits(names=self.names, values=tuple(values[images] for values in self.values), labels=self.labels[images])

    def take_classifiers(self, names: tuple[str, ...]) -> "CleanLogits":
        """The logits of some of the classifiers.

        Raises:
            UnknownNameError: there is no classifier of such a name.
        """
        by_name = dict(zip(self.names, self.values, strict=True))
        for name in names:
            if name not in by_name:
                kind, advice = "classifier", f"There are {len(by_name)}: {', '.join(self.names[:5])}, ..."
                raise UnknownNameError(kind, name, by_name, advice)
        return CleanLogits(names=names, values=tuple(by_name[name] for name in names), labels=self.labels)

    @cached_property
    def right(self) -> Bool[np.ndarray, "classifier image"]:
        """Which images each classifier gets right, by its stored logits (float16; of equal logits, the first)."""
        return np.array([values.astype(np.float32).argmax(1) == self.labels for values in self.values]).reshape(len(self.names), -1)


class Metrics(NamedTuple):
    """Errors of ensembles; shares in [0, 1].

    Attributes:
        error: top-1 error.
        err: error reduction rate, 1 - error / mean error of the members; NaN where no member errs.
        all_wrong: share of images that every member gets wrong.
    """

    error: Float[np.ndarray, " ensemble"]
    err: Float[np.ndarray, " ensemble"]
    all_wrong: Float[np.ndarray, " ensemble"]


def measure_metrics(
    logits: CleanLogits, ensembles: Sequence[Int[np.ndarray, "_ensemble _member"]], *, average: Average = "logits"
) -> tuple[Metrics, ...]:
    """Error, error reduction rate and share of images that all get wrong, of every ensemble.

    Source: Hwang et al., ECCV 2024, Section 5.1: ERR = 1 - Err_ens(M) / (1/|M| sum of Err(m)).

    Args:
        logits: of all classifiers.
        ensembles: positions of classifiers, a row per ensemble; one array for every number of members.
        average: of logits as in the paper, or of probabilities (softmax of the logits).

    Returns:
        The metrics of every array.
    """
    right = find_right_ensembles(logits, ensembles, average=average)
    return tuple(compute_metrics(logits, members, each) for members, each in zip(ensembles, right, strict=True))


def compute_metrics(
    logits: CleanLogits, members: Int[np.ndarray, "ensemble member"], right: Bool[np.ndarray, "ensemble image"]
) -> Metrics:
    """The metrics of ensembles of which it is known which images they get right."""
    wrong = ~logits.right
    error, mean_error = 1 - right.mean(1), wrong.mean(1)[members].mean(1)
    remaining = np.divide(error, mean_error, out=np.full(len(error), np.nan), where=mean_error > 0)
    every = wrong[members[:, 0]]
    for column in range(1, members.shape[1]):
        every &= wrong[members[:, column]]
    return Metrics(error, 1 - remaining, every.mean(1))


def find_right_ensembles(
    logits: CleanLogits, ensembles: Sequence[Int[np.ndarray, "_ensemble _member"]], *, average: Average = "logits"
) -> tuple[Bool[np.ndarray, "_ensemble image"], ...]:
    """Which images each ensemble gets right: the largest class of the average (of equal ones, the first) is the true one.

    Exact, but skips most sums. Where all members predict the same class, their average predicts it, too. Otherwise, only classes
    that some classifier ranks at least as high as the true one can win. If these are many, a few candidates (those closest to some
    classifier's largest value) are summed first: if one of them beats the true class, the ensemble is wrong. If the true class
    wins, its sum is compared with an upper bound for all other classes, the sum of each member's largest value outside the
    candidates. All classes are summed only if that bound is not enough. Sums are float64, in which a sum of float16 values is
    exact, so their order doesn't matter.

    Args:
        logits: of all classifiers.
        ensembles: positions of classifiers, a row per ensemble; one array for every number of members.
        average: of logits, or of probabilities.

    Returns:
        One array for every array of ensembles.

    Raises:
        InvalidValueError: an ensemble has no member, or there is no such average.
    """
    if any(members.shape[1] == 0 for members in ensembles):
        msg = "an ensemble needs at least one member."
        raise InvalidValueError(msg)
    if average not in AVERAGES:
        msg = f"average must be one of {', '.join(AVERAGES)}: got {average!r}."
        raise InvalidValueError(msg)
    results = tuple(np.empty((len(logits.labels), len(members)), dtype=bool) for members in ensembles)
    for place, values in enumerate(_iterate_images(logits, average)):
        image = _Image(values, int(logits.labels[place]))
        for members, result in zip(ensembles, results, strict=True):
            result[place] = image.find_right(members)
    return tuple(np.ascontiguousarray(result.T) for result in results)


def _iterate_images(logits: CleanLogits, average: Average) -> Iterator[Float[np.ndarray, "classifier cls"]]:
    """The values to average, image by image, each valid until the next: logits as float32 (exact), probabilities as float64."""
    shape = len(logits.values), logits.values[0].shape[1]
    kept, values = np.empty((IMAGES_AT_ONCE, *shape), dtype=np.float16), np.empty(shape, dtype=np.float32)
    for start in range(0, len(logits.labels), IMAGES_AT_ONCE):
        num_images = min(IMAGES_AT_ONCE, len(logits.labels) - start)
        np.stack([part[start : start + num_images] for part in logits.values], axis=1, out=kept[:num_images])
        for image in kept[:num_images]:
            np.copyto(values, image)
            yield values if average == "logits" else softmax(values.astype(np.float64), axis=1)


class _Candidates(NamedTuple):
    """The classes of an image that can win.

    Attributes:
        values: of each classifier for these classes, float64.
        label: the index of the true class among them.
        largest_other: each classifier's largest value over the other classes that any classifier ranks above the true one; None if
            there are no others.
    """

    values: Float[np.ndarray, "classifier candidate"]
    label: int
    largest_other: Float[np.ndarray, " classifier"] | None


class _Image:
    """The values of all classifiers for one image."""

    def __init__(self, values: Float[np.ndarray, "classifier cls"], label: int) -> None:
        self._values, self._label, self._said = values, label, values.argmax(1)

    def find_right(self, members: Int[np.ndarray, "ensemble member"]) -> Bool[np.ndarray, " ensemble"]:
        """Whether each ensemble classifies it correctly."""
        said = self._said[members]
        result: Bool[np.ndarray, " ensemble"] = said[:, 0] == self._label
        differing = np.flatnonzero((said != said[:, :1]).any(1))
        if len(differing) == 0:
            return result
        values, label, largest_other = self._candidates
        result[differing] = _wins(values, members[differing], label)
        if largest_other is not None:
            likely = differing[result[differing]]
            reached, possible = _add_up(values[:, label], members[likely]), _add_up(largest_other, members[likely])
            unsure = likely[reached <= possible]
            if len(unsure) > 0:
                result[unsure] = _wins(self._exact, members[unsure], self._label)
        return result

    @cached_property
    def _exact(self) -> Float[np.ndarray, "classifier cls"]:
        return self._values.astype(np.float64)

    @cached_property
    def _candidates(self) -> _Candidates:
        rivals = (self._values >= self._values[:, [self._label]]).any(0)
        chosen = np.flatnonzero(rivals)
        largest_other = None
        if len(chosen) > NUM_CANDIDATES:
            nearness = (self._values[:, chosen] - self._values.max(1, keepdims=True)).max(0)
            nearness[np.searchsorted(chosen, self._label)] = np.inf
            kept = np.zeros(len(chosen), dtype=bool)
            kept[np.argpartition(nearness, -NUM_CANDIDATES)[-NUM_CANDIDATES:]] = True
            largest_other = self._values[:, chosen[~kept]].max(1).astype(np.float64)
            chosen = chosen[kept]
        place = int(np.searchsorted(chosen, self._label))
        return _Candidates(self._values[:, chosen].astype(np.float64), place, largest_other)


def _wins(
    values: Float[np.ndarray, "classifier cls"], members: Int[np.ndarray, "ensemble member"], label: int
) -> Bool[np.ndarray, " ensemble"]:
    """Whether a class has the largest sum over the members (of equal sums, the first wins)."""
    result = np.empty(len(members), dtype=bool)
    at_once = max(1, SUMS_AT_ONCE // values.shape[1])
    for start in range(0, len(members), at_once):
        result[start : start + at_once] = _add_up(values, members[start : start + at_once]).argmax(1) == label
    return result


def _add_up(values: Float[np.ndarray, "*values"], members: Int[np.ndarray, "ensemble member"]) -> Float[np.ndarray, "*sums"]:
    """Adds one member after the other: in a fixed order, rounding never puts a sum above a sum of larger values."""
    total: Float[np.ndarray, "*sums"] = values[members[:, 0]]
    for column in range(1, members.shape[1]):
        total += values[members[:, column]]
    return total
