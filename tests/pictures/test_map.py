"""The map's points have the colour of what they are."""

from dataclasses import replace

import pandas as pd

from zooscope.analyses.mapping import Map
from zooscope.pictures.map import UNKNOWN, make_map_picture

POINTS = pd.DataFrame({"x": [1.0, 2, 3, 4], "y": [0.0, 1, 2, 3]}, index=list("abcd"))


TSNE = Map(points=POINTS, method="tsne", num_features=3, perplexity=2.0, shown=float("nan"))


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
