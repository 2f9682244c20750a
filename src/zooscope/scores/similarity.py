"""A similarity score as data: what it is, what it takes, and what it gives for all pairs of classifiers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from zooscope.statistics.bootstrap import Interval

LOGITS: Final = "logits"
ReadPart = Callable[[int], Mapping[str, Shaped[np.ndarray, "..."]]]
FEWEST: Final = 2  # units of which an interval can be made by resampling


class Resampling(StrEnum):
    """How intervals of a score are made."""

    SHARES = "Wilson's interval over images"
    IMAGES = "bootstrap over images"
    TRIPLETS = "bootstrap over triplets of images"
    HALVES = "half-samples of images without replacement"


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """What scores are computed from.

    Attributes:
        names: the classifiers, all of them measured on all images.
        labels: the true classes.
        clean: predicted classes of clean images.
        num_parts: how many parts there are of the arrays that the score takes besides clean predictions.
        read_part: those arrays of one part, by classifier; first axis images, or triplets of images. Only a part of triplets may
            lack classifiers. They are read when asked for, as they can be large.
        part_sizes: how many images (or triplets) each part has.
    """

    names: tuple[str, ...]
    labels: Int[np.ndarray, " image"]
    clean: Int[np.ndarray, "classifier image"]
    num_parts: int = 0
    read_part: ReadPart = lambda _: {}
    part_sizes: tuple[int, ...] = ()

    @property
    def right(self) -> Bool[np.ndarray, "classifier image"]:
        """Which clean images each classifier gets right."""
        return np.asarray(self.clean == self.labels)

    def read_parts(self) -> Iterator[Mapping[str, Shaped[np.ndarray, "..."]]]:
        """One part after the other."""
        return map(self.read_part, range(self.num_parts))

    def take(self, names: Sequence[str]) -> "Measured":
        """What was measured of some of the classifiers."""
        places = [self.names.index(name) for name in names]
        return replace(self, names=tuple(names), clean=self.clean[places])

    def take_images(self, positions: Int[np.ndarray, " image"]) -> "Measured":
        """What was measured on some of the images, in the order of the study; an image may be taken several times."""
        ordered = np.sort(positions)
        return replace(self._take_rows(ordered), labels=self.labels[ordered], clean=self.clean[:, ordered])

    def take_triplets(self, positions: Int[np.ndarray, " triplet"]) -> "Measured":
        """What was measured on some of the triplets, for a score that takes these; a triplet may be taken several times."""
        return self._take_rows(np.sort(positions))

    def _take_rows(self, ordered: Int[np.ndarray, " row"]) -> "Measured":
        """Some rows of the parts, without the parts of which none is taken."""
        ends = np.cumsum(self.part_sizes, dtype=np.int64)
        starts = ends - np.array(self.part_sizes, dtype=np.int64)
        rows = [ordered[(start <= ordered) & (ordered < end)] - start for start, end in zip(starts, ends, strict=True)]
        parts = [part for part, inside in enumerate(rows) if len(inside)]
        return replace(
            self,
            num_parts=len(parts),
            read_part=partial(_read_rows, self.read_part, parts, rows),
            part_sizes=tuple(len(rows[part]) for part in parts),
        )


def _read_rows(
    read_part: ReadPart, parts: Sequence[int], rows: Sequence[Int[np.ndarray, " _"]], place: int
) -> dict[str, Shaped[np.ndarray, "..."]]:
    """The rows that are taken of one of the parts of which some are."""
    part = parts[place]
    return {name: values[rows[part]] for name, values in read_part(part).items()}


class Pairs(NamedTuple):
    """A score of all pairs.

    Attributes:
        score: NaN where it is undefined.
        low: lower ends of the intervals; NaN where there is none.
        high: upper ends.
        counted: how many images (or triplets) it is computed from.
        reason: why there is no score or no interval; empty where there are both.
    """

    score: Float[np.ndarray, "a b"]
    low: Float[np.ndarray, "a b"]
    high: Float[np.ndarray, "a b"]
    counted: Int[np.ndarray, "a b"]
    reason: Shaped[np.ndarray, "a b"]


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """A score of all pairs of classifiers, described as data; `zooscope.scores.registry` has all.

    Attributes:
        name: what `Snapshot.similarity` takes.
        title: what it is, in a few words.
        lowest: lower end of its range.
        highest: upper end of its range.
        is_symmetric: whether both orders of a pair have the same score.
        larger_is_more_similar: its direction.
        with_itself: the score of a classifier with itself, where it is defined; None where it depends on the classifier.
        passes_per_image: cost per classifier and image besides clean predictions, in forward passes; a backward pass counts as two.
        passes: cost per classifier that doesn't depend on the number of images, with the default settings.
        resampling: how its intervals are made.
        reference: the publication.
        kind: of the arrays in the record that it takes besides clean predictions; empty where it takes none.
        also: the measurement that makes them, as `zooscope measure --also` takes it; empty where every study has them.
        compute: gives the score of all pairs from what was measured; without intervals where the confidence is None.
    """

    name: str
    title: str
    lowest: float
    highest: float
    is_symmetric: bool
    larger_is_more_similar: bool
    with_itself: float | None
    passes_per_image: int = 0
    passes: int = 0
    resampling: Resampling
    reference: str
    kind: str = ""
    also: str = ""
    compute: Callable[[Measured, float | None], Pairs]

    def count_passes(self, num_images: int) -> int:
        """Cost per classifier in forward passes, besides the clean predictions that every study has."""
        return self.passes + self.passes_per_image * num_images


def make_pairs(
    score: Float[np.ndarray, "a b"],
    interval: Interval | None,
    count: Int[np.ndarray, "a b"],
    *,
    undefined: str | Shaped[np.ndarray, "a b"],
    fewest: int = FEWEST,
) -> Pairs:
    """The score of all pairs, with a reason wherever it, or its interval, is missing.

    Args:
        score: NaN where it is undefined.
        interval: None where no intervals were asked for.
        count: how many images (or triplets) each is computed from.
        undefined: why scores are NaN, in one text or in one for each pair.
        fewest: how many images (or triplets) an interval takes at least.
    """
    reason = np.where(np.isnan(score), undefined, "").astype(object)
    low, high = np.full((2, *score.shape), np.nan)
    if interval is not None:
        known = ~np.isnan(score) & (count >= fewest)
        low[known], high[known] = interval.low[known], interval.high[known]
        reason[(reason == "") & np.isnan(low)] = f"too few for an interval, which takes at least {fewest}"
    return Pairs(score, low, high, count, reason)
