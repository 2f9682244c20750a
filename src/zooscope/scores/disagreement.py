"""Disagreement: the share of images that exactly one of two classifiers gets right.

In [0, 1], symmetric, larger is less similar, 0 with itself.

Source: Kuncheva and Whitaker, Measures of diversity in classifier ensembles, Machine Learning 51 (2003).
"""

from functools import partial
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from zooscope.scores.similarity import Resampling, Similarity
from zooscope.scores.tables import Tables, count_tables, divide, score_shares


def disagreement(right: Bool[np.ndarray, "classifier image"]) -> Float[np.ndarray, "a b"]:
    """The share of images that exactly one of both gets right, of all pairs.

    Example:
        >>> disagreement(np.array([[True, True, False, False], [True, True, True, False]]))
        array([[0.  , 0.25],
               [0.25, 0.  ]])

    Args:
        right: which images each classifier gets right.
    """
    return _compute_share(count_tables(right))


def _compute_share(tables: Tables) -> Float[np.ndarray, "*cells"]:
    return divide(tables.first + tables.second, tables.total)


DISAGREEMENT: Final = Similarity(
    name="disagreement",
    title="disagreement (exactly one is right)",
    lowest=0.0,
    highest=1.0,
    is_symmetric=True,
    larger_is_more_similar=False,
    with_itself=0.0,
    resampling=Resampling.SHARES,
    reference="Kuncheva and Whitaker, Machine Learning 51, 2003",
    compute=partial(score_shares, statistic=_compute_share, with_itself=0.0),
)
