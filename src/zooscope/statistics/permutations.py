"""Permutations, and the Pearson correlation with each of them."""

from collections.abc import Iterator
from itertools import permutations
from math import factorial
from typing import Final

import numpy as np
from jaxtyping import Float, Int

from zooscope.errors import InvalidValueError

NUM_PERMUTATIONS: Final = 9999
FEWEST_PAIRS: Final = 3
TIE: Final = 1e-9  # rounding makes equal correlations differ by less than this


def require_permutations(num_permutations: int) -> None:
    """Refuses a number of permutations that tests nothing.

    Raises:
        InvalidValueError: it is not positive.
    """
    if num_permutations < 1:
        msg = f"num_permutations must be at least 1: got {num_permutations}."
        raise InvalidValueError(msg)


def are_all_taken(size: int, num_permutations: int) -> bool:
    """Whether there are so few permutations that each is taken once, and p is exact."""
    return size < 13 and factorial(size) <= num_permutations + 1  # noqa: PLR2004  (13! is beyond any number of permutations)


def draw_orders(size: int, count: int, *, seed: int, exact: bool, at_once: int) -> Iterator[Int[np.ndarray, "permutation item"]]:
    """Permutations in blocks: each one once, or `count` drawn."""
    if exact:
        everything = np.array(list(permutations(range(size))), dtype=np.intp)
        yield from np.array_split(everything, range(at_once, len(everything), at_once))
        return
    generator = np.random.default_rng(seed)
    for start in range(0, count, at_once):
        block = np.tile(np.arange(size), (min(at_once, count - start), 1))
        yield generator.permuted(block, axis=1)


def correlate_rows(
    fixed: Float[np.ndarray, " pair"], moving: Float[np.ndarray, "permutation pair"]
) -> tuple[Float[np.ndarray, " permutation"], Int[np.ndarray, " permutation"]]:
    """Pearson correlation of `fixed` with every row of `moving`, over the pairs known in both, and the number of these pairs."""
    known_fixed, known_moving = np.isfinite(fixed), np.isfinite(moving)
    x = np.where(known_fixed, fixed - _average(fixed[known_fixed]), 0.0)
    y = np.where(known_moving, moving - _average(moving[known_moving]), 0.0)
    if known_fixed.all() and known_moving.all():  # only the product depends on the order
        count = np.full(len(y), len(x))
        sum_x, sum_xx = np.full(len(y), x.sum()), np.full(len(y), x @ x)
    else:
        weight = known_moving.astype(np.float64)
        y = np.where(known_fixed, y, 0.0)
        count = (weight @ known_fixed.astype(np.float64)).round().astype(np.int64)
        sum_x, sum_xx = weight @ x, weight @ (x * x)
    sum_y, sum_yy = y.sum(1), np.einsum("ij,ij->i", y, y)
    number = np.maximum(count, 1)
    spread_x, spread_y = sum_xx - sum_x**2 / number, sum_yy - sum_y**2 / number
    # A matrix is constant if its spread is no more than its rounding errors.
    defined = (count >= FEWEST_PAIRS) & (spread_x > TIE**2 * _find_scale(fixed)) & (spread_y > TIE**2 * _find_scale(moving))
    with np.errstate(divide="ignore", invalid="ignore"):
        r = (y @ x - sum_x * sum_y / number) / np.sqrt(spread_x * spread_y)
    return np.where(defined, np.clip(r, -1, 1), np.nan), count


def _average(values: Float[np.ndarray, " value"]) -> float:
    return float(values.mean()) if len(values) else 0.0


def _find_scale(values: Float[np.ndarray, "..."]) -> float:
    """The square of the largest value, 1 if all are 0."""
    largest = float(np.nanmax(np.abs(values), initial=0.0))
    return largest**2 or 1.0
