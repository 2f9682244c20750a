"""Sets of classifiers that make a number smallest: all looked at where they are few, else grown and exchanged."""

from collections.abc import Callable
from itertools import combinations
from math import comb
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int

MOST_LOOKED_AT: Final = 20_000
MOST_EXCHANGES: Final = 50

Objective = Callable[[Int[np.ndarray, "set member"]], Float[np.ndarray, " set"]]


class Best(NamedTuple):
    """A set of members, ascending, and whether no other does better (all were looked at)."""

    members: tuple[int, ...]
    exact: bool


def find_smallest_set(objective: Objective, count: int, size: int, *, most: int = MOST_LOOKED_AT) -> Best:
    """The set of `size` out of `count` with the smallest objective.

    Where there are no more than `most` sets, all are looked at. Else a set is grown from every member as a start, by the member
    that makes the objective smallest, and the best of these is improved by exchanging one member for another, as long as that
    helps.

    Args:
        objective: a number for every row of members; NaN counts as larger than all.
        count: how many there are to choose from.
        size: how many are chosen, 1 to `count`.
        most: the most sets that are all looked at.
    """
    if comb(count, size) <= most:
        every = np.array(list(combinations(range(count), size)), dtype=np.intp)
        return Best(tuple(int(member) for member in every[_find_least(objective(every))]), exact=True)
    return grow_set(objective, count, size, starts=range(count))


def grow_set(objective: Objective, count: int, size: int, *, starts: range | list[int]) -> Best:
    """A set grown member by member from each start, the best of these improved by exchanges; no promise to be the smallest."""
    sets = np.array([_grow(objective, count, size, start) for start in starts], dtype=np.intp)
    values = objective(sets)
    members, value = sets[_find_least(values)], float(np.nan_to_num(values, nan=np.inf).min())
    for _ in range(MOST_EXCHANGES):
        outside = np.setdiff1d(np.arange(count), members)
        exchanged = np.array(
            [[*np.delete(members, place), other] for place in range(size) for other in outside], dtype=np.intp
        ).reshape(-1, size)
        if len(exchanged) == 0:
            break
        values = objective(exchanged)
        best = _find_least(values)
        if not values[best] < value:
            break
        members, value = exchanged[best], float(values[best])
    return Best(tuple(sorted(int(member) for member in members)), exact=False)


def _grow(objective: Objective, count: int, size: int, start: int) -> list[int]:
    members = [start]
    while len(members) < size:
        larger = np.array([[*members, other] for other in range(count) if other not in members], dtype=np.intp)
        members = larger[_find_least(objective(larger))].tolist()
    return members


def _find_least(values: Float[np.ndarray, " set"]) -> int:
    """The first place of the smallest value."""
    return int(np.nan_to_num(values, nan=np.inf).argmin())
