"""Scores as labelled matrices, from predictions."""

import warnings
from typing import Final

import numpy as np
import xarray as xr

from zooscope.errors import EmptyPairWarning, WeakSourceWarning
from zooscope.records.predictions import NOT_MEASURED, Predictions
from zooscope.scores.outcomes import Outcomes, find_outcomes, measure_control
from zooscope.scores.sat import EPSILON_S, bootstrap_sat, sat, take_log_score

CONFIDENCE: Final = 0.95
WEAK_SOURCE_PERCENT: Final = 90.0


def make_sat_matrix(
    predictions: Predictions, *, confidence: float | None = CONFIDENCE, epsilon_s: float = EPSILON_S
) -> xr.DataArray:
    """SAT of all pairs, with intervals.

    Args:
        predictions: all measured predictions, or some of them.
        confidence: of the intervals `low` and `high` (bootstrap over images); None leaves them out.
        epsilon_s: lower bound of percentages, so that the logarithm is finite.

    Returns:
        Dimensions `a` and `b`, natural log; coordinates `percent` (without the log), `count` (images), `low`, `high` (log). NaN
        if a pair shares no correctly classified image, or is not measured yet.

    Raises:
        InvalidValueError: confidence or epsilon_s is out of range.

    Warns:
        EmptyPairWarning: some pair shares no correctly classified image.
        WeakSourceWarning: a source fools itself on fewer than 90 % of images.
    """
    measured = find_outcomes(predictions)
    _warn(predictions, measured)
    score, percent, counted = sat(measured, epsilon_s=epsilon_s)
    coordinates = {"percent": percent, "count": counted}
    if confidence is not None:
        low, high = bootstrap_sat(measured, epsilon_s=epsilon_s, confidence=confidence)
        coordinates |= {"low": low, "high": high}
    names = list(measured.names)
    return xr.DataArray(
        score,
        dims=("a", "b"),
        coords={"a": names, "b": names} | {key: (("a", "b"), values) for key, values in coordinates.items()},
        name="sat",
        attrs={"confidence": confidence or 0.0, "epsilon_s": epsilon_s},
    )


def make_transfer_matrix(predictions: Predictions) -> xr.DataArray:
    """Percent of counted images on which a source's attack fools a target.

    Returns:
        Dimensions `source` and `target`; coordinates `count` (images) and `control` (percent of the same images that the
        target gets wrong without an attack, preprocessed for the source; 0 if both preprocess alike).
    """
    measured = find_outcomes(predictions)
    names, axes = list(measured.names), ("source", "target")
    return xr.DataArray(
        measured.percent,
        dims=axes,
        coords={
            "source": names,
            "target": names,
            "count": (axes, measured.num_counted),
            "control": (axes, measure_control(predictions)),
        },
        name="transfer",
    )


def make_one_sided_matrix(predictions: Predictions, *, epsilon_s: float = EPSILON_S) -> xr.DataArray:
    """SAT from one direction only; dimensions `source` and `target`, natural log."""
    transfer = make_transfer_matrix(predictions)
    return transfer.copy(data=take_log_score(transfer.to_numpy(), epsilon_s=epsilon_s)).rename("one_sided")


def _warn(predictions: Predictions, measured: Outcomes) -> None:
    names = measured.names
    complete = np.zeros((len(names), len(names)), dtype=np.bool_)
    for source, row in enumerate(predictions.transfer):
        complete[source] = (row != NOT_MEASURED).all(-1)
    empty = complete & complete.T & (measured.num_counted == 0)
    for row, column in zip(*np.nonzero(np.triu(empty)), strict=True):
        msg = f"{names[row]} and {names[column]} share no correctly classified image; their score is NaN."
        warnings.warn(msg, EmptyPairWarning, stacklevel=3)
    for name, success in zip(names, measured.percent.diagonal(), strict=True):
        if success < WEAK_SOURCE_PERCENT:
            msg = (
                f"the attack on {name} fools {name} itself on only {success:.0f} % of images, which lowers its whole row of scores."
            )
            warnings.warn(msg, WeakSourceWarning, stacklevel=3)
