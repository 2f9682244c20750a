"""Clusters, as coloured matrices with marked blocks."""

from itertools import accumulate
from typing import get_args

import numpy as np
import pandas as pd

from zooscope.analyses.clustering import Clusters
from zooscope.analyses.matrix import Matrix, make_square
from zooscope.analyses.reclustering import ClusterStability, Verdict
from zooscope.pictures.data import HeatMap


def make_distances_picture(found: Clusters) -> HeatMap:
    """Distances of spectral features, by cluster (Figures 4a and C.1 of the paper)."""
    return _make_heat_map(
        found,
        found.find_distances(),
        title=f"Distances of spectral features: {_describe_sizes(found)}",
        unit="distance; bright is near",
        reversed_colours=True,
    )


def make_sat_picture(found: Clusters, matrix: Matrix) -> HeatMap:
    """SAT, by cluster (Figure D.1 of the paper). The diagonal is empty: its values would dominate the colours."""
    scores = make_square(matrix).loc[list(found.order), list(found.order)]
    return _make_heat_map(
        found, scores, title=f"SAT of all pairs: {_describe_sizes(found)}", unit="SAT (natural log); bright is similar"
    )


def make_cluster_stability_picture(found: Clusters, stability: ClusterStability) -> HeatMap:
    """How often two classifiers are in one cluster when images are resampled."""
    return _make_heat_map(
        found,
        stability.co_assignment,
        title=f"In one cluster again in {stability.num_draws} draws of the images: {_describe_sizes(found)}"
        + _list_verdicts(stability),
        unit="share of draws in one cluster",
        limits=(0.0, 1.0),
    )


def _make_heat_map(
    found: Clusters,
    values: pd.DataFrame,
    *,
    title: str,
    unit: str,
    limits: tuple[float, float] | None = None,
    reversed_colours: bool = False,
) -> HeatMap:
    members = found.members
    return HeatMap(
        title=title,
        values=values.to_numpy(dtype=np.float64),
        rows=found.order,
        columns=found.order,
        unit=unit,
        breaks=tuple(accumulate(map(len, members.values())))[:-1],
        blocks=tuple(str(number) for number in members),
        limits=limits,
        reversed_colours=reversed_colours,
    )


def _list_verdicts(stability: ClusterStability) -> str:
    """The clusters of each verdict, on a line of their own."""
    verdicts = stability.clusters["verdict"]
    known = {verdict: verdicts.index[verdicts == verdict] for verdict in get_args(Verdict)}
    listed = [f"{verdict} {', '.join(map(str, numbers))}" for verdict, numbers in known.items() if len(numbers)]
    return f"\nClusters: {'; '.join(listed)}" if listed else ""


def _describe_sizes(found: Clusters) -> str:
    """How many classifiers in how many clusters."""
    count = len(found.members)
    return f"{len(found.labels)} classifiers in {count} cluster{'' if count == 1 else 's'}"
