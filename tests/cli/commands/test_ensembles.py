import json
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.calling import call, one_line
from tests.cli.synthetic import write_study
from tests.cli.zoo import NAMES, write_groups, write_zoo
from zooscope.analyses.averaging import CleanLogits
from zooscope.analyses.ensembles import measure_pair_ensembles
from zooscope.study.study import Study


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_zoo(tmp_path_factory.mktemp("zoo"))


def test_json_holds_pairs_correlation_draws_and_groups(zoo: Path, tmp_path: Path) -> None:
    groups = write_groups(tmp_path / "groups.csv")
    found = json.loads(call("ensembles", zoo, "--json", "--groups", groups, "--num-clusters", "2", "--largest", "3").stdout)
    with Study.open(zoo) as study:
        values = tuple(study.clean_logits(name) for name in NAMES)
        logits = CleanLogits(names=NAMES, values=values, labels=study.predictions.labels)
        expected = measure_pair_ensembles(logits, study.sat(confidence=None))
    assert len(found["pairs"]) == 15
    assert found["pairs"][0] == expected.pairs.iloc[0].to_dict()
    assert found["pearson"]["r"] == pytest.approx(expected.pearson.r)
    assert found["pearson"]["p_mantel"] == expected.pearson.p_mantel
    assert found["trend"]["confidence"] == 0.9
    assert len(found["trend"]["sat"]) == len(found["trend"]["low"]) == len(found["trend"]["err"])
    assert found["clusters"] == 2
    assert {(row["num_members"], row["num_clusters"]) for row in found["draws"]} <= {(2, 1), (2, 2), (3, 1), (3, 2)}
    assert {row["group"] for row in found["groups"]} == {"a seeds", "b seeds"}
    assert found["average"] == "logits"


def test_the_text_fits_eighty_columns_and_says_both_p_values(zoo: Path, tmp_path: Path) -> None:
    text = call("ensembles", zoo, "--groups", write_groups(tmp_path / "groups.csv")).stdout
    assert max(map(len, text.splitlines())) <= 80
    words = " ".join(text.split())
    assert "15 ensembles of two, average of logits:" in words
    assert "by permuting classifiers (Mantel, 720 permutations, all there are; as if all 15 pairs were independent:" in words
    assert "Ensembles from within a group, in the same way:" in words
    assert "a seeds" in words


def test_probabilities_are_averaged_where_asked_for(zoo: Path) -> None:
    assert json.loads(call("ensembles", zoo, "--json", "--average", "probabilities").stdout)["average"] == "probabilities"


@pytest.mark.parametrize(
    ("options", "column"),
    [
        ((), "error reduction rate (percent)"),
        (("--picture", "clusters", "--num-clusters", "2"), "error reduction rate (percent)"),
        (
            ("--picture", "clusters", "--num-clusters", "2", "--metric", "all_wrong"),
            "images that every member gets wrong (percent)",
        ),
        (("--picture", "groups", "--metric", "error"), "top-1 error (percent)"),
    ],
)
def test_what_is_drawn_can_be_chosen(zoo: Path, tmp_path: Path, options: tuple[str, ...], column: str) -> None:
    groups = write_groups(tmp_path / "groups.csv")
    result = call("ensembles", zoo, "--groups", groups, *options, "--out", tmp_path / "numbers.csv")
    assert f"The picture: {tmp_path / 'numbers.csv'}" in result.stderr
    assert column in pd.read_csv(tmp_path / "numbers.csv").columns


def test_a_picture_of_groups_needs_groups(zoo: Path, tmp_path: Path) -> None:
    result = call("ensembles", zoo, "--picture", "groups", "--out", tmp_path / "groups.png")
    assert result.exit_code == 1
    assert one_line(result.stderr).startswith("Error: there are no ensembles to draw by groups; give groups by --groups FILE")


def test_two_classifiers_are_one_pair_and_no_correlation(tmp_path: Path) -> None:
    result = call("ensembles", write_zoo(tmp_path / "study", ("a", "b")))
    assert "1 ensemble of two" in result.stdout
    assert "Too few pairs" in result.stdout


def test_more_clusters_than_classifiers_are_refused(zoo: Path) -> None:
    result = call("ensembles", zoo, "--num-clusters", "7")
    assert result.exit_code == 1
    assert "7" in one_line(result.stderr)


def test_a_study_half_measured_says_what_is_missing(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b"), num_measured=1)
    result = call("ensembles", tmp_path)
    assert result.exit_code == 1
    assert "the clean logits of a are not all measured; run `zooscope measure` to the end" in one_line(result.stderr)


def test_an_imported_matrix_has_no_logits(tmp_path: Path) -> None:
    matrix = pd.DataFrame([[4.6, 3.0], [3.0, 4.6]], index=["a", "b"], columns=["a", "b"])
    with Study.from_matrix(tmp_path, matrix):
        pass
    result = call("ensembles", tmp_path)
    assert result.exit_code == 1
    assert "is an imported matrix and holds no" in one_line(result.stderr)
