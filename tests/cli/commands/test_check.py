"""`zooscope check` names what is damaged, and repairs what can be measured again."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.calling import call
from tests.cli.synthetic import write_study


def damage(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "study.db")) as connection, connection:
        connection.execute(statement)


def test_a_study_that_is_whole_passes(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b"))
    result = call("check", tmp_path)
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path}: everything is as it was written\n")


def test_damaged_units_are_named_then_forgotten(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b"))
    damage(tmp_path, "UPDATE arrays SET bytes = zeroblob(80) WHERE part = 1 AND dtype = '<i4'")
    result = call("check", tmp_path)
    assert result.exit_code == 1
    assert "Damaged: transfer of a to b, shard 2\n" in result.stderr
    assert "Damaged: clean of a, shard 2\n" in result.stderr
    assert f"To forget what can be measured again: `zooscope check {tmp_path} --repair`" in result.stdout
    assert call("show", tmp_path).exit_code == 1
    repaired = call("check", tmp_path, "--repair")
    assert repaired.exit_code == 0
    assert f"6 damaged parts are forgotten; now run: `zooscope measure {tmp_path}`" in repaired.stdout
    assert json.loads(call("show", tmp_path, "--json").stdout)["images"]["measured"] == [40, 40]


def test_what_is_beyond_repair_is_said_and_ends_with_1(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b"))
    damage(tmp_path, "UPDATE images SET label = 5 WHERE position = 0")
    result = call("check", tmp_path, "--repair", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["damaged"] == [
        {"what": "the table 'images' is not as it was written", "remedy": "restore it from a copy, or measure into a new folder"}
    ]


def test_many_damaged_parts_are_counted(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b", "c"))
    damage(tmp_path, "UPDATE arrays SET bytes = zeroblob(80)")
    result = call("check", tmp_path)
    assert result.stderr.count("Damaged:") == 20
    assert "more\n" in result.stderr


def test_damaged_attacked_images_are_named_and_removed_but_put_no_score_at_risk(study: Path) -> None:
    file = next((study / "cache").iterdir())
    file.write_bytes(file.read_bytes()[:-3])
    result = call("check", study)
    assert (result.exit_code, result.stdout) == (0, "")
    assert (
        result.stderr
        == f"Note: the attacked images in {file} are damaged; they are not used, and made again when they are needed.\n"
    )
    assert json.loads(call("check", study, "--json").stdout)["damaged_attacks"] == [f"{file} is damaged"]
    assert "are removed" in call("check", study, "--repair").stderr
    assert not file.exists()
    assert call("check", study).stdout == f"{study}: everything is as it was written\n"
