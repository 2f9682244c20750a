"""The nearest neighbour of every classifier, and whether the images show that no other one is nearer."""

from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float, Int

from zooscope.scores.closer import measure_differences
from zooscope.scores.outcomes import Outcomes

_NAME: Final = (object, None)
_NUMBER: Final = (float, float("nan"))
COLUMNS: Final[dict[str, tuple[type, Any]]] = {  # type of each column, and what it holds where there is nothing
    "nearest": _NAME,
    "sat": _NUMBER,
    "low": _NUMBER,
    "high": _NUMBER,
    "rival": _NAME,
    "difference": _NUMBER,
    "difference_low": _NUMBER,
    "difference_high": _NUMBER,
    "certainty": _NUMBER,
    "is_sure": (bool, False),
    "as_near": (object, ()),
    "num_images": _NUMBER,
}


def find_nearest(outcomes: Outcomes, sat: xr.DataArray) -> pd.DataFrame:
    """Each classifier's nearest neighbour, compared with all others.

    A neighbour is sure if every other classifier is told apart from it: the interval of the difference of both scores, which are of
    the same images, excludes 0. Among neighbours that are equally near, the one that is taken for the nearest is chance.

    Args:
        outcomes: of attacked images.
        sat: the scores of the same classifiers with intervals, as `make_sat_matrix` gives them.

    Returns:
        Index `name`; columns
        `nearest`: the neighbour, None where the classifier has no score;
        `sat`, `low`, `high`: of the two, with its interval;
        `rival`: the other that is least told apart from the neighbour, None where there is none with a score;
        `difference`, `difference_low`, `difference_high`: `sat` minus the SAT with the rival, and its interval;
        `certainty`: one-sided confidence that the neighbour is nearer than the rival, from 0.5;
        `is_sure`: whether no other is as near; also where there is no other;
        `as_near`: the others that are not told apart from the neighbour, nearest first;
        `num_images`: images at which the rival would be told apart with 80 % power, infinite where both scores are equal.
    """
    rows = [_describe(outcomes, sat, place) for place in range(len(outcomes.names))]
    columns = {name: pd.Series([row.get(name, missing) for row in rows], dtype=kind) for name, (kind, missing) in COLUMNS.items()}
    return pd.DataFrame(columns).set_axis(pd.Index(outcomes.names, name="name"))


def _describe(outcomes: Outcomes, sat: xr.DataArray, place: int) -> dict[str, Any]:
    order = _order_by_score(sat.to_numpy()[place], place)
    if not len(order):
        return {}
    nearest, others = int(order[0]), order[1:]
    row: dict[str, Any] = {
        "nearest": outcomes.names[nearest],
        "sat": float(sat[place, nearest]),
        "low": float(sat.low[place, nearest]),
        "high": float(sat.high[place, nearest]),
        "is_sure": True,
    }
    if not len(others):
        return row
    # Where the intervals of both scores are apart, so is that of their difference from 0, whatever they share.
    overlaps = sat.high.to_numpy()[place, others] >= row["low"]
    overlaps[0] = True
    rivals = others[overlaps]
    found = measure_differences(
        outcomes, place, nearest, rivals, confidence=sat.attrs["confidence"], epsilon_s=sat.attrs["epsilon_s"]
    )
    rival = int(np.argmin(found.certainty))
    as_near = tuple(outcomes.names[other] for other in rivals[~found.are_told_apart])
    return row | {
        "rival": outcomes.names[rivals[rival]],
        "difference": float(found.difference[rival]),
        "difference_low": float(found.interval.low[rival]),
        "difference_high": float(found.interval.high[rival]),
        "certainty": float(found.certainty[rival]),
        "is_sure": not as_near,
        "as_near": as_near,
        "num_images": float(found.num_images[rival]),
    }


def _order_by_score(scores: Float[np.ndarray, " classifier"], place: int) -> Int[np.ndarray, " other"]:
    """The positions of all others that have a score, the nearest first."""
    known = np.flatnonzero(~np.isnan(scores))
    known = known[known != place]
    return np.asarray(known[np.argsort(-scores[known], kind="stable")])
