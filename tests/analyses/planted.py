"""Matrices of scores with planted groups, and components that decide them or don't."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tests.specimens import Array


def shuffled_names(count: int, seed: int = 0) -> list[str]:
    """Names whose alphabetical order is not the order in which they come."""
    return [f"network {number:02d}" for number in np.random.default_rng(seed).permutation(count)]


def planted(sizes: Sequence[int], *, within: float = 3.8, between: float = 2.3, noise: float = 0.15, seed: int = 0) -> pd.DataFrame:
    """Scores that are higher within groups than between them, with noise and with classifiers that all attack well or badly."""
    return scores_for(groups_of(sizes), within=within, between=between, noise=noise, seed=seed)


def groups_of(sizes: Sequence[int]) -> Array:
    return np.repeat(np.arange(len(sizes)), sizes)


def scores_for(groups: Array, *, within: float = 3.8, between: float = 2.3, noise: float = 0.15, seed: int = 0) -> pd.DataFrame:
    generator, count = np.random.default_rng(seed), len(groups)
    scores = np.where(groups[:, None] == groups, within, between) + generator.normal(0, noise, (count, count))
    scores = (scores + scores.T) / 2 + noise * np.add.outer(*[generator.normal(0, 0.5, count)] * 2)
    np.fill_diagonal(scores, 4.6)
    names = shuffled_names(count, seed)
    return pd.DataFrame(scores, index=names, columns=names)


def reordered(matrix: pd.DataFrame, seed: int = 1) -> pd.DataFrame:
    """The same scores with the classifiers in another order."""
    names = list(np.random.default_rng(seed).permutation(matrix.index))
    return matrix.loc[names, names]
