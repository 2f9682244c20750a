"""`zooscope components STUDY` in a terminal, as JSON and as a picture."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.calling import call, one_line
from tests.cli.imported import write_imported
from zooscope.analyses.importance import BOOSTING

QUICK = ("--permutations", "49")


@pytest.fixture(autouse=True)
def fewer_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested here doesn't need all 500."""
    monkeypatch.setitem(BOOSTING, "n_estimators", 100)


@pytest.mark.parametrize("words", [("components",), ("components", "importance")])
def test_the_component_that_decides_comes_first(words: tuple[str, ...], tmp_path: Path) -> None:
    values = json.loads(call(*words, write_imported(tmp_path / "study"), *QUICK, "--json").stdout)
    assert list(values["importance"]) == ["stem layer", "attention"]
    assert values["importance"]["stem layer"].keys() == values["held_out"]["stem layer"].keys() == {"mean", "std"}
    assert values["importance"]["stem layer"]["mean"] > 5 * abs(values["importance"]["attention"]["mean"])
    assert values["p_value"]["stem layer"] == 0.02
    assert values["correlation"]["stem layer"] > 0.9
    assert values["r2"]["in_sample"] > values["r2"]["held_out"]
    assert (values["num_pairs"], values["num_folds"], values["num_permutations"]) == (36, 5, 49)
    assert values["constant"] == values["left_out"] == []


def test_the_text_fits_a_terminal_and_says_what_was_left_out(tmp_path: Path) -> None:
    study = write_imported(tmp_path / "study", with_components=False)
    lines = [f"network {number:02d},{'ab'[number % 2]},x,{'uv'[number % 3 == 0]}" for number in range(8)]
    (tmp_path / "components.csv").write_text("\n".join(["name,one,two,three", *lines]), encoding="utf-8")
    output = call("components", study, "--components", tmp_path / "components.csv", *QUICK).stdout
    assert max(map(len, output.splitlines())) <= 80
    said = " ".join(output.split())
    assert "over 28 pairs of classifiers: R2 = " in said
    assert "Note: the prediction is much worse for held-out classifiers" in said
    assert "left out, because all classifiers have the same value: two." in said
    assert "because a component is not known: network 08." in said


def test_refinements_of_yes_are_collapsed_on_request(tmp_path: Path) -> None:
    study = write_imported(tmp_path / "study")
    fine, coarse = (json.loads(call("components", study, *QUICK, *more, "--json").stdout) for more in ((), ("--collapse",)))
    assert fine["correlation"]["attention"] != coarse["correlation"]["attention"]
    assert fine["correlation"]["stem layer"] == coarse["correlation"]["stem layer"]


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    call("components", write_imported(tmp_path / "study"), *QUICK, "--out", tmp_path / "i.csv")
    table = pd.read_csv(tmp_path / "i.csv", index_col=0)
    assert list(table.index) == ["stem layer", "attention"]
    assert table.shape == (2, 6)


def test_a_study_without_components_says_how_to_give_them(tmp_path: Path) -> None:
    study = write_imported(tmp_path / "study", with_components=False)
    assert "knows no components of its classifiers; give --components FILE.csv" in one_line(call("components", study).stderr)
    (tmp_path / "components.csv").write_text("name,one\nelse,a\n", encoding="utf-8")
    note, error = call("components", study, "--components", tmp_path / "components.csv").stderr.splitlines()
    assert note.endswith("columns that are none of the 13 components are kept under their names: one.")
    assert "has components of none of the study's classifiers; its first column must hold their names" in error
