"""When a run has measured enough: looks after every shard at what is measured so far, and stops when a rule says so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol, runtime_checkable

import numpy as np

from zooscope.attacks import build_attack
from zooscope.errors import InvalidValueError, StudyError
from zooscope.records.predictions import NOT_MEASURED
from zooscope.records.reading import read_predictions
from zooscope.records.records import Records
from zooscope.scores.anytime import bound_percent_anytime, find_certain_nearest
from zooscope.scores.outcomes import PERCENT, Outcomes, find_outcomes
from zooscope.statistics.anytime import count_runs_deviation
from zooscope.statistics.bootstrap import require_confidence
from zooscope.study.snapshot import Snapshot
from zooscope.words import format_count, list_few

FEWEST_CLASSIFIERS: Final = 2
FEWEST_RUNS: Final = -4.0  # standard deviations: one of 30,000 random orders has fewer runs of equal labels
GRADIENT_PASSES: Final = 3  # forward, and back, which counts as two
MOST_NAMED: Final = 3


class Look(NamedTuple):
    """What a rule sees.

    Attributes:
        is_reached: whether this is enough.
        says: how far it is, in a sentence without its full stop.
    """

    is_reached: bool
    says: str


@runtime_checkable
class Until(Protocol):
    """Says when a run may stop. It is asked after every shard, so it should use intervals that allow that."""

    def look(self, outcomes: Outcomes, shards: Sequence[range]) -> Look:
        """Whether the images so far are enough.

        Args:
            outcomes: of the attacked classifiers on all images so far.
            shards: positions of the images of each shard so far.
        """


@dataclass(frozen=True, kw_only=True)
class UntilWidth:
    """Until the widest interval of any pair's percentage (of which SAT is the logarithm) is narrow enough.

    The intervals hold the truth whenever one looks, each with at least this confidence; see `bound_percent_anytime`.

    Attributes:
        points: the width, in percentage points, in (0, 100).
        confidence: of each interval.

    Raises:
        InvalidValueError: one of them is out of range.

    Example:
        >>> fooled = np.random.default_rng(0).random((2, 2, 200)) < 0.3
        >>> outcomes = Outcomes.from_flags(("a", "b"), counted=np.ones_like(fooled), fooled=fooled)
        >>> UntilWidth(points=20).look(outcomes, [range(100), range(100, 200)])
        Look(is_reached=True, says='the interval of a and b is 13.0 percentage points wide')
    """

    points: float
    confidence: float = 0.95

    def __post_init__(self) -> None:
        """Refuses what is out of range."""
        require_confidence(self.confidence)
        if not 0 < self.points < PERCENT:
            msg = f"UntilWidth.points must be above 0 and below 100 (percentage points): got {self.points:g}."
            raise InvalidValueError(msg)

    def look(self, outcomes: Outcomes, shards: Sequence[range]) -> Look:
        """See `Until.look`."""
        interval = bound_percent_anytime(outcomes, shards, points=self.points, confidence=self.confidence)
        rows, columns = np.triu_indices(len(outcomes.names), 1)
        widths = (interval.high - interval.low)[rows, columns]
        widest = int(np.argmax(widths))
        a, b = outcomes.names[rows[widest]], outcomes.names[columns[widest]]
        of = "the interval" if len(widths) == 1 else f"the widest of {len(widths)} intervals, that"
        says = f"{of} of {a} and {b}{',' if len(widths) > 1 else ''} is {widths[widest]:.1f} percentage points wide"
        return Look(bool(widths[widest] <= self.points), says)


@dataclass(frozen=True, kw_only=True)
class UntilOrder:
    """Until every classifier's nearest neighbour is certain; see `find_certain_nearest`.

    Attributes:
        confidence: that all of them are right.

    Raises:
        InvalidValueError: it is out of range.

    Example:
        >>> rate = np.array([[1, 0.8, 0.2], [0.8, 1, 0.5], [0.2, 0.5, 1]])
        >>> fooled = np.random.default_rng(0).random((3, 3, 300)) < rate[..., None]
        >>> outcomes = Outcomes.from_flags(("a", "b", "c"), counted=np.ones_like(fooled), fooled=fooled)
        >>> UntilOrder().look(outcomes, [range(50)])
        Look(is_reached=False, says='the nearest neighbour of 2 of 3 classifiers is certain, not that of c')
    """

    confidence: float = 0.95

    def __post_init__(self) -> None:
        """Refuses what is out of range."""
        require_confidence(self.confidence)

    def look(self, outcomes: Outcomes, shards: Sequence[range]) -> Look:
        """See `Until.look`."""
        certain = find_certain_nearest(outcomes, shards, confidence=self.confidence)
        others = [name for name, is_certain in zip(outcomes.names, certain, strict=True) if not is_certain]
        if not others:
            return Look(is_reached=True, says=f"the nearest neighbours of all {len(certain)} classifiers are certain")
        says = f"the nearest neighbour of {len(certain) - len(others)} of {format_count(len(certain), 'classifier')} is certain"
        return Look(is_reached=False, says=f"{says}, not that of {list_few(others, MOST_NAMED)}")


def watch_records(records: Records, until: Until, sources: Sequence[str]) -> Callable[[int], bool]:
    """A function that says whether the first so many shards, which are measured completely, are enough.

    Args:
        records: of the study.
        until: the rule.
        sources: the attacked classifiers, among which pairs have a score.

    Raises:
        StudyError: fewer than two classifiers are attacked, or the images come sorted by class: the first ones are not like all.
    """
    if len(sources) < FEWEST_CLASSIFIERS:
        attacked = format_count(len(sources), "attacked classifier")
        msg = f"whether images are enough can't be told of {attacked}, which make no pair: add some, or measure all."
        raise StudyError(msg)
    if count_runs_deviation(np.asarray(records.labels)) < FEWEST_RUNS:
        msg = (
            "whether images are enough can't be told before the last, because they come sorted by class; make the study of a "
            "sample, whose first images are like all of them (images.sample(len(images))), or measure all."
        )
        raise StudyError(msg)

    def is_enough(num_shards: int) -> bool:
        shards = records.shards[:num_shards]
        return until.look(_take_outcomes(find_outcomes(read_predictions(records)), sources, shards), shards).is_reached

    return is_enough


def _take_outcomes(outcomes: Outcomes, sources: Sequence[str], shards: Sequence[range]) -> Outcomes:
    places = np.array([place for place, name in enumerate(outcomes.names) if name in sources], dtype=np.int64)
    return outcomes.take_classifiers(places).take_images(np.arange(shards[-1].stop))


class Stop(NamedTuple):
    """Where a run stopped.

    Attributes:
        look: what the rule sees there.
        num_images: in the first shards, those that are measured completely.
        saved: share of all passes through networks that were not needed, in percent.
    """

    look: Look
    num_images: int
    saved: float


def require_whole(part: str | None, until: Until | None) -> None:
    """Refuses a rule for a part of a study.

    Raises:
        InvalidValueError: both are given.
    """
    if part is not None and until is not None:
        msg = "a part of a study can't tell whether its images are enough: leave out part or until."
        raise InvalidValueError(msg)


def describe_stop(study: Snapshot, until: Until) -> Stop:
    """Where a run until something has stopped.

    Raises:
        StudyError: no shard is measured completely.
    """
    is_measured = np.ones(study.num_images, dtype=np.bool_)
    for name in study.sources:
        is_measured &= (study.predictions.take_source(name) != NOT_MEASURED).all(axis=0)
    size = study.definition.shard_size
    shards = []
    for start in range(0, study.num_images, size):
        shard = range(start, min(start + size, study.num_images))
        if not is_measured[shard.start : shard.stop].all():
            break
        shards.append(shard)
    if not shards:
        msg = f"no shard of {study.place} is measured completely; run it again."
        raise StudyError(msg)
    look = until.look(_take_outcomes(study.outcomes, study.sources, shards), shards)
    return Stop(look, shards[-1].stop, _count_saved(study))


def _count_saved(study: Snapshot) -> float:
    """Percent of passes, a gradient as three; of attacked images where the attack doesn't say what it costs."""
    right = study.predictions.clean == study.labels
    attacked = right[[study.names.index(name) for name in study.sources]]
    is_measured = np.array([(study.predictions.take_source(name) != NOT_MEASURED).any(axis=0) for name in study.sources])
    cost = _find_cost(study)
    per_image = right.sum(axis=0).astype(np.float64) if cost else np.zeros(study.num_images)
    passes = attacked * ((cost or 1) + per_image)
    clean = right.size if cost else 0
    return float(PERCENT * passes[~is_measured].sum() / (passes.sum() + clean))


def _find_cost(study: Snapshot) -> int | None:
    try:
        cost = build_attack(study.definition.attack).cost
    except StudyError:
        return None
    return None if cost is None else GRADIENT_PASSES * cost.gradients + cost.forwards
