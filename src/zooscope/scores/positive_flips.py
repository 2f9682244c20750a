"""Positive flips: the share of images that the second classifier gets right and the first gets wrong.

What b could add to a: score[a, b] is in [0, 1], larger is less similar, 0 with itself. Not symmetric: the difference of both
directions is the difference of the accuracies.

Source: Roth et al., Fantastic Gains and Where to Find Them, ICLR 2024.
"""

from functools import partial
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from zooscope.scores.similarity import Resampling, Similarity
from zooscope.scores.tables import Tables, count_tables, divide, score_shares


def positive_flips(right: Bool[np.ndarray, "classifier image"]) -> Float[np.ndarray, "a b"]:
    """The share of images that b gets right and a gets wrong, of all pairs (a, b).

    Example:
        >>> positive_flips(np.array([[True, True, False, False], [False, True, True, True]]))
        array([[0.  , 0.5 ],
               [0.25, 0.  ]])

    Args:
        right: which images each classifier gets right.
    """
    return _compute_share(count_tables(right))


def _compute_share(tables: Tables) -> Float[np.ndarray, "*cells"]:
    return divide(tables.second, tables.total)


POSITIVE_FLIPS: Final = Similarity(
    name="positive_flips",
    title="positive flips (b is right where a errs)",
    lowest=0.0,
    highest=1.0,
    is_symmetric=False,
    larger_is_more_similar=False,
    with_itself=0.0,
    resampling=Resampling.SHARES,
    reference="Roth et al., ICLR 2024",
    compute=partial(score_shares, statistic=_compute_share, with_itself=0.0),
)
