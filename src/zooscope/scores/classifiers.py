"""A table of what is known about each classifier."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from zooscope.records.entries import ClassifierRecord
from zooscope.records.predictions import NOT_MEASURED, Predictions
from zooscope.scores.outcomes import PERCENT, find_outcomes
from zooscope.words import format_transform


def make_classifier_table(classifiers: Sequence[ClassifierRecord], predictions: Predictions) -> pd.DataFrame:
    """A row per classifier.

    Returns:
        Index `name`; columns `clean_accuracy` and `white_box_success` (percent; NaN where nothing is measured yet), `images` (clean
        images measured), `transform`, `architecture`, `address`, `weights` (digest), `class_matching` (how outputs are
        matched with the images' classes; empty where that is not known).
    """
    known = predictions.clean != NOT_MEASURED
    num_known, num_right = known.sum(-1), (known & (predictions.clean == predictions.labels)).sum(-1)
    return pd.DataFrame(
        {
            "clean_accuracy": np.divide(PERCENT * num_right, num_known, out=np.full(len(known), np.nan), where=num_known > 0),
            "white_box_success": find_outcomes(predictions).percent.diagonal(),
            "images": num_known,
            "transform": [format_transform(classifier.transform_settings) or classifier.transform for classifier in classifiers],
            "architecture": [classifier.architecture for classifier in classifiers],
            "address": [classifier.address or "" for classifier in classifiers],
            "weights": [classifier.weights for classifier in classifiers],
            "class_matching": [classifier.class_matching for classifier in classifiers],
        },
        index=pd.Index(predictions.names, name="name"),
    )
