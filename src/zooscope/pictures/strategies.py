"""The similarity of the classifiers of a group, as bars."""

import numpy as np

from zooscope.analyses.strategies import Strategies
from zooscope.pictures.data import Bars, BarSeries


def make_strategies_picture(found: Strategies) -> Bars:
    """Mean SAT within every group that has a pair, and over all pairs (Table 3 of the paper)."""
    within = found.within[found.within["pairs"] > 0]
    labels = [f"{name} ({row['classifiers']:.0f})" for name, row in within.iterrows()]
    values = np.array([[*within[key], found.overall[key]] for key in ("sat", "sat_low", "sat_high")], dtype=np.float64)
    known = bool(np.isfinite(values[1]).any())  # a published matrix has no intervals
    return Bars(
        title="How alike classifiers of one group are",
        x_label="mean SAT of the pairs (natural log)" + (f", with {100 * found.confidence:g} % intervals" if known else ""),
        labels=(*labels, f"all classifiers ({found.overall['classifiers']:.0f})"),
        series=(
            BarSeries(name="mean SAT", lengths=values[0], low=values[1] if known else None, high=values[2] if known else None),
        ),
    )
