"""Which images a score counts, and which of them were fooled, from predictions."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Int8

from zooscope.records.predictions import Predictions

PERCENT: Final = 100.0
PAIRS_AT_ONCE: Final = 512
_FOOLED: Final = 1
_NOT_COUNTED: Final = -1
_NO_ROW: Final = -1


class Cells(NamedTuple):
    """Some cells (source, target) of a study, image by image.

    Attributes:
        fooled: counted images that the target gets wrong.
        counted: measured images that source and target classify correctly when clean.
    """

    fooled: Bool[np.ndarray, "cell image"]
    counted: Bool[np.ndarray, "cell image"]


class PairCells(NamedTuple):
    """Some pairs of a study, image by image, both directions together.

    Attributes:
        fooled: in how many directions each counted image was fooled, 0 to 2.
        counted: 2 for images that are measured both ways, else 0.
    """

    fooled: Int8[np.ndarray, "pair image"]
    counted: Int8[np.ndarray, "pair image"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcomes:
    """The outcome of every image for every source and target; stored as predictions, read a few cells at a time.

    Attributes:
        names: the classifiers, in the order of the second axis.
        attacked: places among them of those on the first axis; of the others nothing is measured.
        predicted: the target's prediction for the attacked image; negative where the image is not counted.
        labels: the true classes.
    """

    names: tuple[str, ...]
    attacked: Int[np.ndarray, " source"]
    predicted: Int[np.ndarray, "source target image"]
    labels: Int[np.ndarray, " image"]

    @classmethod
    def from_flags(
        cls,
        names: tuple[str, ...],
        *,
        counted: Bool[np.ndarray, "source target image"],
        fooled: Bool[np.ndarray, "source target image"],
    ) -> "Outcomes":
        """Outcomes from flags only: whether each image was counted, and fooled."""
        predicted = np.where(counted, fooled * np.int8(_FOOLED), np.int8(_NOT_COUNTED)).astype(np.int8)
        attacked = np.arange(len(names))
        return cls(names=names, attacked=attacked, predicted=predicted, labels=np.zeros(predicted.shape[-1], dtype=np.int64))

    def take_cells(self, sources: Int[np.ndarray, " cell"], targets: Int[np.ndarray, " cell"]) -> Cells:
        """What was counted and fooled in some cells, given by their positions."""
        predicted = self._take(sources, targets)
        counted = predicted >= 0
        return Cells(counted & (predicted != self._narrow_labels), counted)

    def take_pairs(self, a: Int[np.ndarray, " pair"], b: Int[np.ndarray, " pair"]) -> PairCells:
        """What SAT counts for some pairs, given by their positions; a classifier with itself is counted twice."""
        forth, back = self.take_cells(a, b), self.take_cells(b, a)
        counted = forth.counted & back.counted
        fooled = np.where(counted, forth.fooled.astype(np.int8) + back.fooled, 0).astype(np.int8)
        return PairCells(fooled, 2 * counted.astype(np.int8))

    def iterate_sources(self) -> Iterator[tuple[int, Cells]]:
        """The cells of one attacked classifier after the other, with its place."""
        targets = np.arange(len(self.names))
        for source in self.attacked:
            yield int(source), self.take_cells(np.full(len(targets), source), targets)

    @cached_property
    def num_counted(self) -> Int[np.ndarray, "source target"]:
        """How many images are counted."""
        return self._sums[0]

    @cached_property
    def num_fooled(self) -> Int[np.ndarray, "source target"]:
        """How many of them are fooled."""
        return self._sums[1]

    @property
    def percent(self) -> Float[np.ndarray, "source target"]:
        """Fooled images per hundred counted ones; NaN where none is counted."""
        return find_percent(self.num_fooled, self.num_counted)

    def take_classifiers(self, places: Int[np.ndarray, " classifier"]) -> "Outcomes":
        """The outcomes among some of the classifiers."""
        rows = self._rows[places]
        attacked = np.flatnonzero(rows != _NO_ROW)
        return replace(
            self,
            names=tuple(self.names[place] for place in places),
            attacked=attacked,
            predicted=self.predicted[np.ix_(rows[attacked], places)],
        )

    def take_images(self, positions: Int[np.ndarray, " image"]) -> "Outcomes":
        """The outcomes on some of the images."""
        return replace(self, predicted=self.predicted[..., positions], labels=self.labels[positions])

    def _take(self, sources: Int[np.ndarray, " cell"], targets: Int[np.ndarray, " cell"]) -> Int[np.ndarray, "cell image"]:
        """The predictions of some cells; not counted where the source is not attacked."""
        rows = self._rows[sources]
        is_known = rows != _NO_ROW
        if is_known.all():
            return np.asarray(self.predicted[rows, targets])
        predicted = np.full((len(rows), len(self.labels)), _NOT_COUNTED, dtype=self.predicted.dtype)
        predicted[is_known] = self.predicted[rows[is_known], targets[is_known]]
        return predicted

    @cached_property
    def _rows(self) -> Int[np.ndarray, " classifier"]:
        """The row of each classifier."""
        rows = np.full(len(self.names), _NO_ROW)
        rows[self.attacked] = np.arange(len(self.attacked))
        return rows

    @cached_property
    def _narrow_labels(self) -> Int[np.ndarray, " image"]:
        """Labels in the dtype of the predictions, so that comparing them makes no wider copies."""
        return self.labels.astype(self.predicted.dtype)

    @cached_property
    def _sums(self) -> tuple[Int[np.ndarray, "source target"], Int[np.ndarray, "source target"]]:
        counted, fooled = np.zeros((2, len(self.names), len(self.names)), dtype=np.int64)
        for source, cells in self.iterate_sources():
            counted[source], fooled[source] = cells.counted.sum(-1), cells.fooled.sum(-1)
        return counted, fooled


class SameMistakes(Outcomes):
    """Outcomes in which an image counts as fooled only if target and source take it for the same wrong class.

    Images whose prediction by the source itself is not known don't count.
    """

    def take_cells(self, sources: Int[np.ndarray, " cell"], targets: Int[np.ndarray, " cell"]) -> Cells:
        """What was counted in some cells, given by their positions, and where the target makes the source's own mistake."""
        fooled, counted = super().take_cells(sources, targets)
        own = self._take(sources, sources)
        counted = counted & (own >= 0)
        return Cells(fooled & counted & (self._take(sources, targets) == own), counted)


