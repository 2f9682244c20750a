"""A component that was read with little certainty is marked wherever it is shown."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.calling import call
from tests.cli.zoo import NAMES, write_zoo
from zooscope.analyses.importance import BOOSTING
from zooscope.records.entries import DATABASE
from zooscope.records.records import Records

GUESSED = "bundled:a1"


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two of one architecture, one of which is guessed."""
    folder = write_zoo(tmp_path_factory.mktemp("zoo"))
    with Records.open(folder / DATABASE, write=True) as records:
        for number, name in enumerate(NAMES):
            values = {"base architecture": "NAS (CNN)" if number < 2 else "CNN", "stem layer": f"{number % 2}s2"}
            records.set_components(name, values, guesses=["base architecture"] if name == GUESSED else [])
    return folder


@pytest.fixture(autouse=True)
def fewer_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested here doesn't need all 500."""
    monkeypatch.setitem(BOOSTING, "n_estimators", 20)


def test_a_reading_says_that_it_is_a_guess() -> None:
    found = json.loads(call("components", "read", "bundled:efficientnet", "--json").stdout)["components"]
    assert [name for name, reading in found.items() if reading["is_guess"]] == ["base architecture"]
    assert "a guess: widths" in call("components", "read", "bundled:efficientnet").stdout


def test_on_a_map_guesses_have_a_label_of_their_own(zoo: Path, tmp_path: Path) -> None:
    words = ("map", zoo, "--color", "base architecture", "--method", "mds")
    text = call(*words, "--out", tmp_path / "map.csv").stdout
    assert [line.split()[0] for line in text.splitlines() if "(a guess)" in line] == ["a1"]
    assert "`zooscope components read CLASSIFIER`" in text
    table = pd.read_csv(tmp_path / "map.csv", index_col=0)["base architecture"]
    assert table[GUESSED] == "NAS (CNN) (a guess)"
    assert table["bundled:a0"] == "NAS (CNN)"
    values = json.loads(call(*words, "--json").stdout)
    assert values["guesses"] == [GUESSED]
    assert values["labels"][GUESSED] == "NAS (CNN)"
    assert "guess" not in call("map", zoo, "--color", "stem layer").stdout
    assert "guess" not in call("map", zoo).stdout


def test_a_keyword_is_marked_where_one_of_its_cluster_is_guessed(zoo: Path) -> None:
    values = json.loads(call("clusters", zoo, "--num-clusters", "2", "--draws", "0", "--json").stdout)
    number = str(values["labels"][GUESSED])
    other = next(str(label) for label in values["labels"].values() if str(label) != number)
    assert "base architecture: NAS (CNN) (a guess)" in values["keywords"][number]
    assert not [word for word in values["keywords"][other] if "guess" in word]
    assert not [word for word in values["keywords"][number] if "guess" in word and "NAS" not in word]


def test_importance_names_the_component_and_the_classifiers(zoo: Path, tmp_path: Path) -> None:
    words = ("components", zoo, "--permutations", "19")
    text = " ".join(call(*words, "--out", tmp_path / "i.csv").stdout.split())
    assert "base architecture (partly a guess)" in text
    assert "Note: read with little certainty, a guess: the base architecture of a1." in text
    assert set(pd.read_csv(tmp_path / "i.csv", index_col=0).index) == {"base architecture (partly a guess)", "stem layer"}
    values = json.loads(call(*words, "--json").stdout)
    assert values["guesses"] == {"base architecture": [GUESSED]}
    assert set(values["importance"]) == {"base architecture", "stem layer"}
    assert "guess" not in call(*words, "--leave-out", GUESSED).stdout


def test_teachers_marks_candidates_and_the_student(zoo: Path) -> None:
    assert "a1 (NAS (CNN) (a guess))" in call("teachers", zoo, "--student", "bundled:a0").stdout
    text = call("teachers", zoo, "--student", GUESSED).stdout
    assert "Teacher candidates for a1 (NAS (CNN) (a guess))" in text
    assert text.count("guess") == 1


def test_what_a_users_table_says_is_no_guess(zoo: Path, tmp_path: Path) -> None:
    rows = "".join(f"{name},{'CNN' if number < 3 else 'Hybrid'}\n" for number, name in enumerate(NAMES))
    (tmp_path / "mine.csv").write_text(f"name,base architecture\n{rows}")
    assert "guess" not in call("map", zoo, "--color", "base architecture", "--components", tmp_path / "mine.csv").stdout


@pytest.mark.parametrize(("words", "option"), [(("map",), "--out"), (("map", "--method", "mds"), "--out")])
def test_the_way_to_a_picture_is_shown_only_to_who_has_none(words: tuple[str, ...], option: str, zoo: Path, tmp_path: Path) -> None:
    assert option in call(words[0], zoo, *words[1:]).stdout
    assert option not in call(words[0], zoo, *words[1:], option, tmp_path / "map.csv").stdout
