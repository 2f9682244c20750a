"""Yule's Q statistic of two classifiers being right.

Q = (a d - b c) / (a d + b c), where a images are classified correctly by both, b and c by one only, d by neither. In [-1, 1],
symmetric, larger is more similar, 1 with itself, 0 for classifiers that err independently. Undefined where a d + b c is 0. Where
one cell is empty, Q is 1 or -1 however few images the others hold: look at the interval.

Source: Kuncheva and Whitaker, Measures of diversity in classifier ensembles, Machine Learning 51 (2003).
"""

from functools import partial
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from zooscope.scores.similarity import Resampling, Similarity
from zooscope.scores.tables import Tables, count_tables, divide, score_tables


def q_statistic(right: Bool[np.ndarray, "classifier image"]) -> Float[np.ndarray, "a b"]:
    """Q of all pairs; NaN where a d + b c is 0.

    Example:
        >>> q_statistic(np.array([[True, True, False, False, False], [True, False, True, False, False]])).round(3)
        array([[1.   , 0.333],
               [0.333, 1.   ]])

    Args:
        right: which images each classifier gets right.
    """
    return _compute_q(count_tables(right))


def _compute_q(tables: Tables) -> Float[np.ndarray, "*cells"]:
    alike, unlike = tables.both * tables.neither, tables.first * tables.second
    return divide(alike - unlike, alike + unlike)


Q_STATISTIC: Final = Similarity(
    name="q_statistic",
    title="Yule's Q of being right",
    lowest=-1.0,
    highest=1.0,
    is_symmetric=True,
    larger_is_more_similar=True,
    with_itself=1.0,
    resampling=Resampling.IMAGES,
    reference="Kuncheva and Whitaker, Machine Learning 51, 2003",
    compute=partial(
        score_tables,
        statistic=_compute_q,
        undefined="no image is right or wrong for both in a way that Q compares: both of its products are 0",
    ),
)
