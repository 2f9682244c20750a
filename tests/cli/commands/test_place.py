import json
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.calling import call, one_line
from tests.cli.zoo import NAMES, write_zoo
from zooscope.study.study import Study


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_zoo(tmp_path_factory.mktemp("zoo"))


def test_one_of_the_study_is_left_out_and_placed_by_its_row(zoo: Path) -> None:
    found = json.loads(call("place", zoo, "--classifier", "bundled:a1", "--json", "--num-clusters", "2").stdout)
    with Study.open(zoo) as study:
        row = study.one_sided().sel(source="bundled:a1").to_series().drop("bundled:a1")
    targets = {target["name"]: target["sat"] for target in found["targets"]}
    assert targets == pytest.approx(row.to_dict())
    assert found["nearest"] == row.idxmax()
    assert list(targets.values()) == sorted(targets.values(), reverse=True)
    assert found["cluster"] == found["clusters"][0]["cluster"]
    assert found["cluster_share"] == found["clusters"][0]["share"]
    assert {row["cluster"] for row in found["corrected"]} == {row["cluster"] for row in found["clusters"]}
    assert found["one_sided"]["pearson"]["num_pairs"] == 30
    assert found["one_sided"]["recovered"] <= found["one_sided"]["recoverable"] <= 6


def test_the_text_fits_eighty_columns_and_says_how_sure_it_is(zoo: Path) -> None:
    text = call("place", zoo, "--classifier", "bundled:a1", "--num-clusters", "2").stdout
    assert max(map(len, text.splitlines())) <= 80
    words = " ".join(text.split())
    assert "left out of the study, placed by its own attack alone" in words
    assert "of bootstrap draws of the images agree" in words
    assert "In the study, one direction of SAT and both have r =" in words


def test_where_no_clusters_can_be_made_the_nearest_are_told_all_the_same(tmp_path: Path) -> None:
    result = call("place", write_zoo(tmp_path / "study", NAMES[:2]), "--classifier", "bundled:a1")
    assert result.exit_code == 0
    assert "Note: without clusters:" in result.stderr
    assert "The study has too few pairs" in " ".join(result.stdout.split())
    assert "Placed in cluster" not in result.stdout


@pytest.mark.parametrize(("picture", "column"), [("targets", "one-sided SAT"), ("directions", "SAT (natural log)")])
def test_what_is_drawn_can_be_chosen(zoo: Path, tmp_path: Path, picture: str, column: str) -> None:
    call("place", zoo, "--classifier", "bundled:a1", "--picture", picture, "--out", tmp_path / "place.csv")
    assert column in pd.read_csv(tmp_path / "place.csv").columns


def test_a_new_classifier_is_attacked_and_the_study_stays_as_it_is(measured_study: Path) -> None:
    before = (measured_study / "study.db").read_bytes()
    result = call("place", measured_study, "--classifier", "bundled:vit_seed1?name=new", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["classifier"] == "new"
    assert {target["name"] for target in found["targets"]} == {"bundled:resnet", "bundled:vit"}
    assert all(target["control"] == 0 for target in found["targets"])
    assert (measured_study / "study.db").read_bytes() == before
    with Study.open(measured_study) as study:
        assert study.names == ("bundled:resnet", "bundled:vit")


def test_what_is_neither_in_the_study_nor_an_address_is_refused(zoo: Path) -> None:
    assert "unknown classifier 'a9'" in one_line(call("place", zoo, "--classifier", "a9").stderr)
