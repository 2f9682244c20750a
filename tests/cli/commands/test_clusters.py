"""`zooscope clusters` in a terminal, as JSON and as pictures."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.analyses.planted import groups_of, planted
from tests.cli.calling import call, one_line
from tests.cli.imported import write_imported
from tests.cli.synthetic import write_study

NAMES = ("bundled:a", "bundled:b", "bundled:c", "bundled:d", "bundled:e")


def test_a_matrix_gives_clusters_and_keywords_and_says_what_stability_needs(tmp_path: Path) -> None:
    result = call("clusters", write_imported(tmp_path / "study"), "--num-clusters", "3", "--json")
    values = json.loads(result.stdout)
    expected = dict(zip(planted([4, 3, 2]).index, (groups_of([4, 3, 2]) + 1).tolist(), strict=True))
    assert values["labels"] == expected
    assert values["keywords"]["1"][0] == "stem layer: 0s0"
    assert values["stability"] is None
    assert "zooscope measure FOLDER" in values["stability_missing"]
    assert values["keywords_missing"] is None
    assert len(values["eigengaps"]) == 9
    assert values["eigengaps"][8] == {
        "num_clusters": 9,
        "eigenvalue": pytest.approx(values["eigengaps"][8]["eigenvalue"]),
        "gap": None,
    }
    assert values["times_met"] >= 10


def test_a_measured_study_says_how_stable_its_clusters_are(tmp_path: Path) -> None:
    write_study(tmp_path / "study", NAMES)
    values = json.loads(call("clusters", tmp_path / "study", "--num-clusters", "2", "--draws", "20", "--json").stdout)
    stability = values["stability"]
    assert stability["num_draws"] == 20
    assert [stability["clusters"][number]["size"] for number in ("1", "2")] == [3, 2]
    assert stability["co_assignment"]["bundled:a"]["bundled:a"] == 1
    assert values["stability_missing"] is None
    assert values["keywords"] is None
    assert "--components" in values["keywords_missing"]


def test_the_text_fits_a_terminal(tmp_path: Path) -> None:
    write_study(tmp_path / "study", NAMES)
    output = call("clusters", tmp_path / "study", "--num-clusters", "2", "--draws", "20").stdout
    assert max(map(len, output.splitlines())) <= 80
    assert "5 classifiers in 2 clusters, as requested" in output
    assert re.search(r"Cluster 1: 3 classifiers, (stable|unsure|noise): two of them together in", output)
    assert "Over 20 draws of the images" in output
    assert "Largest eigengaps: " in output
    assert "Note: no keywords: no components of these classifiers are known" in " ".join(output.split())


def test_a_cluster_of_one_is_said_to_be_alone(tmp_path: Path) -> None:
    write_study(tmp_path / "study", NAMES[:2])
    output = call("clusters", tmp_path / "study", "--num-clusters", "2", "--draws", "3").stdout
    assert "Cluster 1: 1 classifier, the same by construction: alone in 100 % of draws" in output
    assert "Largest eigengaps: none that show groups." in output


@pytest.mark.parametrize(
    ("sizes", "asked", "expected"), [((4, 3, 2), (), 3), ((4, 3, 2), ("auto",), 3), ((12, 8, 4), (), 10), ((12, 8, 4), ("5",), 5)]
)
def test_the_number_is_ten_or_for_few_classifiers_that_of_the_eigengap(
    sizes: tuple[int, ...], asked: tuple[str, ...], expected: int, tmp_path: Path
) -> None:
    options = ("--num-clusters", *asked) if asked else ()
    values = json.loads(call("clusters", write_imported(tmp_path / "study", sizes), *options, "--json").stdout)
    assert values["num_clusters"] == len(set(values["labels"].values())) == expected
    assert values["by_eigengap"] == (expected == 3)


def test_components_of_a_file_are_taken(tmp_path: Path) -> None:
    study = write_imported(tmp_path / "study", with_components=False)
    (tmp_path / "components.csv").write_text("name,stem\nnetwork 00,7s2\n", encoding="utf-8")
    values = json.loads(call("clusters", study, "--components", tmp_path / "components.csv", "--json").stdout)
    assert ["stem layer: 7s2"] in values["keywords"].values()


def test_what_every_cluster_has_is_no_keyword(tmp_path: Path) -> None:
    study = write_imported(tmp_path / "study", with_components=False)
    names = planted([4, 3, 2]).index
    stems = (groups_of([4, 3, 2]) + 5).tolist()
    table = pd.DataFrame({"SE": "No", "stem": [f"{stem}s2" for stem in stems]}, index=pd.Index(names, name="name"))
    table.to_csv(tmp_path / "components.csv")
    words = ("clusters", study, "--components", tmp_path / "components.csv")
    values = json.loads(call(*words, "--json").stdout)
    assert values["keywords"] == {"1": ["stem layer: 5s2"], "2": ["stem layer: 6s2"], "3": ["stem layer: 7s2"]}
    assert values["keywords_shared"] == ["SE: No"]
    assert "No keywords, since most classifiers of every cluster have them: SE: No." in " ".join(call(*words).stdout.split())


def test_a_classifier_can_be_left_out(tmp_path: Path) -> None:
    study = write_imported(tmp_path / "study")
    values = json.loads(call("clusters", study, "--leave-out", "network 00", "--leave-out", "network 01", "--json").stdout)
    assert len(values["labels"]) == 7
    assert "unknown classifier 'network 99'" in one_line(call("clusters", study, "--leave-out", "network 99").stderr)


@pytest.mark.parametrize("picture", ["distances", "sat", "stability"])
def test_pictures_are_drawn(picture: str, tmp_path: Path) -> None:
    write_study(tmp_path / "study", NAMES)
    result = call(
        "clusters",
        tmp_path / "study",
        "--draws",
        "5",
        "--picture",
        picture,
        "--out",
        tmp_path / "p.csv",
        "--out",
        tmp_path / "p.svg",
    )
    table = pd.read_csv(tmp_path / "p.csv", index_col=0)
    assert sorted(table.index) == sorted(NAMES)
    assert np.isnan(table.to_numpy().diagonal()).all() == (picture == "sat")
    assert (tmp_path / "p.svg").is_file()
    assert result.stderr.count("The picture: ") == 2


def test_there_is_no_picture_of_a_stability_that_is_not_known(tmp_path: Path) -> None:
    study = write_imported(tmp_path / "study")
    error = one_line(call("clusters", study, "--picture", "stability", "--out", tmp_path / "p.png").stderr)
    assert error.startswith("Error: there is no stability to draw: an imported matrix has no images")
    write_study(tmp_path / "measured", NAMES)
    assert "no draws were requested" in call("clusters", tmp_path / "measured", "--draws", "0").stdout


@pytest.mark.parametrize("word", ["0", "-1", "x"])
def test_what_is_no_number_of_clusters_is_refused(word: str, tmp_path: Path) -> None:
    result = call("clusters", tmp_path, f"--num-clusters={word}")
    assert result.exit_code == 2
    assert "is not a number of clusters; write a number from 1 on, or auto" in " ".join(result.stderr.split())


def test_more_clusters_than_classifiers_are_refused(tmp_path: Path) -> None:
    result = call("clusters", write_imported(tmp_path / "study"), "--num-clusters", "10")
    assert result.exit_code == 1
    assert one_line(result.stderr) == "Error: num_clusters must be from 1 to 9, the number of classifiers: got 10."
