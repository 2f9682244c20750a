"""Double fault: the share of images that both classifiers get wrong.

In [0, 1], symmetric, larger is more similar; with itself it is the classifier's error. It also grows with both errors: compare
pairs of similar accuracy, or take error consistency.

Source: Giacinto and Roli, Image and Vision Computing 19 (2001); Kuncheva and Whitaker, Machine Learning 51 (2003).
"""

from functools import partial
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from zooscope.scores.similarity import Resampling, Similarity
from zooscope.scores.tables import Tables, count_tables, divide, score_shares


def double_fault(right: Bool[np.ndarray, "classifier image"]) -> Float[np.ndarray, "a b"]:
    """The share of images that both get wrong, of all pairs.

    Example:
        >>> double_fault(np.array([[True, True, False, False], [True, True, True, False]]))
        array([[0.5 , 0.25],
               [0.25, 0.25]])

    Args:
        right: which images each classifier gets right.
    """
    return _compute_share(count_tables(right))


def _compute_share(tables: Tables) -> Float[np.ndarray, "*cells"]:
    return divide(tables.neither, tables.total)


DOUBLE_FAULT: Final = Similarity(
    name="double_fault",
    title="double fault (both are wrong)",
    lowest=0.0,
    highest=1.0,
    is_symmetric=True,
    larger_is_more_similar=True,
    with_itself=None,
    resampling=Resampling.SHARES,
    reference="Giacinto and Roli, Image and Vision Computing 19, 2001",
    compute=partial(score_shares, statistic=_compute_share),
)
