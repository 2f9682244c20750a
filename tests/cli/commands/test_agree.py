import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.cli.calling import call, one_line
from tests.cli.synthetic import ATTACK, write_study
from zooscope.analyses.study_agreement import measure_agreement
from zooscope.study.snapshot import read_snapshot
from zooscope.study.study import Study

NAMES = tuple(f"bundled:{letter}" for letter in "abcdef")
pytestmark = pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Studies `weak` and `strong` under two attacks, `one_sided`, and `published`, the matrix of `weak` without its last name."""
    made = tmp_path_factory.mktemp("studies")
    write_study(made / "weak", NAMES[:5], attack=ATTACK.replace("50", "5"))
    write_study(made / "strong", NAMES[:0:-1], accuracy=0.8)
    write_study(made / "one_sided", NAMES[:5], targets_only=NAMES[1:2])
    scores = read_snapshot(made / "weak").take(NAMES[:4]).sat(confidence=None).to_numpy()
    Study.from_matrix(made / "published", pd.DataFrame(scores, index=list(NAMES[:4]), columns=list(NAMES[:4]))).close()
    return made


def test_json_holds_the_agreement(folder: Path) -> None:
    found = json.loads(call("agree", folder / "weak", folder / "strong", "--json").stdout)
    matrices = [read_snapshot(folder / name).sat(confidence=None) for name in ("weak", "strong")]
    expected = measure_agreement(*matrices)
    assert (found["count"], found["classifiers"]) == (6, list(NAMES[1:5]))
    assert (found["pearson"], found["p_mantel"]) == pytest.approx((expected.pearson.r, expected.pearson.p_mantel))
    assert (found["spearman"], found["p_mantel_spearman"]) == pytest.approx((expected.spearman.r, expected.spearman.p_mantel))
    assert found["permutations"] == {"count": 24, "exact": True}
    assert found["trend"]["slope"] == pytest.approx(expected.trend.slope)
    assert found["pairs"] == expected.pairs.to_dict(orient="records")
    assert (found["first"]["left_out"], found["second"]["left_out"]) == ([NAMES[0]], [NAMES[5]])
    assert found["first"]["attack"]["iterations"] == 5
    assert found["second"]["images"] == {"address": "bundled:cifar10", "count": 60}
    assert found["unscored"] == []


def test_the_text_says_the_attacks_who_is_left_out_and_fits_the_terminal(folder: Path) -> None:
    text = call("agree", folder / "weak", folder / "strong").stdout
    words = " ".join(text.split())
    assert f"First study: {folder / 'weak'} (bundled:cifar10, 60 images)" in words
    assert "iterations 5)" in words
    assert "iterations 50)" in words
    assert "4 classifiers are in both studies; 6 pairs of them have a score in both." in words
    assert "Left out, only in the first: a." in words
    assert "Left out, only in the second: f." in words
    assert "from permuting classifiers (Mantel, 24 permutations, all there are)" in words
    assert "Farthest from the trend" in words
    assert [line for line in text.splitlines() if len(line) > 80 and str(folder) not in line] == []


def test_an_imported_matrix_agrees_with_its_study(folder: Path) -> None:
    text = " ".join(call("agree", folder / "weak", folder / "published").stdout.split())
    assert f"Second study: {folder / 'published'} (an imported matrix) Attack: as published" in text
    assert "r = 1.00" in text
    assert "On average, SAT is 0.00 higher in the second study. One unit more in the first goes with 1.00 more" in text
    found = json.loads(call("agree", folder / "published", folder / "weak", "--json").stdout)
    assert (found["pearson"], found["spearman"]) == pytest.approx((1, 1))
    assert (found["first"]["images"], found["first"]["targets_only"]) == ({"address": "", "count": 0}, [])


def test_pairs_that_a_one_sided_study_has_no_score_of_are_named(folder: Path) -> None:
    result = call("agree", folder / "one_sided", folder / "weak")
    text = " ".join(result.stdout.split())
    assert result.stderr == ""
    assert "5 classifiers are in both studies; 6 pairs of them have a score in both." in text
    assert "Without a score: a and b (not in the first), b and c (not in the first)" in text
    assert "Not attacked in the first, so no pair with them has a score there: b." in text
    exchanged = " ".join(call("agree", folder / "weak", folder / "one_sided").stdout.split())
    assert "a and b (not in the second)" in exchanged
    assert "a and b (in neither)" in " ".join(call("agree", folder / "one_sided", folder / "one_sided").stdout.split())
    found = json.loads(call("agree", folder / "one_sided", folder / "weak", "--json").stdout)
    assert found["first"]["targets_only"] == [NAMES[1]]
    assert [row["first"] for row in found["unscored"]] == [None] * 4
    assert np.isfinite([row["second"] for row in found["unscored"]]).all()


def test_many_pairs_without_a_score_are_cut(tmp_path: Path) -> None:
    write_study(tmp_path / "one", NAMES, targets_only=NAMES[2:])
    text = " ".join(call("agree", tmp_path / "one", tmp_path / "one").stdout.split())
    assert "a and f (in neither), b and c (in neither) and 9 more." in text
    assert "1 pair of them has a score in both." in text
    assert "there is no correlation." in text
    assert text.count("a and b") == 1  # its scores are shown without a trend


def test_it_is_drawn_with_what_differs_on_the_axes(folder: Path, tmp_path: Path) -> None:
    call("agree", folder / "weak", folder / "strong", "--out", tmp_path / "agree.csv", "--out", tmp_path / "agree.png")
    header = (tmp_path / "agree.csv").read_text().splitlines()[0]
    assert header == 'name,"SAT (natural log), LinfPGD?iterations=5","SAT (natural log), LinfPGD?iterations=50"'
    assert (tmp_path / "agree.png").stat().st_size > 0


def test_studies_without_three_shared_classifiers_are_refused(folder: Path, tmp_path: Path) -> None:
    write_study(tmp_path / "other", ("a", "b", "c"))
    result = call("agree", folder / "weak", tmp_path / "other")
    assert result.exit_code == 1
    expected = "takes at least 3 classifiers that both have: got 0 (the first has bundled:a, the second a); classifiers are matched"
    assert expected in one_line(result.stderr)


def test_names_are_shown_escaped(tmp_path: Path) -> None:
    write_study(tmp_path / "study", tuple(f"\x1b]0;{letter}\x07" for letter in "abcd"))
    result = call("agree", tmp_path / "study", tmp_path / "study", "--out", tmp_path / "agree.svg")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert r"\x1b]0;a\x07 and" in result.stdout


def test_a_folder_without_a_study_is_refused(folder: Path, tmp_path: Path) -> None:
    result = call("agree", folder / "weak", tmp_path)
    assert result.exit_code == 1
    assert one_line(result.stderr).startswith(f"Error: there is no study at {tmp_path}")