def find_outcomes(predictions: Predictions) -> Outcomes:
    """Outcomes on attacked images."""
    return Outcomes(
        names=predictions.names,
        attacked=predictions.source_places,
        predicted=predictions.transfer,
        labels=predictions.labels,
    )


def find_same_mistakes(predictions: Predictions) -> SameMistakes:
    """Where attacked images fool the target into the class that the source takes them for."""
    return SameMistakes(
        names=predictions.names,
        attacked=predictions.source_places,
        predicted=predictions.transfer,
        labels=predictions.labels,
    )


def measure_control(predictions: Predictions) -> Float[np.ndarray, "source target"]:
    """Percent of counted images that the target gets wrong without an attack, preprocessed for the source; NaN if unknown."""
    size = len(predictions.names)
    wrong, counted = np.zeros((2, size, size), dtype=np.int64)
    for source, row in zip(predictions.source_places.tolist(), predictions.transfer, strict=True):
        for target, said in enumerate(row):
            control = predictions.control(source, target)
            known = (said >= 0) & (control >= 0)
            counted[source, target] = known.sum()
            wrong[source, target] = (known & (control != predictions.labels)).sum()
    return find_percent(wrong, counted)


def find_percent(fooled: Int[np.ndarray, "*cells"], counted: Int[np.ndarray, "*cells"]) -> Float[np.ndarray, "*cells"]:
    """100 * fooled / counted; NaN where nothing is counted.

    Example:
        >>> find_percent(np.array([1, 0]), np.array([4, 0]))
        array([25., nan])
    """
    return np.asarray(np.divide(PERCENT * fooled, counted, out=np.full(np.shape(counted), np.nan), where=counted > 0))


def count_pairs(outcomes: Outcomes) -> PairCells:
    """What SAT counts for every pair (upper triangle, row by row, without the diagonal), per image."""
    return outcomes.take_pairs(*np.triu_indices(len(outcomes.names), 1))
