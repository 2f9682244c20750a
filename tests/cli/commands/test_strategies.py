import json
import re
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.calling import call, one_line
from tests.cli.synthetic import write_study
from tests.cli.zoo import write_groups, write_zoo
from zooscope.study.study import Study


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_zoo(tmp_path_factory.mktemp("zoo"))


def test_json_holds_within_between_and_overall(zoo: Path, tmp_path: Path) -> None:
    found = json.loads(call("strategies", zoo, "--groups", write_groups(tmp_path / "groups.csv"), "--json").stdout)
    with Study.open(zoo) as study:
        sat = study.sat(confidence=None).to_numpy()
    assert found["within"]["b seeds"]["sat"] == pytest.approx(sat[3, 4])
    assert found["within"]["a seeds"]["pairs"] == 3
    assert [(row["group"], row["other"]) for row in found["between"]] == [("a seeds", "b seeds")]
    assert found["between"][0]["sat"] == pytest.approx(sat[:3, 3:5].mean())
    assert found["overall"]["classifiers"] == 6
    assert found["confidence"] == 0.95


def test_the_text_fits_eighty_columns(zoo: Path, tmp_path: Path) -> None:
    text = call(
        "strategies",
        zoo,
        "--groups",
        write_groups(tmp_path / "groups.csv", "name,group\ntimm:b0,alone\ntimm:b1,two\ntimm:b2,two\n"),
    ).stdout
    assert max(map(len, text.splitlines())) <= 80
    assert "all classifiers" in text
    assert "alone and two" in text
    assert "Sensitivity is 1 minus the mean share of images that fool" in text
    assert next(line for line in text.splitlines() if line.startswith("alone ")).split()[1:] == ["1", "0", "-", "-", "-"]


def test_without_groups_it_says_how_to_give_them(zoo: Path) -> None:
    result = call("strategies", zoo)
    assert result.exit_code == 1
    assert "no classifier has a group; name the groups by --groups FILE.csv" in one_line(result.stderr)


def test_it_is_drawn(zoo: Path, tmp_path: Path) -> None:
    groups = write_groups(tmp_path / "groups.csv")
    call("strategies", zoo, "--groups", groups, "--out", tmp_path / "strategies.csv")
    lines = (tmp_path / "strategies.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["a seeds (3)", "b seeds (2)", "all classifiers (6)"]


def test_a_published_matrix_has_means_without_intervals(tmp_path: Path) -> None:
    matrix = pd.DataFrame([[4.6, 3.0, 2.0], [3.0, 4.6, 1.0], [2.0, 1.0, 4.6]], index=list("abc"), columns=list("abc"))
    Study.from_matrix(tmp_path / "published", matrix).close()
    groups = tmp_path / "groups.csv"
    groups.write_text("name,group\na,seeds\nb,seeds\n", encoding="utf-8")
    result = call("strategies", tmp_path / "published", "--groups", groups, "--out", tmp_path / "picture.png")
    assert result.exit_code == 0, result.stderr
    assert re.search(r"seeds +2 +1 +3\.00 +- +0\.80", result.stdout)
    found = json.loads(call("strategies", tmp_path / "published", "--groups", groups, "--json").stdout)
    assert found["within"]["seeds"]["sat"] == pytest.approx(3)
    assert found["within"]["seeds"]["sat_low"] is None


def test_it_says_where_so_few_images_fool_that_mean_sat_is_too_low(zoo: Path, tmp_path: Path) -> None:
    groups = write_groups(tmp_path / "groups.csv")
    few = json.loads(call("strategies", zoo, "--groups", groups, "--json").stdout)["overall"]["few_fooled"]
    text = " ".join(call("strategies", zoo, "--groups", groups).stdout.split())
    assert ("pairs fewer than 5 images fool" in text) == (few > 0)
    write_study(tmp_path / "few", ("a", "b", "c"), num_images=6)
    write_groups(tmp_path / "abc.csv", "name,group\na,all\nb,all\nc,all\n")
    text = " ".join(call("strategies", tmp_path / "few", "--groups", tmp_path / "abc.csv").stdout.split())
    assert "Note: of 3 of the 3 pairs fewer than 5 images fool." in text
