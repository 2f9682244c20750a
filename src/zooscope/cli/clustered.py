"""Clusters and selections of a study's classifiers, for the commands that use them."""

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
        help="Number of clusters.",
        show_default="10; for fewer than 20 classifiers by the largest eigengap",
    ),
]


def cluster_classifiers(sat: "xr.DataArray", num_clusters: int | None, *, seed: int) -> dict[str, int]:
    """Cluster by classifier. If the default number of clusters can't be made, prints a note with the reason and returns none.

    Raises:
        InvalidValueError: the requested number of clusters can't be made.
    """
    from zooscope.analyses.clustering import assign_clusters

    clusters, missing = assign_clusters(sat, num_clusters, seed=seed)
    if missing:
        tell(f"Note: without clusters: {missing}")
    return clusters


def take_classifiers(outcomes: "Outcomes", names: tuple[str, ...]) -> "Outcomes":
    """The outcomes among some of the classifiers."""
    import numpy as np

    return outcomes.take_classifiers(np.array([outcomes.names.index(name) for name in names]))
