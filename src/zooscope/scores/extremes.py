"""The most and the least similar pair, and whether the choice of images can tell them from others."""

from typing import Final, NamedTuple

import numpy as np
import xarray as xr

UNKNOWN: Final = -1


class Extremes(NamedTuple):
    """Both ends of the scores.

    Attributes:
        nearest: the two classifiers with the highest score.
        farthest: those with the lowest.
        num_pairs: how many pairs have a score.
        num_as_near: how many other pairs' intervals overlap with the nearest pair's; -1 if there are no intervals.
        num_as_far: how many other pairs' intervals overlap with the farthest pair's; -1 if there are no intervals.
        are_separable: whether the intervals of the nearest and the farthest pair are apart; True if there are no intervals.
    """

    nearest: tuple[str, str]
    farthest: tuple[str, str]
    num_pairs: int
    num_as_near: int
    num_as_far: int
    are_separable: bool


def find_extremes(sat: xr.DataArray) -> Extremes | None:
    """The most and the least similar of at least two pairs with a score.

    Intervals that overlap don't prove that scores are equal; but images that leave them overlapping don't show an order, either.

    Example:
        >>> pairs = ("a", "b")
        >>> score = np.array([[4.6, 3.0, 2.0], [3.0, 4.6, 2.5], [2.0, 2.5, 4.6]])
        >>> ends = {"low": (pairs, score - 0.3), "high": (pairs, score + 0.3)}
        >>> find_extremes(xr.DataArray(score, dims=pairs, coords={"a": list("xyz"), "b": list("xyz")} | ends))
        Extremes(nearest=('x', 'y'), farthest=('x', 'z'), num_pairs=3, num_as_near=1, num_as_far=1, are_separable=True)

    Args:
        sat: as of `make_sat_matrix`; without the coordinates `low` and `high`, or with NaN there, nothing is said of intervals.

    Returns:
        None if fewer than two pairs have a score.
    """
    names, score = [str(name) for name in sat["a"].to_numpy()], sat.to_numpy()
    rows, columns = np.triu_indices(len(names), 1)
    known = ~np.isnan(score[rows, columns])
    rows, columns = rows[known], columns[known]
    if len(rows) < 2:  # noqa: PLR2004  (one pair is neither near nor far)
        return None
    values = score[rows, columns]
    near, far = int(values.argmax()), len(values) - 1 - int(values[::-1].argmin())
    as_near, as_far, apart = UNKNOWN, UNKNOWN, True
    if "low" in sat.coords:
        low, high = sat["low"].to_numpy()[rows, columns], sat["high"].to_numpy()[rows, columns]
        if not np.isnan([low[near], high[far]]).any():
            as_near, as_far = int((high >= low[near]).sum()) - 1, int((low <= high[far]).sum()) - 1
            apart = bool(low[near] > high[far])
    return Extremes(
        nearest=(names[rows[near]], names[columns[near]]),
        farthest=(names[rows[far]], names[columns[far]]),
        num_pairs=len(values),
        num_as_near=as_near,
        num_as_far=as_far,
        are_separable=apart,
    )


def describe_extremes(extremes: Extremes, *, num_images: int, confidence: float) -> str:
    """Which pairs these images don't tell apart, in one or two sentences; empty if both ends stand alone, or without intervals.

    Example:
        >>> alike = Extremes(("x", "y"), ("x", "z"), num_pairs=3, num_as_near=2, num_as_far=2, are_separable=False)
        >>> describe_extremes(alike, num_images=20, confidence=0.95)
        'The nearest and the farthest pair are not told apart on these 20 images: their 95 % intervals overlap.'

    Args:
        extremes: of the study.
        num_images: in the study.
        confidence: of the intervals.
    """
    if extremes.num_as_near < 0:
        return ""
    where = f"on these {num_images} images"
    if not extremes.are_separable:
        return f"The nearest and the farthest pair are not told apart {where}: their {100 * confidence:g} % intervals overlap."
    counts = (("nearest", extremes.num_as_near), ("farthest", extremes.num_as_far))
    others = [(count, f"from the {which}") for which, count in counts if count]
    if not others:
        return ""
    (count, end), *more = others
    also = "".join(f" and {number} {other}" for number, other in more)
    return (
        f"Of the {extremes.num_pairs - 1} other pairs, {count} can't be told apart {end}{also} {where}: "
        f"their {100 * confidence:g} % intervals overlap."
    )
