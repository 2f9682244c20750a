"""What the opening says of single pairs, and why pairs have no score."""

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Float, Int

from zooscope.report.facts import Facts


class Gap(IntEnum):
    """Why a pair has no score."""

    NONE = 0
    UNKNOWN = 1
    ONE_SIDED = 2
    NOT_MEASURED = 3
    NO_IMAGE = 4

    @property
    def reason(self) -> str:
        """In words; empty if there is a score."""
        return {
            Gap.NONE: "",
            Gap.UNKNOWN: "not known",
            Gap.ONE_SIDED: "not attacked both ways",
            Gap.NOT_MEASURED: "not measured yet",
            Gap.NO_IMAGE: "no image that both get right when clean",
        }[self]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two classifiers and their similarity.

    Attributes:
        a: the first.
        b: the second.
        score: SAT, natural log.
        low: lower end of the interval; NaN where unknown.
        high: upper end.
        percent: mean of both directions, without the log.
        count: images that both classify correctly when clean; None if not known.
    """

    a: str
    b: str
    score: float
    low: float
    high: float
    percent: float
    count: int | None


def find_gaps(facts: Facts) -> Int[np.ndarray, "a b"]:
    """Why each pair has no score, as values of `Gap`."""
    is_source = np.array([name in set(facts.sources) for name in facts.names], dtype=np.bool_)
    measured = facts.measured & facts.measured.T
    why = np.where(measured, Gap.NO_IMAGE, Gap.NOT_MEASURED)
    why = np.where(is_source[:, None] & is_source[None, :], why, Gap.ONE_SIDED)
    why = np.full_like(why, Gap.UNKNOWN) if facts.is_imported else why
    return np.asarray(np.where(np.isnan(facts.sat.to_numpy()), why, Gap.NONE))


def find_ends(facts: Facts) -> tuple[Pair | None, Pair | None]:
    """The most and the least similar pair of different classifiers; None for what is not known, or for the same pair again."""
    score = mask_diagonal(facts.sat.to_numpy())
    known = np.argwhere(np.triu(~np.isnan(score)))
    if not len(known):
        return None, None
    ranked = known[np.argsort(-score[known[:, 0], known[:, 1]], kind="stable")]
    return _describe(facts, *map(int, ranked[0])), _describe(facts, *map(int, ranked[-1])) if len(ranked) > 1 else None


def mask_diagonal(values: Float[np.ndarray, "a b"]) -> Float[np.ndarray, "a b"]:
    """A copy without its diagonal, which says something else than the rest."""
    result = values.astype(np.float64)
    np.fill_diagonal(result, math.nan)
    return result


def _describe(facts: Facts, row: int, column: int) -> Pair:
    low, high, percent, count = (facts.sat[key].to_numpy()[row, column] for key in ("low", "high", "percent", "count"))
    return Pair(
        a=facts.names[row],
        b=facts.names[column],
        score=float(facts.sat.to_numpy()[row, column]),
        low=float(low),
        high=float(high),
        percent=float(percent),
        count=None if facts.is_imported else int(count),
    )
