"""The predictions of a trained network for its held-out images, as a table."""

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int

from zooscope.images.image_set import ImageSet
from zooscope.outputs import write_table
from zooscope.training.cards import HELD_OUT


def write_predictions(folder: Path, images: ImageSet, predictions: Int[np.ndarray, " image"]) -> None:
    """Writes `held_out.csv`: the id, the label and the prediction of each image, both as numbers of classes.

    Raises:
        StudyError: it can't be written.
    """
    table = pd.DataFrame({"label": images.labels, "prediction": predictions}, index=pd.Index(images.ids, name="id"))
    write_table(folder / HELD_OUT, table)
