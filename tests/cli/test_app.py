import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer

import zooscope
from tests.cli.calling import call, one_line
from tests.cli.synthetic import write_study
from zooscope.cli.app import app, repeat_options

COMMANDS = (
    "demo",
    "measure",
    "merge",
    "show",
    "compare",
    "report",
    "view",
    "ensembles",
    "select",
    "stability",
    "closer",
    "kin",
    "plan",
    "similarities",
    "agree",
    "complete",
    "strategies",
    "place",
    "teachers",
    "card",
    "export",
    "classifiers",
    "doctor",
    "train",
    "distill",
)


def test_the_version_is_that_of_the_package() -> None:
    assert call("--version").stdout == f"zooscope {zooscope.__version__}\n"


def test_help_lists_every_command() -> None:
    text = call("--help").stdout
    assert [name for name in COMMANDS if re.search(rf"^  {name} +[A-Z].*\.$", text, re.MULTILINE)] == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_explains_it_with_an_example_and_says_what_every_option_is(command: str) -> None:
    text = call(command, "--help").stdout
    assert re.search(rf"Example:\s+zooscope\s+{command}", text)
    program: Any = typer.main.get_command(app)
    parameters = program.commands[command].params
    assert parameters
    assert [parameter.name for parameter in parameters if not parameter.help] == []


def test_nothing_at_all_shows_the_help() -> None:
    assert "Start with `zooscope demo`" in call().output


def test_help_waits_for_no_torch() -> None:
    program = "import sys; import zooscope.cli.app; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_an_unknown_command_suggests_a_near_one() -> None:
    result = call("measur", "study")
    assert result.exit_code == 2
    assert "No such command 'measur'. Did you mean 'measure'?" in result.stderr


def test_an_unknown_option_suggests_a_near_one() -> None:
    result = call("measure", "study", "--clasifiers", "x")
    assert result.exit_code == 2
    assert "--classifiers" in result.stderr.splitlines()[-1]


def test_a_missing_argument_is_an_error_of_usage() -> None:
    result = call("show")
    assert result.exit_code == 2
    assert "Missing argument" in result.stderr


def test_an_expected_error_is_one_sentence_on_stderr(tmp_path: Path) -> None:
    result = call("show", tmp_path / "nowhere")
    assert (result.exit_code, result.stdout) == (1, "")
    assert one_line(result.stderr).startswith("Error: there is no study at")


def test_an_error_does_not_read_names_as_markup(tmp_path: Path) -> None:
    result = call("show", tmp_path / "[red]study[/red]")
    assert "/[red]study[/red]:" in one_line(result.stderr)


def test_ctrl_c_ends_any_command_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("zooscope.study.snapshot.read_snapshot", interrupt)
    result = call("show", tmp_path)
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "Stopped.\n")


def test_our_warnings_are_notes_said_once_and_without_file_paths(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b"), white_box=0.5)
    result = call("export", tmp_path, "--out", tmp_path / "tables")
    notes = result.stderr.splitlines()
    assert len(notes) == len(set(notes)) == 2
    for note, name in zip(notes, "ab", strict=True):
        assert re.fullmatch(rf"Note: the attack on {name} fools {name} itself on only \d+ % of images, which lowers .*", note)


@pytest.mark.parametrize(
    ("words", "parsed"),
    [
        (["measure", "s", "--classifiers", "bundled:a", "bundled:b"], ["bundled:a", "bundled:b"]),
        (["measure", "--classifiers", "bundled:a", "bundled:b", "s"], ["bundled:a", "bundled:b"]),
        (["measure", "s", "--classifiers=bundled:a", "timm:b"], ["bundled:a", "timm:b"]),
        (["measure", "s", "--classifiers", "bundled:*", "--classifiers", "timm:b"], ["bundled:*", "timm:b"]),
        (["measure", "s", "--classifiers", "plain"], ["plain"]),
        (["measure", "s", "--classifiers", "bundled:a", "zoo.toml", "paper:"], ["bundled:a", "zoo.toml", "paper:"]),
        (["measure", "--classifiers", "my/zoo.toml", "other.toml", "s"], ["my/zoo.toml", "other.toml"]),
        (["measure", "s", "--images", "bundled:cifar10", "bundled:a"], []),
    ],
)
def test_several_words_belong_to_one_option(words: list[str], parsed: list[str]) -> None:
    result = repeat_options(words)
    found = [word.partition("=")[2] for word in result if word.startswith("--classifiers=")]
    found += [value for option, value in pairwise(result) if option == "--classifiers"]
    assert found == parsed
    assert [word for word in result if word != "--classifiers"] == [word for word in words if word != "--classifiers"]


def test_several_names_belong_to_from() -> None:
    words = ["select", "--from", "bundled:a", "bundled:b", "study", "--out", "bundled:c"]
    assert repeat_options(words) == ["select", "--from", "bundled:a", "--from", "bundled:b", "study", "--out", "bundled:c"]


@pytest.mark.parametrize(
    "words", [["--also", "features", "planes?seed=1", "study"], ["--also", "features", "--also", "planes?seed=1", "study"]]
)
def test_also_takes_the_names_of_measurements_that_follow(words: list[str]) -> None:
    assert repeat_options(["measure", *words]) == ["measure", "--also", "features", "--also", "planes?seed=1", "study"]
