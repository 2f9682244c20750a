"""Importance of components, as bars."""

from typing import Final

import numpy as np
from jaxtyping import Float

from zooscope.analyses.importance import Importance
from zooscope.pictures.data import Bars, BarSeries

SERIES: Final = {"": "training pairs", "held_out_": "pairs with a held-out classifier"}


def make_importance_picture(found: Importance) -> Bars:
    """Permutation importance of all components, in sample as in Figure 3 of the paper, and on held-out classifiers."""
    series = []
    for (key, name), explained in zip(SERIES.items(), (found.r2_in_sample, found.r2_held_out), strict=True):
        mean, std = _take_column(found, f"{key}mean"), _take_column(found, f"{key}std")
        series.append(BarSeries(name=f"{name}: R² = {explained:.2f}", lengths=mean, low=mean - std, high=mean + std))
    return Bars(
        title="Importance of architectural components for SAT",
        x_label="drop in R² when a component is shuffled (± standard deviation)",
        labels=tuple(map(str, found.components.index)),
        series=tuple(series),
    )


def _take_column(found: Importance, name: str) -> Float[np.ndarray, " component"]:
    return found.components[name].to_numpy(dtype=np.float64)
