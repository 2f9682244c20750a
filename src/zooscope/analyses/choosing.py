"""Sets of classifiers that minimise a number: exhaustive search if there are few sets, else greedy growth and exchanges."""

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
    """A set of members, ascending, and whether it is certainly the best (all sets were compared)."""

    members: tuple[int, ...]
    exact: bool


def find_smallest_set(objective: Objective, count: int, size: int, *, most: int = MOST_LOOKED_AT) -> Best:
    """The set of `size` out of `count` with the smallest objective.

    If there are at most `most` sets, all are compared. Otherwise a set is grown from every member as a start, each time by the
    member with the smallest objective, and the best of these sets is improved by exchanging one member for another as long as
    that helps.

    Args:
        objective: a number for every row of members; NaN counts as larger than all.
        count: how many members there are to choose from.
        size: how many are chosen, 1 to `count`.
        most: compare all sets up to this number.
    """
    if comb(count, size) <= most:
        every = np.array(list(combinations(range(count), size)), dtype=np.intp)
        return Best(tuple(int(member) for member in every[_find_least(objective(every))]), exact=True)
    return grow_set(objective, count, size, starts=range(count))


def grow_set(objective: Objective, count: int, size: int, *, starts: range | list[int]) -> Best:
    """A set grown greedily from each start, the best of them improved by exchanges; not necessarily the smallest."""
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
    """The first index of the smallest value."""
    return int(np.nan_to_num(values, nan=np.inf).argmin())
