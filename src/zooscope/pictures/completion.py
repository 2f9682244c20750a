"""A completed matrix, and estimates beside the truth, as data of pictures."""

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from zooscope.analyses.completion import Completion
from zooscope.analyses.rehearsal import Rehearsal
from zooscope.pictures.data import HeatMap, Points


def make_completion_picture(found: Completion) -> HeatMap:
    """The completed matrix, similar classifiers beside each other."""
    scores = found.scores.to_numpy(copy=True)
    distances = np.nanmax(scores) - scores
    np.fill_diagonal(distances, 0)
    order = leaves_list(linkage(squareform(distances, checks=False), "average")) if len(scores) > 2 else np.arange(len(scores))  # noqa: PLR2004
    names = tuple(str(found.scores.index[int(place)]) for place in order)
    measured = int((found.kinds == "measured").to_numpy().sum() - len(scores)) // 2
    return HeatMap(
        title=f"SAT of {len(scores)} classifiers, {measured} pairs measured, others by {len(found.landmarks)} landmarks",
        values=scores[np.ix_(order, order)],
        rows=names,
        columns=names,
        unit="SAT (natural log)",
    )


def make_rehearsal_picture(found: Rehearsal) -> Points:
    """Every hidden pair, its estimate against what was measured."""
    pairs = found.pairs
    names = tuple(f"{a} and {b}" for a, b in zip(pairs["a"], pairs["b"], strict=True))
    return Points(
        title=f"{len(pairs)} hidden pairs, estimated from {len(found.completion.landmarks)} landmarks ({found.completion.method})",
        x_label="estimated SAT (natural log)",
        y_label="measured SAT (natural log)",
        x=pairs["estimated"].to_numpy(np.float64),
        y=pairs["measured"].to_numpy(np.float64),
        names=names,
        are_named=False,
    )
