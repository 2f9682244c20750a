"""The map's points, and the tree's leaves, have the colour of what they are."""

from dataclasses import replace

import pandas as pd

from tests.analyses.planted import planted
from zooscope.analyses.mapping import Map
from zooscope.analyses.tree import build_tree
from zooscope.pictures.map import UNKNOWN, make_map_picture, make_tree_picture

POINTS = pd.DataFrame({"x": [1.0, 2, 3, 4], "y": [0.0, 1, 2, 3]}, index=list("abcd"))


TSNE = Map(points=POINTS, method="tsne", num_features=3, num_kept=3, perplexity=2.0, shown=float("nan"))


def test_clusters_go_by_number_and_who_has_none_comes_last() -> None:
    picture = make_map_picture(TSNE, {"b": "10", "c": "9", "d": "2"}, colour_by="cluster")
    assert picture.names == ("d", "c", "b", "a")
    assert picture.groups == ("2", "9", "10", UNKNOWN)
    assert picture.x.tolist() == [4, 3, 2, 1]
    assert picture.y.tolist() == [3, 2, 1, 0]
    assert (picture.group_title, picture.x_label, picture.y_label) == ("cluster", "", "")
    assert picture.title == "Map of 4 classifiers by SAT: t-SNE"


def test_values_of_a_component_go_by_the_alphabet() -> None:
    picture = make_map_picture(
        replace(TSNE, method="mds", shown=0.841), {"a": "MLP", "b": "CNN", "c": "MLP", "d": "CNN"}, colour_by="architecture"
    )
    assert picture.groups == ("CNN", "CNN", "MLP", "MLP")
    assert picture.title == "Map of 4 classifiers by SAT: classical MDS (84 % of squared distances)"


def test_a_share_of_what_was_kept_is_not_said_where_the_plane_keeps_all() -> None:
    flat = replace(TSNE, method="mds", shown=1.0, num_kept=2)
    assert make_map_picture(flat, {}, colour_by="cluster").title == "Map of 4 classifiers by SAT: classical MDS"


def test_clusters_at_opposite_ends_are_in_the_title() -> None:
    picture = make_map_picture(TSNE, {}, colour_by="cluster", spread=("2", "3"))
    assert picture.title.endswith("\nAt opposite ends of this plane: members of cluster 2, 3")


def test_a_tree_shows_the_analysis() -> None:
    table = planted([3, 2])
    found = build_tree(table)
    picture = make_tree_picture(
        found, {name: "10" if place else "9" for place, name in enumerate(found.names[1:])}, colour_by="cluster"
    )
    assert (picture.names, picture.branches) == (found.names, found.branches)
    assert picture.groups == (UNKNOWN, "9", "10", "10", "10")
    assert picture.group_order == ("9", "10", UNKNOWN)
    rows = picture.make_table()
    assert rows.iloc[:, 2].tolist() == [fork.sat for fork in found.forks]
    assert set(rows["left"].iloc[-1].split("; ")) | set(rows["right"].iloc[-1].split("; ")) == set(table.index)
