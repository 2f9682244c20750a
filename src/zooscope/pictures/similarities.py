"""The spread of similarity scores by what they cost, as curves."""

from collections.abc import Mapping

import numpy as np

from zooscope.analyses.score_stability import ScoreStability
from zooscope.errors import InvalidValueError
from zooscope.pictures.data import Band, Curves


def make_steadiness_picture(stabilities: Mapping[str, ScoreStability], *, num_classifiers: int, relative: bool = False) -> Curves:
    """Standard deviation of each score over sets of images, by the cost of a set (Table 1 of the paper).

    Args:
        stabilities: by score.
        num_classifiers: that the scores are of.
        relative: whether it is divided by the standard deviation over the pairs; otherwise scores with other units, or of other
            ranges, can't be compared.

    Raises:
        InvalidValueError: there are too few images for any set, or no score's cost is known.
    """
    curves = []
    for name, found in stabilities.items():
        columns = ("passes", "relative" if relative else "std")
        passes, std = (found.by_size[column].to_numpy(np.float64) for column in columns)
        usable = (std > 0) & np.isfinite(passes)  # a logarithmic axis can't show a spread of 0
        if usable.any():
            nothing = np.full(usable.sum(), np.nan)
            curves.append(Band(x=passes[usable], y=std[usable], low=nothing, high=nothing, name=name))
    if not curves:
        msg = "there is no spread to draw: the study has too few images for ten sets on which every pair has a score; measure more."
        raise InvalidValueError(msg)
    return Curves(
        title=f"How similarity scores vary from one set of images to another, by cost (mean over the pairs of {num_classifiers} "
        "classifiers)",
        x_label="cost of a set per classifier (forward passes)",
        y_label="standard deviation / that over the pairs" if relative else "standard deviation (hundredths of the score)",
        curves=tuple(curves),
        logarithmic=frozenset({"x", "y"}),
    )
