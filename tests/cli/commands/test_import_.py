"""`zooscope import` makes a study that the analyses of a matrix work on."""

import json
from pathlib import Path

import pytest

from tests.analyses.planted import groups_of, planted
from tests.cli.calling import call, one_line
from tests.cli.imported import components_of
from zooscope.study.snapshot import read_snapshot

SIZES = (4, 3, 2)


@pytest.fixture
def matrix(tmp_path: Path) -> Path:
    planted(SIZES).to_csv(tmp_path / "sat.csv")
    return tmp_path / "sat.csv"


def test_a_matrix_comes_back_as_it_was(matrix: Path, tmp_path: Path) -> None:
    result = call("import", matrix, tmp_path / "study")
    assert one_line(result.stdout).endswith("study: 9 classifiers, scores imported as published")
    study = read_snapshot(tmp_path / "study")
    assert study.is_imported
    assert study.names == tuple(planted(SIZES).index)
    assert (study.sat().to_numpy() == planted(SIZES).to_numpy()).all()


def test_components_come_with_it(matrix: Path, tmp_path: Path) -> None:
    components_of(planted(SIZES), groups_of(SIZES)).iloc[:5].to_csv(tmp_path / "components.csv")
    output = call("import", matrix, tmp_path / "study", "--components", tmp_path / "components.csv").stdout
    assert output.splitlines()[1] == "Components of 5 of them"
    values = json.loads(call("import", matrix, tmp_path / "other", "--components", tmp_path / "components.csv", "--json").stdout)
    assert values["classifiers"] == list(planted(SIZES).index)
    assert values["with_components"] == list(planted(SIZES).index[:5])


def test_components_under_the_papers_headings_are_what_teachers_and_maps_ask_for(matrix: Path, tmp_path: Path) -> None:
    names = list(planted(SIZES).index)
    rows = [f"{name},{'Conv' if number % 2 else 'vit'},{number % 2},7{number}.5" for number, name in enumerate(names)]
    rows += ["elsewhere,Konv,2,70"]
    (tmp_path / "paper.csv").write_text(
        "\n".join(["Model name,Base architecture,Pooling (stem),Accuracy", *rows]), encoding="utf-8"
    )
    result = call("import", matrix, tmp_path / "study", "--components", tmp_path / "paper.csv")
    said, notes = result.stdout.splitlines(), result.stderr.splitlines()
    assert said[1] == "Components: columns read: Base architecture as base architecture, Pooling (stem) as pooling at stem."
    assert said[2].endswith("base architecture: vit as Transformer, Conv as CNN; pooling at stem: 0 as No, 1 as Yes.")
    assert said[3] == "Components of 9 of them"
    assert notes == [
        "Note: components: columns that are none of the 13 components are kept under their names: Accuracy.",
        (
            "Note: components: unknown values of base architecture are kept as they are: Konv (1 classifier). Known: CNN, "
            "Transformer, MLP-Mixer, Hybrid, NAS (CNN) and others."
        ),
        "Note: components: unknown values of pooling at stem are kept as they are: 2 (1 classifier). Known: Yes, No.",
        "Note: components: 1 row of other classifiers not used: elsewhere.",
    ]
    ranked = json.loads(call("teachers", tmp_path / "study", "--student", names[0], "--json").stdout)
    assert {row["name"] for row in ranked["same"]} == set(names[2::2])
    assert {row["name"] for row in ranked["other"]} == set(names[1::2])
    for color in ("base architecture", "Base Architecture", "base_arch"):
        values = json.loads(call("map", tmp_path / "study", "--color", color, "--json").stdout)
        assert values["color"] == "base architecture"
        assert values["labels"][names[0]] == "Transformer"
    error = one_line(call("map", tmp_path / "study", "--color", "Acuracy").stderr)
    assert "unknown component 'Acuracy'. Did you mean Accuracy? Points are coloured by cluster or by one of:" in error
    by_file = call("teachers", tmp_path / "study", "--student", names[0], "--components", tmp_path / "paper.csv", "--json")
    assert json.loads(by_file.stdout) == ranked


def test_what_needs_only_the_matrix_works_and_the_rest_says_what_is_missing(matrix: Path, tmp_path: Path) -> None:
    study = tmp_path / "study"
    call("import", matrix, study)
    for command in ("show", "clusters", "map"):
        assert call(command, study, "--json").exit_code == 0
    result = call("ensembles", study)
    assert result.exit_code == 1
    assert "zooscope measure FOLDER" in one_line(result.stderr)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",a,b\na,4.6,80\nb,80,4.6\n", "scores are natural logarithms of percentages"),
        (",a,b\na,4.6,2\nb,3,4.6\n", "not symmetric"),
        (",a,b\na,4.6,x\nb,3,4.6\n", "is not a number: got 'x'"),
        (",a,b\na,4.6,2\n", "is not square"),
        (",a,a\na,4.6,2\na,2,4.6\n", "twice"),
        ("", "is empty"),
    ],
)
def test_what_is_no_matrix_of_scores_is_refused_and_leaves_nothing(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "sat.csv").write_text(text, encoding="utf-8")
    result = call("import", tmp_path / "sat.csv", tmp_path / "study")
    assert result.exit_code == 1
    assert message in one_line(result.stderr)
    assert not (tmp_path / "study").exists()


def test_a_folder_with_a_study_is_left_alone(matrix: Path, tmp_path: Path) -> None:
    call("import", matrix, tmp_path / "study")
    result = call("import", matrix, tmp_path / "study")
    assert result.exit_code == 1
    assert "study" in one_line(result.stderr)
