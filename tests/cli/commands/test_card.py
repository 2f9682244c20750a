import json
from pathlib import Path

import pytest

from tests.cli.calling import call, one_line
from tests.cli.synthetic import write_study
from zooscope.card import collect_card, format_card
from zooscope.study.snapshot import read_snapshot

NAMES = ("bundled:a", "bundled:b", "timm:c")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies") / "study"
    write_study(folder, NAMES)
    return folder


def test_it_prints_the_card(study: Path) -> None:
    assert call("card", study, "timm:c").stdout == format_card(collect_card(read_snapshot(study), "timm:c"))


def test_out_writes_the_card_and_prints_nothing_else(study: Path, tmp_path: Path) -> None:
    result = call("card", study, "timm:c", "--out", tmp_path / "card.md", "--confidence", "0.5")
    assert (result.stdout, result.exit_code) == ("", 0)
    assert (tmp_path / "card.md").read_text() == format_card(collect_card(read_snapshot(study), "timm:c", confidence=0.5))
    assert one_line(result.stderr) == f"The card: {tmp_path / 'card.md'}"


def test_json_holds_the_same(study: Path) -> None:
    found = json.loads(call("card", study, "bundled:a", "--json").stdout)
    expected = collect_card(read_snapshot(study), "bundled:a")
    assert [(one["name"], one["sat"], one["low"]) for one in found["nearest"]] == [
        (one.name, one.sat, one.low) for one in expected.nearest
    ]
    assert (found["classifier"], found["is_sure"], found["version"]) == ("bundled:a", expected.is_sure, expected.version)


def test_an_unknown_name_is_one_sentence(study: Path) -> None:
    result = call("card", study, "bundled:aa")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "bundled:aa" in one_line(result.stderr)
