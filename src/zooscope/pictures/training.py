"""The curves of trained networks."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from zooscope.pictures.data import Band, Curves

MOST: Final = 9  # lines that can be told apart


def make_curves_picture(curves: Mapping[str, pd.DataFrame], groups: Mapping[str, str]) -> Curves:
    """Accuracy on the held-out images by epoch: a line per network; of more than nine, a line per group.

    Args:
        curves: by network, index `epoch`, column `accuracy` (share).
        groups: the group of each network.
    """
    accuracies = {name: 100 * table["accuracy"].astype(np.float64) for name, table in curves.items()}
    if len(accuracies) <= MOST:
        lines = [_make_line(pd.DataFrame({name: accuracy}), name) for name, accuracy in accuracies.items()]
    else:
        members: dict[str, dict[str, pd.Series]] = {}
        for name, accuracy in accuracies.items():
            members.setdefault(groups[name], {})[name] = accuracy
        lines = [_make_line(pd.DataFrame(own), f"{group} ({len(own)})") for group, own in members.items()]
    return Curves(title="Training", x_label="epoch", y_label="accuracy on held-out images, %", curves=tuple(lines))


def _make_line(accuracies: pd.DataFrame, name: str) -> Band:
    """The mean of some networks, with a band from the lowest to the highest; none for one network."""
    edges = [accuracies.min(axis=1).to_numpy(), accuracies.max(axis=1).to_numpy()]
    low, high = edges if accuracies.shape[1] > 1 else [np.full(len(accuracies), np.nan)] * 2
    return Band(x=accuracies.index.to_numpy(np.float64), y=accuracies.mean(axis=1).to_numpy(), low=low, high=high, name=name)
