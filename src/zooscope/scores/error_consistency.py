"""Error consistency: whether two classifiers err on the same images more often than their accuracies make them.

Cohen's kappa of being right: (observed - expected) / (1 - expected), where observed is the share of images that both get right or
both get wrong, and expected = p q + (1 - p)(1 - q) for accuracies p and q. In [-1, 1], symmetric, larger is more similar, 1 with
itself, 0 for classifiers that err independently. Undefined where expected is 1: both are always right, or both always wrong.

Source: Geirhos, Meding and Wichmann, Beyond accuracy: quantifying trial-by-trial behaviour of CNNs and humans by measuring error
consistency, NeurIPS 2020. Intervals by bootstrap over images, as in Klein et al., NeurIPS 2025.
"""

from functools import partial
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from zooscope.scores.similarity import Resampling, Similarity
from zooscope.scores.tables import Tables, count_tables, divide, score_tables


def error_consistency(right: Bool[np.ndarray, "classifier image"]) -> Float[np.ndarray, "a b"]:
    """Cohen's kappa of being right, of all pairs; NaN where the expected agreement is 1.

    Example:
        >>> error_consistency(np.array([[True, True, False, False], [True, True, True, False]]))
        array([[1. , 0.5],
               [0.5, 1. ]])

    Args:
        right: which images each classifier gets right.
    """
    return _compute_kappa(count_tables(right))


def _compute_kappa(tables: Tables) -> Float[np.ndarray, "*cells"]:
    # All terms times the squared number of images: they are whole numbers, and an expected agreement of 1 is met exactly.
    both, first, second, neither = tables
    total = tables.total
    expected = (both + first) * (both + second) + (second + neither) * (first + neither)
    return divide((both + neither) * total - expected, total * total - expected)


ERROR_CONSISTENCY: Final = Similarity(
    name="error_consistency",
    title="error consistency (kappa of being right)",
    lowest=-1.0,
    highest=1.0,
    is_symmetric=True,
    larger_is_more_similar=True,
    with_itself=1.0,
    resampling=Resampling.IMAGES,
    reference="Geirhos, Meding and Wichmann, NeurIPS 2020",
    compute=partial(
        score_tables,
        statistic=_compute_kappa,
        undefined="both are right on all images, or both wrong on all: chance alone would make them agree",
    ),
)
