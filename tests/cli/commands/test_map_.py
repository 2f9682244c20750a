"""`zooscope map` in a terminal, as JSON and as a picture."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.calling import call, one_line
from tests.cli.imported import write_imported


@pytest.mark.parametrize("method", ["tsne", "mds"])
def test_every_classifier_has_a_point_and_a_cluster(method: str, tmp_path: Path) -> None:
    study = write_imported(tmp_path / "study")
    values = json.loads(call("map", study, "--method", method, "--json").stdout)
    labels = json.loads(call("clusters", study, "--json").stdout)["labels"]
    assert values["labels"] == labels
    assert values["points"].keys() == labels.keys()
    assert {len(point) for point in values["points"].values()} == {2}
    assert values["method"] == method
    assert (values["shown"] is None) == (values["perplexity"] is not None) == (method == "tsne")
    assert values["num_features"] == (3 if method == "tsne" else 8)


@pytest.mark.parametrize("sizes", [(2,), (2, 1), (3, 2), (4, 3)])
def test_few_classifiers_are_a_tree(sizes: tuple[int, ...], tmp_path: Path) -> None:
    study = write_imported(tmp_path / "study", sizes)
    values = json.loads(call("map", study, "--json", "--out", tmp_path / "map.csv").stdout)
    assert values["method"] == "tree"
    assert values["points"] == {}
    assert sorted(values["order"]) == sorted(values["labels"])
    assert len(values["forks"]) == sum(sizes) - 1
    assert {*values["forks"][-1]["left"], *values["forks"][-1]["right"]} == set(values["order"])
    text = call("map", study, "--out", tmp_path / "map.png").stdout
    assert max(map(len, text.splitlines())) <= 80
    assert "Tree by average linkage" in text
    assert "t-SNE" not in text
    assert (tmp_path / "map.png").is_file()


def test_few_classifiers_have_no_t_sne_and_no_share_of_what_was_kept(tmp_path: Path) -> None:
    study = write_imported(tmp_path / "study", (2, 1))
    error = one_line(call("map", study, "--method", "tsne").stderr)
    assert error.startswith("Error: a map by t-SNE needs at least 8 classifiers: got 3; build a tree, or take the method")
    text = " ".join(call("map", study, "--method", "mds").stdout.split())
    assert "Classical MDS of the 1 direction that separates groups, of 2; the plane shows nothing of the others." in text
    assert "100 %" not in text


def test_a_cluster_at_opposite_ends_is_said(tmp_path: Path) -> None:
    study = write_imported(tmp_path / "study", (4, 3, 2))
    words = ("map", study, "--method", "mds", "--num-clusters", "2")
    spread = json.loads(call(*words, "--json").stdout)["spread_clusters"]
    text = " ".join(call(*words).stdout.split())
    assert spread
    assert f"({', '.join(spread)}) are at opposite ends of this plane" in text
    assert json.loads(call("map", study, "--method", "mds", "--json").stdout)["spread_clusters"] == []


def test_points_are_coloured_by_a_component(tmp_path: Path) -> None:
    result = call("map", write_imported(tmp_path / "study"), "--color", "stem layer", "--json", "--out", tmp_path / "map.csv")
    assert set(json.loads(result.stdout)["labels"].values()) == {"0s0", "1s1", "2s2"}
    table = pd.read_csv(tmp_path / "map.csv", index_col=0)
    assert list(table["stem layer"]) == sorted(table["stem layer"])
    assert list(table.columns) == ["x", "y", "stem layer"]


def test_the_text_fits_a_terminal(tmp_path: Path) -> None:
    study = write_imported(tmp_path / "study")
    output = call("map", study).stdout
    assert max(map(len, output.splitlines())) <= 80
    assert "t-SNE, perplexity 3. Distances between groups that are far apart mean nothing." in " ".join(output.split())
    assert [line.split()[2] for line in output.splitlines()[1:10]] == list("111122233")
    output = call("map", study, "--method", "mds").stdout
    assert "Classical MDS of the 2 directions that separate groups, of 8;" in output


def test_who_has_no_value_is_shown_all_the_same(tmp_path: Path) -> None:
    study = write_imported(tmp_path / "study", with_components=False)
    (tmp_path / "components.csv").write_text("name,stem\nnetwork 00,7s2\n", encoding="utf-8")
    words = ("map", study, "--color", "stem", "--components", tmp_path / "components.csv")
    values = json.loads(call(*words, "--json").stdout)
    assert values["labels"]["network 00"] == "7s2"
    assert values["labels"]["network 01"] is None
    assert call(*words).stdout.splitlines()[2].split()[2] == "-"


def test_a_component_that_is_not_there_is_refused(tmp_path: Path) -> None:
    error = one_line(call("map", write_imported(tmp_path / "study"), "--color", "stem layr").stderr)
    assert error == (
        "Error: unknown component 'stem layr'. Did you mean stem layer? Points are coloured by cluster or by one of: "
        "stem layer, attention."
    )
