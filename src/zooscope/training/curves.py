"""The curves of a training as a table."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from zooscope.outputs import write_table

if TYPE_CHECKING:
    from zooscope.training.checkpoints import Epoch

CURVES: Final = "curves.csv"


def make_table(epochs: Sequence["Epoch"]) -> pd.DataFrame:
    """One row per epoch: learning rate, loss in nats, shares of images right, seconds."""
    return pd.DataFrame([asdict(epoch) for epoch in epochs]).set_index("epoch")


def read_curves(folder: Path) -> pd.DataFrame:
    """The curves in the folder of a network, as `make_table` gives them."""
    return pd.read_csv(folder / CURVES, index_col="epoch")


def write_curves(folder: Path, epochs: Sequence["Epoch"]) -> None:
    """Writes `curves.csv` into the folder of a network.

    Raises:
        StudyError: it can't be written.
    """
    write_table(folder / CURVES, make_table(epochs))
