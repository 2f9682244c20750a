import json
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.calling import call, one_line
from tests.cli.zoo import NAMES, write_zoo
from zooscope.analyses.selection import Selection, describe_winner


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_zoo(tmp_path_factory.mktemp("zoo"))


def test_json_holds_every_way_of_choosing_and_which_wins(zoo: Path) -> None:
    found = json.loads(call("select", zoo, "--size", "3", "--json").stdout)
    ways = {row["method"]: row for row in found["chosen"]}
    assert list(ways) == ["most diverse", "best predicted", "greedy", "best single classifiers", "random", "best classifier alone"]
    assert all(len(ways[way]["members"]) == 3 for way in list(ways)[:4])
    assert {"error", "low", "high", "err", "mean_error", "choosing_error", "difference", "exact"} <= set(ways["greedy"])
    assert found["best"] in ways
    assert found["winner"] is None
    assert set(found["equal"]) <= set(found["indistinct"]) <= set(ways) - {found["best"]}
    assert found["images"] == {"choosing": 30, "reporting": 30}
    assert found["confidence"] == 0.95


def test_the_text_fits_eighty_columns_and_ends_with_a_verdict(zoo: Path) -> None:
    text = call("select", zoo, "--size", "3").stdout
    assert max(map(len, text.splitlines())) <= 80
    assert "Top-1 error on 30 images; chosen on 30 others." in text
    assert "No winner: too few images (30) to separate " in text
    assert "Lowest error:" not in text
    assert "greedy: " in text


def made(best: str, indistinct: tuple[str, ...], equal: tuple[str, ...] = ()) -> Selection:
    """Three methods, of which the first two choose the same ensemble."""
    members = [("a", "b"), ("a", "b"), ()]
    chosen = pd.DataFrame({"members": members}, index=["greedy", "most diverse", "random"])
    return Selection(
        chosen=chosen,
        best=best,
        indistinct=indistinct,
        equal=equal,
        regression=None,
        random_std=0.1,
        num_random=5,
        num_choosing=10,
        num_reporting=11,
        confidence=0.95,
    )


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (made("greedy", ()), "Lowest error: greedy. Every other method is worse"),
        (made("greedy", ("most diverse",), ("most diverse",)), "Lowest error: greedy (and most diverse: the same ensemble). Every"),
        (made("random", ("greedy", "most diverse")), "No winner: too few images (11) to separate these methods."),
        (made("random", ("greedy",)), "No winner: too few images (11) to separate random picks from greedy. Every other"),
        (
            made("random", ("greedy",), ("greedy",)),
            "No winner: random picks and greedy err on exactly the same of these 11 images.",
        ),
    ],
)
def test_a_tie_has_no_winner(found: Selection, says: str) -> None:
    assert describe_winner(found).startswith(says)


def test_a_part_of_the_classifiers_can_be_chosen_from(zoo: Path) -> None:
    words = ("select", zoo, "--size", "2", "--json", "--random", "5")
    blanks = json.loads(call(*words, "--from", *NAMES[:3]).stdout)
    commas = json.loads(call(*words, "--from", ",".join(NAMES[:3])).stdout)
    assert blanks == commas
    assert {name for row in blanks["chosen"] for name in row["members"]} <= set(NAMES[:3])


def test_a_classifier_that_is_not_there_is_refused_with_near_names(zoo: Path) -> None:
    result = call("select", zoo, "--from", "bundled:a0", "bundled:a9", "--size", "2")
    assert result.exit_code == 1
    assert "unknown classifier 'bundled:a9'. Did you mean bundled:a" in one_line(result.stderr)


def test_an_ensemble_larger_than_the_zoo_is_refused(zoo: Path) -> None:
    result = call("select", zoo, "--size", "7")
    assert result.exit_code == 1
    assert "an ensemble must have between 2 and 6 members" in one_line(result.stderr)


def test_it_is_drawn(zoo: Path, tmp_path: Path) -> None:
    call("select", zoo, "--size", "2", "--out", tmp_path / "select.csv", "--out", tmp_path / "select.png")
    assert (tmp_path / "select.csv").read_text().startswith("name,error,")
    assert (tmp_path / "select.png").stat().st_size > 5000
