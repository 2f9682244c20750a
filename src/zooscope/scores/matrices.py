"""Scores as labelled matrices, from predictions."""

import warnings
from typing import Final

import numpy as np
import xarray as xr

from zooscope.errors import EmptyPairWarning, WeakSourceWarning
from zooscope.inline.matrix import ScoreMatrix
from zooscope.records.predictions import Predictions
from zooscope.scores.normalized import bound_normalized_sat, normalize_one_sided, normalize_sat
from zooscope.scores.outcomes import PERCENT, Outcomes, find_outcomes, find_same_mistakes, measure_control
from zooscope.scores.sat import EPSILON_S, bound_sat, sat, score_one_sided
from zooscope.statistics.bootstrap import require_confidence
from zooscope.statistics.shares import bound_shares

CONFIDENCE: Final = 0.95
WEAK_SOURCE_PERCENT: Final = 90.0


def make_sat_matrix(
    predictions: Predictions,
    *,
    confidence: float | None = CONFIDENCE,
    epsilon_s: float = EPSILON_S,
    normalize: bool = False,
) -> xr.DataArray:
    """SAT of all pairs, with intervals.

    Args:
        predictions: all measured predictions, or some of them.
        confidence: of the intervals `low` and `high` (over images); None leaves them out.
        epsilon_s: lower bound of percentages, so that the logarithm is finite.
        normalize: whether each direction is divided by the success of the source's attack on the source itself, see
            `zooscope.scores.normalized`.

    Returns:
        Dimensions `a` and `b`, natural log; coordinates `percent` (without the log), `count` (images), `low`, `high` (log). NaN
        if a pair shares no correctly classified image, or is not measured yet; normalised, also where an attack doesn't fool its
        own source.

    Raises:
        InvalidValueError: confidence or epsilon_s is out of range.

    Warns:
        EmptyPairWarning: some pair shares no correctly classified image.
        WeakSourceWarning: a source fools itself on fewer than 90 % of images; normalised, on none.
    """
    if confidence is not None:
        require_confidence(confidence)
    measured = find_outcomes(predictions)
    _warn(predictions, measured, normalize=normalize)
    score_pairs, bound = (normalize_sat, bound_normalized_sat) if normalize else (sat, bound_sat)
    score, percent, counted = score_pairs(measured, epsilon_s=epsilon_s)
    coordinates = {"percent": percent, "count": counted}
    if confidence is not None:
        low, high = bound(measured, epsilon_s=epsilon_s, confidence=confidence)
        coordinates |= {"low": low, "high": high}
    names = list(measured.names)
    return ScoreMatrix(
        score,
        dims=("a", "b"),
        coords={"a": names, "b": names} | {key: (("a", "b"), values) for key, values in coordinates.items()},
        name="sat",
        attrs={"confidence": confidence or 0.0, "epsilon_s": epsilon_s, "normalized": normalize},
    )


def make_transfer_matrix(predictions: Predictions) -> xr.DataArray:
    """Percent of counted images on which a source's attack fools a target.

    Returns:
        Dimensions `source` and `target`; coordinates `count` (images) and `control` (percent of the same images that the
        target gets wrong without an attack, preprocessed for the source; 0 if both preprocess alike).
    """
    measured = find_outcomes(predictions)
    names, axes = list(measured.names), ("source", "target")
    return ScoreMatrix(
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


def make_one_sided_matrix(predictions: Predictions, *, epsilon_s: float = EPSILON_S, normalize: bool = False) -> xr.DataArray:
    """SAT from one direction only; dimensions `source` and `target`, natural log. `normalize` as in `make_sat_matrix`."""
    score = (normalize_one_sided if normalize else score_one_sided)(find_outcomes(predictions), epsilon_s=epsilon_s)
    return make_transfer_matrix(predictions).copy(data=score).rename("one_sided").assign_attrs(normalized=normalize)


def make_same_mistake_matrix(predictions: Predictions, *, confidence: float | None = CONFIDENCE) -> xr.DataArray:
    """Percent of counted images that source and target, attacked through the source, take for the same wrong class.

    Args:
        predictions: all measured predictions, or some of them.
        confidence: of the intervals `low` and `high` (over images); None leaves them out.

    Returns:
        Dimensions `source` and `target`; coordinates `count` (images), `low`, `high` (percent). Never above the transfer; on the
        diagonal the attack's success on the source itself. NaN where no image counts, or nothing is measured.

    Raises:
        InvalidValueError: the confidence is not in (0, 1).
    """
    if confidence is not None:
        require_confidence(confidence)
    measured = find_same_mistakes(predictions)
    names, axes = list(measured.names), ("source", "target")
    coordinates = {"count": measured.num_counted}
    if confidence is not None:
        low, high = np.full((2, len(names), len(names)), np.nan)
        for source, (fooled, counted) in measured.iterate_sources():
            ends = bound_shares(fooled.astype(np.int8), counted.astype(np.int8), confidence=confidence)
            low[source], high[source] = (PERCENT * end for end in ends)
        coordinates |= {"low": low, "high": high}
    return ScoreMatrix(
        measured.percent,
        dims=axes,
        coords={"source": names, "target": names} | {key: (axes, values) for key, values in coordinates.items()},
        name="same_mistake",
        attrs={"confidence": confidence or 0.0},
    )


def _warn(predictions: Predictions, measured: Outcomes, *, normalize: bool) -> None:
    names = measured.names
    complete = predictions.find_complete()
    empty = complete & complete.T & (measured.num_counted == 0)
    for row, column in zip(*np.nonzero(np.triu(empty)), strict=True):
        msg = f"{names[row]} and {names[column]} share no correctly classified image; their score is NaN."
        warnings.warn(msg, EmptyPairWarning, stacklevel=3)
    for name, success in zip(names, measured.percent.diagonal(), strict=True):
        if normalize and success == 0:
            msg = f"the attack on {name} never fools {name} itself, so that no score of it can be divided by its success."
            warnings.warn(msg, WeakSourceWarning, stacklevel=3)
        if not normalize and success < WEAK_SOURCE_PERCENT:
            msg = (
                f"the attack on {name} fools {name} itself on only {success:.0f} % of images, which lowers its whole row of scores."
            )
            warnings.warn(msg, WeakSourceWarning, stacklevel=3)
