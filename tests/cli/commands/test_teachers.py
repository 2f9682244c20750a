import json
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.calling import call, one_line
from tests.cli.zoo import NAMES, write_zoo
from zooscope.study.study import Study

BASES = "name,base architecture\nbundled:a0,CNN\nbundled:a1,CNN\nbundled:a2,CNN\ntimm:b0,Transformer\ntimm:b1,Transformer\n"


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_zoo(tmp_path_factory.mktemp("zoo"))


@pytest.fixture
def bases(tmp_path: Path) -> Path:
    (tmp_path / "bases.csv").write_text(BASES)
    return tmp_path / "bases.csv"


def test_json_ranks_both_kinds_beside_the_evidence(zoo: Path, bases: Path) -> None:
    found = json.loads(call("teachers", zoo, "--student", "bundled:a0", "--components", bases, "--json").stdout)
    assert found["base_architecture"] == "CNN"
    assert {row["name"] for row in found["same"]} == {"bundled:a1", "bundled:a2"}
    assert [row["sat"] for row in found["same"]] == sorted((row["sat"] for row in found["same"]), reverse=True)
    assert [row["sat"] for row in found["other"]] == sorted(row["sat"] for row in found["other"])
    assert [row["name"] for row in found["unranked"]] == ["timm:b2"]
    assert found["unranked"][0]["base_architecture"] is None
    assert set(found["same"][0]) == {"name", "base_architecture", "sat", "low", "high", "accuracy"}
    assert found["evidence"]["other"] == {"teachers": "other base architecture", "count": 18, "r": -0.51, "p": 0.03}


def test_what_the_study_knows_of_components_is_used(tmp_path: Path) -> None:
    with Study.open(write_zoo(tmp_path)) as study:
        study.set_components(pd.DataFrame({"base architecture": ["CNN", "CNN"]}, index=["bundled:a0", "timm:b0"]))
    found = json.loads(call("teachers", tmp_path, "--student", "bundled:a0", "--json").stdout)
    assert [row["name"] for row in found["same"]] == ["timm:b0"]


def test_the_text_fits_eighty_columns_and_says_how_weak_the_evidence_is(zoo: Path, bases: Path) -> None:
    text = call("teachers", zoo, "--student", "bundled:a0", "--components", bases).stdout
    assert max(map(len, text.splitlines())) <= 80
    words = " ".join(text.split())
    assert "Teacher candidates for a0 (CNN)" in words
    assert "r = -0.51 between SAT and the student's accuracy, p = 0.03, 18 teachers." in words
    assert "The evidence is weak: one student, trained once with each teacher (over all 25: r = -0.32, p = 0.12)." in words
    assert "timm:b2 (?)" in words


def test_without_components_it_says_so_and_ranks_nobody(zoo: Path) -> None:
    words = " ".join(call("teachers", zoo, "--student", "bundled:a0").stdout.split())
    assert "(base architecture not known)" in words
    assert "no classifier is ranked" in words
    assert "1." not in words.split("Not ranked")[1].split("The evidence")[0].split()


def test_an_imported_matrix_will_do(tmp_path: Path) -> None:
    matrix = pd.DataFrame([[4.6, 3.0, 2.0], [3.0, 4.6, 2.5], [2.0, 2.5, 4.6]], index=list("abc"), columns=list("abc"))
    with Study.from_matrix(
        tmp_path / "study", matrix, components=pd.DataFrame({"base architecture": ["CNN"] * 3}, index=list("abc"))
    ):
        pass
    result = call("teachers", tmp_path / "study", "--student", "a", "--json", "--out", tmp_path / "teachers.csv")
    found = json.loads(result.stdout)
    assert [(row["name"], row["accuracy"], row["low"]) for row in found["same"]] == [("b", None, None), ("c", None, None)]
    assert (tmp_path / "teachers.csv").read_text().startswith("name,SAT,")


def test_a_table_without_base_architectures_is_refused(zoo: Path, tmp_path: Path) -> None:
    (tmp_path / "stems.csv").write_text("name,stem layer\nbundled:a0,3s1\n")
    result = call("teachers", zoo, "--student", "bundled:a0", "--components", tmp_path / "stems.csv")
    assert result.exit_code == 1
    assert "has no column 'base architecture', which teachers are ranked by; it has stem layer." in one_line(result.stderr)


def test_an_unknown_student_is_refused(zoo: Path) -> None:
    assert "unknown classifier 'bundled:a9'" in one_line(call("teachers", zoo, "--student", "bundled:a9").stderr)


def test_candidates_are_points_by_kind(zoo: Path, bases: Path, tmp_path: Path) -> None:
    call("teachers", zoo, "--student", "bundled:a0", "--components", bases, "--out", tmp_path / "teachers.csv")
    table = pd.read_csv(tmp_path / "teachers.csv", index_col=0)
    assert table["base architecture"].to_dict() == {
        **dict.fromkeys(NAMES[1:3], "same base architecture"),
        **dict.fromkeys(NAMES[3:5], "other base architecture"),
        NAMES[5]: "not known",
    }
