"""What is known about each pair of different classifiers."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float

from zooscope.report.facts import Facts
from zooscope.words import explain_control


class Share(NamedTuple):
    """A percentage with the ends of its interval; NaN where unknown."""

    percent: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two classifiers and their similarity.

    Attributes:
        a: one classifier.
        b: the other.
        score: SAT, natural log; NaN where unknown.
        low: lower end of the interval.
        high: upper end.
        percent: mean of both directions, without the log.
        a_to_b: percent of images on which the attack on `a` fools `b`.
        b_to_a: the other direction.
        normalized: SAT divided by the sources' own success, natural log; NaN where unknown.
        normalized_low: lower end of its interval.
        normalized_high: upper end.
        same_a_to_b: percent of images, attacked on `a`, that both take for the same wrong class, with its interval.
        same_b_to_a: the other direction.
        control_a_to_b: percent that `b` gets wrong without attack, on images preprocessed for `a`; None if both preprocess alike.
        control_b_to_a: the other direction.
        reason_a_to_b: what `a` preprocesses otherwise than `b`; empty if that is not known.
        reason_b_to_a: the other direction.
        count: images that both classify correctly when clean; None if not known.
        measured: whether both directions are measured on all images.
        is_two_sided: whether both classifiers are attacked.
    """

    a: str
    b: str
    score: float
    low: float
    high: float
    percent: float
    a_to_b: float
    b_to_a: float
    normalized: float
    normalized_low: float
    normalized_high: float
    same_a_to_b: Share
    same_b_to_a: Share
    control_a_to_b: float | None
    control_b_to_a: float | None
    reason_a_to_b: str
    reason_b_to_a: str
    count: int | None
    measured: bool
    is_two_sided: bool

    @property
    def is_known(self) -> bool:
        """Whether there is a score."""
        return not math.isnan(self.score)

    @property
    def reason(self) -> str:
        """Why there is no score, if there is none."""
        if self.is_known:
            return ""
        if self.count is None:
            return "not known"
        if not self.is_two_sided:
            return "not attacked both ways"
        return "no image that both get right when clean" if self.measured else "not measured yet"


def make_pair_grid(facts: Facts) -> tuple[tuple[Pair, ...], ...]:
    """All pairs (row, column) in the study's order, the diagonal included."""
    score, transfer = facts.sat.to_numpy(), facts.transfer.to_numpy()
    low, high, percent, count = (facts.sat[key].to_numpy() for key in ("low", "high", "percent", "count"))
    control = facts.transfer["control"].to_numpy()
    normalized, same = _take_ends(facts.normalized, score.shape), _take_ends(facts.same_mistake, score.shape)
    measured, sources = facts.measured & facts.measured.T, set(facts.sources)

    def pair(row: int, column: int) -> Pair:
        return Pair(
            a=facts.names[row],
            b=facts.names[column],
            score=float(score[row, column]),
            low=float(low[row, column]),
            high=float(high[row, column]),
            percent=float(percent[row, column]),
            a_to_b=float(transfer[row, column]),
            b_to_a=float(transfer[column, row]),
            normalized=float(normalized[0, row, column]),
            normalized_low=float(normalized[1, row, column]),
            normalized_high=float(normalized[2, row, column]),
            same_a_to_b=Share(*map(float, same[:, row, column])),
            same_b_to_a=Share(*map(float, same[:, column, row])),
            control_a_to_b=float(control[row, column]) if facts.other_pixels[row, column] else None,
            control_b_to_a=float(control[column, row]) if facts.other_pixels[column, row] else None,
            reason_a_to_b=explain_control(facts.transforms[row], facts.transforms[column]),
            reason_b_to_a=explain_control(facts.transforms[column], facts.transforms[row]),
            count=None if facts.is_imported else int(count[row, column]),
            measured=bool(measured[row, column]),
            is_two_sided={facts.names[row], facts.names[column]} <= sources,
        )

    everyone = range(len(facts.names))
    return tuple(tuple(pair(row, column) for column in everyone) for row in everyone)


def _take_ends(matrix: xr.DataArray | None, shape: tuple[int, ...]) -> Float[np.ndarray, "3 a b"]:
    """The values, the lower and the upper ends of a matrix; NaN if there is none."""
    return np.full((3, *shape), np.nan) if matrix is None else np.stack([matrix, matrix.low, matrix.high])


def rank_pairs(grid: tuple[tuple[Pair, ...], ...]) -> tuple[Pair, ...]:
    """Every pair of different classifiers once, the most alike first, those without a score last."""
    pairs = [pair for row, cells in enumerate(grid) for pair in cells[row + 1 :]]
    return tuple(sorted(pairs, key=lambda pair: -pair.score if pair.is_known else np.inf))
