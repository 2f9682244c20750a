"""The curves of trained networks."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from zooscope.pictures.data import Band, Curves


def make_curves_picture(curves: Mapping[str, pd.DataFrame]) -> Curves:
    """Accuracy on the held-out images by epoch, a line per network.

    Args:
        curves: by network, index `epoch`, column `accuracy` (share).
    """
    lines = []
    for name, table in curves.items():
        accuracy = 100 * table["accuracy"].to_numpy(np.float64)
        nothing = np.full(len(accuracy), np.nan)
        lines.append(Band(x=table.index.to_numpy(np.float64), y=accuracy, low=nothing, high=nothing, name=name))
    return Curves(title="Training", x_label="epoch", y_label="accuracy on held-out images, %", curves=tuple(lines))
