"""The errors of ensembles chosen by several methods, as bars."""

import numpy as np

from zooscope.analyses.selection import Selection
from zooscope.pictures.data import Bars, BarSeries

PERCENT = 100.0


def make_selection_picture(found: Selection) -> Bars:
    """Top-1 error on the half of the images that was not used for choosing."""
    table = found.chosen.drop(index="best classifier alone")
    error, low, high = (PERCENT * table[key].to_numpy(np.float64) for key in ("error", "low", "high"))
    size = max(map(len, table["members"]))
    labels = [f"{found.num_random} random picks (mean)" if name == "random" else str(name) for name in table.index]
    return Bars(
        title=f"Ensembles of {size}, chosen on one half of the images",
        x_label=f"top-1 error on the other half (percent), with {100 * found.confidence:g} % intervals",
        labels=tuple(labels),
        series=(BarSeries(name="error", lengths=error, low=low, high=high),),
    )
