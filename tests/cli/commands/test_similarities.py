import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.calling import call, one_line
from tests.cli.synthetic import write_study
from tests.records.written import rewrite
from tests.study.test_comparison import CLEAN, save_planes
from zooscope.records.entries import DATABASE
from zooscope.study.comparison import compare_study_similarities
from zooscope.study.snapshot import read_snapshot

NAMES = ("a", "b", "c", "d", "e", "f")
pytestmark = pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("study")
    write_study(made, NAMES, architectures=("cnn", "vit", "mixer"))
    save_planes(made)
    return made


def test_json_holds_scores_correlations_and_answers_with_intervals(folder: Path) -> None:
    found = json.loads(call("similarities", folder, "--json").stdout)
    names = ["sat", *CLEAN, "agreement"]
    study = read_snapshot(folder)
    expected = compare_study_similarities(study)
    assert list(found["scores"]) == names
    np.testing.assert_allclose(found["scores"]["sat"]["matrix"], study.sat(confidence=None))
    assert found["scores"]["sat"]["cost"] == expected.scores["sat"].passes
    assert found["scores"]["disagreement"]["larger_is_more_similar"] is False
    assert (
        found["correlations"]["sat"]["capa"]
        == found["correlations"]["capa"]["sat"]
        == pytest.approx(expected.found.correlations["r"][1])
    )
    assert set(found["p_mantel"]) == set(names)
    for key, ranking in (
        ("same_architecture_auc", expected.found.same_architecture),
        ("ensemble_correlation", expected.found.ensembles),
    ):
        answers = ranking.answers["value"]
        assert list(found[key]) == names
        np.testing.assert_allclose([np.nan if found[key][name] is None else found[key][name] for name in names], answers)
        assert set(found["intervals"][key]["sat"]) == {"low", "high", "num_pairs"}
        assert len(found["differences"][key]) == len(names) * (len(names) - 1) / 2
        assert set(found["differences"][key][0]) == {"first", "second", "difference", "low", "high", "num_pairs"}
    assert found["pairs"] == {"equal_architecture": 3, "other": 12}
    assert set(found["missing"]) == {"cka", "gradient_cosine"}
    assert found["stability"]["agreement"]["unit"] == "triplets"
    assert found["stability"]["sat"]["by_size"][0].keys() >= {"units", "passes", "std", "relative", "disjoint"}


def test_the_text_fits_the_terminal_says_what_is_missing_and_is_drawn(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zooscope.cli.commands.similarities.format_number", lambda *_: "-0.88")  # as wide as numbers get
    pictures = [tmp_path / f"steady.{ending}" for ending in ("csv", "png", "html")]
    text = call("similarities", folder, *(word for picture in pictures for word in ("--out", picture))).stdout
    words = " ".join(text.split())
    assert "6 classifiers, 60 images. 3 pairs of equal architecture, 12 of different ones." in words
    assert f"Without cka: `zooscope measure {folder} --also features` measures what it takes." in words
    assert "SAT minus AUC r with ERR error_consistency" in words
    assert "too few to compare scores by" not in words
    assert "At SAT's cost: std extrapolated" in words
    assert [line for line in text.splitlines() if len(line) > 80 and str(folder) not in line] == []
    header, *rows = pictures[0].read_text().splitlines()
    assert header.startswith("name,cost of a set per classifier (forward passes),standard deviation (hundredths of the score)")
    assert {row.partition(",")[0] for row in rows} >= {"sat", "agreement", "disagreement"}
    assert all(picture.stat().st_size > 0 for picture in pictures)


@pytest.mark.parametrize(
    ("architectures", "said"),
    [(("cnn",), "no two classifiers differ in their"), (NAMES, "no two classifiers have the same")],
    ids=["equal", "unlike"],
)
def test_without_pairs_of_both_kinds_there_is_no_auc(tmp_path: Path, architectures: tuple[str, ...], said: str) -> None:
    write_study(tmp_path, NAMES[:3], num_images=9, architectures=architectures)
    text = " ".join(call("similarities", tmp_path).stdout.split())
    assert f"There is no AUC: {said} recorded architecture." in text
    assert "Note: 3 classifiers are too few to compare scores by" in text
    assert "There are too few images for ten sets that share none" in text


def test_a_half_measured_study_says_what_it_lacks(tmp_path: Path) -> None:
    write_study(tmp_path, NAMES, num_images=12, num_measured=2)
    text = " ".join(call("similarities", tmp_path).stdout.split())
    assert f"Without capa: `zooscope measure {tmp_path}` measures what it takes." in text
    assert "There is no correlation with ERR: the clean logits of" in text


def test_gaps_are_said_with_the_commonest_reason(tmp_path: Path) -> None:
    write_study(tmp_path, NAMES, num_images=12)
    save_planes(tmp_path, names=NAMES[:4], num_parts=1)
    text = " ".join(call("similarities", tmp_path).stdout.split())
    assert "agreement has no score of 9 of 15 pairs: the planes of f are not measured (on all images); run" in text
    assert "(and 1 more reason)." in text


def test_few_images_have_no_picture(tmp_path: Path) -> None:
    write_study(tmp_path, NAMES[:3], num_images=9)
    result = call("similarities", tmp_path, "--out", tmp_path / "picture.png")
    assert result.exit_code == 1
    assert "there is no spread to draw: the study has too few images for ten sets" in one_line(result.stderr)


def test_the_spread_can_be_drawn_relative_to_that_of_the_pairs(tmp_path: Path) -> None:
    write_study(tmp_path, NAMES[:3], num_images=30)
    call("similarities", tmp_path, "--relative", "--out", tmp_path / "relative.csv")
    assert "standard deviation / that over the pairs" in (tmp_path / "relative.csv").read_text().splitlines()[0]


def test_names_are_shown_escaped(tmp_path: Path) -> None:
    write_study(tmp_path, ("\x1b]0;a\x07", "b"), num_images=9, targets_only=("\x1b]0;a\x07",))
    result = call("similarities", tmp_path)
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout


def test_a_damaged_record_is_not_taken_for_one_that_is_not_measured(tmp_path: Path) -> None:
    write_study(tmp_path, NAMES, num_images=12)
    rewrite(tmp_path / DATABASE, "UPDATE arrays SET bytes = x'00' WHERE series_id = (SELECT id FROM series WHERE kind = 'logits')")
    result = call("similarities", tmp_path)
    assert result.exit_code == 1
    assert "damaged" in one_line(result.stderr)
