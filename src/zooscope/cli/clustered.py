"""Clusters and parts of a study's classifiers, for the commands that build on them."""

from typing import TYPE_CHECKING, Annotated

import typer

from zooscope.cli.terminal import tell

if TYPE_CHECKING:
    import xarray as xr

    from zooscope.scores.outcomes import Outcomes

NumClusters = Annotated[
    int | None,
    typer.Option(
        "--num-clusters",
        metavar="NUMBER",
        help="Clusters to make of the classifiers.",
        show_default="10; for fewer than 20 classifiers by the largest eigengap",
    ),
]


def cluster_classifiers(sat: "xr.DataArray", num_clusters: int | None, *, seed: int) -> dict[str, int]:
    """Cluster by classifier; where none was asked for and none can be made, a note says why, and no classifier has one.

    Raises:
        InvalidValueError: so many clusters were asked for that can't be made.
    """
    from zooscope.analyses.clustering import assign_clusters

    clusters, missing = assign_clusters(sat, num_clusters, seed=seed)
    if missing:
        tell(f"Note: without clusters: {missing}")
    return clusters


def take_classifiers(outcomes: "Outcomes", names: tuple[str, ...]) -> "Outcomes":
    """The outcomes of some of the classifiers among themselves."""
    import numpy as np

    return outcomes.take_classifiers(np.array([outcomes.names.index(name) for name in names]))
