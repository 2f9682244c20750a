"""Pictures of clusters show each block where it is."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.analyses.planted import planted
from zooscope.analyses.clustering import find_clusters
from zooscope.analyses.reclustering import ClusterStability
from zooscope.pictures.clusters import make_cluster_stability_picture, make_distances_picture, make_sat_picture
from zooscope.pictures.data import HeatMap
from zooscope.pictures.draw import ENDINGS, save
from zooscope.pictures.interactive import make_figure

MATRIX = planted([3, 2, 1])
FOUND = find_clusters(MATRIX, 3)


def stability() -> ClusterStability:
    order = list(FOUND.order)
    together = pd.DataFrame(np.eye(6), index=order, columns=order)
    return ClusterStability(
        co_assignment=together,
        clusters=pd.DataFrame({"verdict": ["stable", "noise", "stable"]}, index=[1, 2, 3]),
        adjusted_rand=1.0,
        num_draws=7,
    )


def pictures() -> dict[str, HeatMap]:
    return {
        "distances": make_distances_picture(FOUND),
        "sat": make_sat_picture(FOUND, MATRIX),
        "stability": make_cluster_stability_picture(FOUND, stability()),
    }


@pytest.mark.parametrize("name", pictures())
def test_rows_go_by_cluster(name: str) -> None:
    picture = pictures()[name]
    assert picture.rows == picture.columns == FOUND.order
    assert (picture.breaks, picture.blocks) == ((3, 5), ("1", "2", "3"))
    assert picture.find_block_centres() == {"1": 1, "2": 3.5, "3": 5}
    assert "6 classifiers in 3 clusters" in picture.title


def test_the_values_are_those_of_the_analysis() -> None:
    shown, order = pictures(), list(FOUND.order)
    np.testing.assert_array_equal(shown["distances"].make_table().to_numpy(), FOUND.find_distances().to_numpy())
    np.testing.assert_array_equal(shown["stability"].make_table().to_numpy(), np.eye(6))
    off_diagonal = ~np.eye(6, dtype=bool)
    np.testing.assert_array_equal(
        shown["sat"].make_table().to_numpy()[off_diagonal], MATRIX.loc[order, order].to_numpy()[off_diagonal]
    )
    assert np.isnan(shown["sat"].make_table().to_numpy().diagonal()).all()
    assert "7 draws" in shown["stability"].title
    assert shown["stability"].title.endswith("\nClusters: stable 1, 3; noise 2")
    assert shown["distances"].reversed_colours


def test_one_cluster_has_no_break() -> None:
    picture = make_distances_picture(find_clusters(MATRIX, 1))
    assert (picture.breaks, picture.blocks) == ((), ("1",))
    assert picture.title.endswith("6 classifiers in 1 cluster")


@pytest.mark.parametrize("ending", ENDINGS)
def test_they_are_drawn_the_same_every_time(ending: str, tmp_path: Path) -> None:
    for name in ("once", "again"):
        save(make_distances_picture(FOUND), tmp_path / f"{name}{ending}")
    assert (tmp_path / f"once{ending}").read_bytes() == (tmp_path / f"again{ending}").read_bytes()


def test_the_explorable_picture_names_the_blocks() -> None:
    assert [note.text for note in make_figure(make_distances_picture(FOUND)).layout.annotations] == ["1", "2", "3"]
