"""Ensembles, as points and curves."""

from collections.abc import Hashable
from typing import Final, Literal

import numpy as np
import pandas as pd

from zooscope.analyses.ensembles import PairEnsembles
from zooscope.pictures.data import Band, Curves, Points
from zooscope.pictures.labels import FEW, join_pairs

Metric = Literal["err", "error", "all_wrong"]
METRICS: Final[dict[Metric, str]] = {
    "err": "error reduction rate (percent)",
    "error": "top-1 error (percent)",
    "all_wrong": "images that every member gets wrong (percent)",
}
PERCENT: Final = 100.0
MOST_WITH_BANDS: Final = 3


def make_pairs_picture(found: PairEnsembles) -> Points:
    """Error reduction rate by SAT over all pairs, with the trend line and its band (Figure 5 of the paper)."""
    known = found.pairs[found.pairs["sat"].notna() & found.pairs["err"].notna()]
    pearson = found.pearson
    tested = "" if np.isnan(pearson.r) else f": r = {pearson.r:.2f}, p = {pearson.p_mantel:.2g} (Mantel)"
    return Points(
        title=f"Error reduction rate of ensembles of two by SAT{tested}",
        x_label="SAT (natural log)",
        y_label=METRICS["err"],
        x=known["sat"].to_numpy(np.float64),
        y=PERCENT * known["err"].to_numpy(np.float64),
        names=tuple(f"{a} and {b}" for a, b in zip(known["a"], known["b"], strict=True)),
        are_named=len(known) <= FEW,
        labels=join_pairs(known["a"], known["b"], "and"),
        trend=Band.of_trend(found.trend, factor=PERCENT),
    )


def make_draws_picture(draws: pd.DataFrame, by: Literal["num_clusters", "group"], metric: Metric = "err") -> Curves:
    """A metric by the number of members, a curve for every number of clusters or for every group (Figures 6, F.1, 7 of the paper).

    Bands are one standard deviation over the draws, drawn for at most three curves.

    Args:
        draws: a result of `zooscope.analyses.draws`.
        by: the column with a curve per value.
        metric: the column to show.
    """
    curves = []
    has_bands = draws[by].nunique() <= MOST_WITH_BANDS
    for key, rows in draws.groupby(by, sort=by == "num_clusters"):
        value = PERCENT * rows[metric].to_numpy(np.float64)
        std = PERCENT * rows[f"{metric}_std"].to_numpy(np.float64) if has_bands else np.full(len(value), np.nan)
        curves.append(
            Band(
                x=rows["num_members"].to_numpy(np.float64),
                y=value,
                low=value - std,
                high=value + std,
                name=_name_curve(key, by),
            )
        )
    title = "Ensembles by how many clusters their members come from" if by == "num_clusters" else "Ensembles drawn within groups"
    return Curves(title=title, x_label="members", y_label=METRICS[metric], curves=tuple(curves))


def _name_curve(key: Hashable, by: str) -> str:
    if by == "group":
        return str(key)
    return f"{key} cluster" if key == 1 else f"{key} clusters"
