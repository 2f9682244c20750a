"""Pairs of two classifiers and known seeds: what is tested of them, for `zooscope.analyses.kin`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Int8
from scipy.stats import norm, t

from zooscope.errors import StudyError
from zooscope.scores.outcomes import Outcomes
from zooscope.statistics.combinations import bound_combinations

CONFIDENCE: Final = 0.95


class Tested(NamedTuple):
    """Whether a value is above 0.

    Attributes:
        value: a share of images.
        p_images: one-sided, against other images.
        p_seeds: one-sided, against other seeds.
    """

    value: float
    p_images: float
    p_seeds: float

    @property
    def p_value(self) -> float:
        """Against both: the larger one."""
        return max(self.p_images, self.p_seeds)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """All pairs of A, B and the seeds, in this order: the first is A with B.

    Attributes:
        size: how many classifiers.
        rows: the first of each pair, as a position among these.
        columns: the second.
        fooled: in how many directions each image counts as fooled.
        counted: 2 where an image counts.
        shares: of the counted images that are fooled.
    """

    size: int
    rows: Int[np.ndarray, " pair"]
    columns: Int[np.ndarray, " pair"]
    fooled: Int8[np.ndarray, "pair image"]
    counted: Int8[np.ndarray, "pair image"]
    shares: Float[np.ndarray, " pair"]

    @classmethod
    def of(cls, outcomes: Outcomes, members: Sequence[str]) -> "Pairs":
        """The pairs of some classifiers.

        Raises:
            StudyError: one has no score.
        """
        places = np.array([outcomes.names.index(name) for name in members])
        rows, columns = np.triu_indices(len(members), 1)
        cells = outcomes.take_pairs(places[rows], places[columns])
        counts = cells.counted.sum(1, dtype=np.int64)
        if not counts.all():
            empty = int(np.argmin(counts))
            msg = (
                f"{members[rows[empty]]} and {members[columns[empty]]} have no score: no image that both classify correctly is "
                "measured both ways."
            )
            raise StudyError(msg)
        return cls(
            size=len(members),
            rows=rows,
            columns=columns,
            fooled=cells.fooled,
            counted=cells.counted,
            shares=cells.fooled.sum(1, dtype=np.int64) / counts,
        )

    @property
    def step(self) -> float:
        """Shares are multiples of about this; what scatters less is taken to scatter by a part of it, not to be equal for sure."""
        return 1 / float(self.counted.sum(1, dtype=np.int64).max())

    @property
    def design(self) -> Float[np.ndarray, "pair member"]:
        """1 for both members of a pair: a pair's likeness is the sum of their numbers."""
        members = np.arange(self.size)
        return np.asarray((members == self.rows[:, None]) | (members == self.columns[:, None]), dtype=np.float64)

    @property
    def square(self) -> Float[np.ndarray, "member member"]:
        """The shares as a matrix; 0 on the diagonal."""
        made = np.zeros((self.size, self.size))
        made[self.rows, self.columns] = made[self.columns, self.rows] = self.shares
        return made

    @property
    def are_nearest(self) -> bool:
        """Whether A is the most alike with B of A and the seeds, or B with A of B and the seeds."""
        square = self.square
        return bool(square[0, 1] > square[1, 2:].max() or square[0, 1] > square[0, 2:].max())

    @property
    def least_alike(self) -> float:
        """Mean share with the seeds, of A or B, whichever is less."""
        return float(self.square[:2, 2:].mean(1).min())

    @property
    def seeds_alike(self) -> float:
        """Mean share of pairs of seeds."""
        return float(self.shares[self.rows > 1].mean())

    def test_excess(self) -> Tested:
        """Of the first pair, over the sum of its two members' numbers, fitted to all other pairs."""
        first, rest = self.design[0], self.design[1:]
        fit = np.linalg.pinv(rest)
        weights = np.concatenate([[1.0], -(first @ fit)])
        residuals = self.shares[1:] - rest @ (fit @ self.shares[1:])
        degrees = len(rest) - self.size
        squares = max((residuals**2).sum(), self.step**2 / 16)  # with two seeds: both other sums differ by half a step
        return self._test(weights, float(np.sqrt(squares / degrees * (weights**2).sum())), degrees)

    def test_less_alike(self) -> float:
        """The p value of A or B, whichever is less alike with all others, being less alike than these are with each other."""
        means = self.design.T / (self.size - 1)
        p_values = []
        for member in (0, 1):
            others = np.delete(means, member, axis=0)
            mine = others @ self.shares
            scatter = max(mine.std(ddof=1), self.step / (self.size - 1)) * np.sqrt(1 + 1 / len(mine))
            p_values.append(self._test(others.mean(0) - means[member], float(scatter), len(mine) - 1).p_value)
        return min(1.0, 2 * min(p_values))

    def _test(self, weights: Float[np.ndarray, " pair"], scatter: float, degrees: int) -> Tested:
        """Whether a weighted sum of shares is above 0; the scatter is its standard error as other pairs tell it."""
        values, low = _bound_below(self.fooled, self.counted, weights[None])
        value = float(values[0])
        by_images = float(values[0] - low[0]) / float(norm.ppf((1 + CONFIDENCE) / 2))
        return Tested(
            value,
            p_images=float(norm.sf(value / by_images)) if by_images > 0 else 0.5,
            p_seeds=float(t.sf(value / scatter, degrees)),
        )


class Others(NamedTuple):
    """Classifiers of other architectures, by their likeness to the seeds.

    Attributes:
        names: all of them.
        as_near: those that are not significantly less alike with the seeds than A and B are.
        most_alike: the largest mean share with the seeds; NaN where there is none.
    """

    names: tuple[str, ...]
    as_near: tuple[str, ...]
    most_alike: float


def compare_others(outcomes: Outcomes, members: Sequence[str], others: Sequence[str], alpha: float) -> Others:
    """How much less alike others are with the seeds than A and B are."""
    if not others:
        return Others((), (), np.nan)
    places = [outcomes.names.index(name) for name in (*members, *others)]
    seeds, candidates = places[2 : len(members)], [*places[:2], *places[len(members) :]]
    pairs = [(one, seed) for one in candidates for seed in seeds]
    cells = outcomes.take_pairs(*(np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True)))
    means = np.repeat(np.eye(len(candidates)), len(seeds), axis=1) / len(seeds)
    weights = np.concatenate([*(means[member] - means[2:] for member in (0, 1)), means[2:]])
    found, low = _bound_below(cells.fooled, cells.counted, weights, 1 - 2 * alpha)
    is_less_alike = np.asarray((low[: 2 * len(others)].reshape(2, len(others)) > 0).all(0))  # NaN, without images, is not above 0
    near = tuple(name for name, told in zip(others, is_less_alike, strict=True) if not told)
    return Others(tuple(others), near, float(np.nan_to_num(found[2 * len(others) :]).max()))


def _bound_below(
    fooled: Int8[np.ndarray, "pair image"],
    counted: Int8[np.ndarray, "pair image"],
    weights: Float[np.ndarray, "sum pair"],
    confidence: float = CONFIDENCE,
) -> tuple[Float[np.ndarray, " sum"], Float[np.ndarray, " sum"]]:
    """Weighted sums of shares, and the lower ends of their intervals over images."""
    found = bound_combinations(fooled, counted, weights, confidence=confidence)
    return found.value, found.interval.low
