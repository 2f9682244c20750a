"""What every command prints fits the terminal: nothing is cut, and no command is broken in the middle."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tests.cli.calling import ENVIRONMENT, call
from tests.cli.zoo import write_groups, write_zoo
from zooscope.analyses.importance import BOOSTING
from zooscope.cli.app import Commands, app
from zooscope.records.entries import DATABASE
from zooscope.records.records import Records

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
ANSWERS: dict[str, tuple[str, ...]] = {
    "show": (),
    "clusters": ("--draws", "20"),
    "map": ("--color", "base architecture"),
    "components": ("--permutations", "19"),
    "ensembles": (),
    "strategies": ("--groups", "groups.csv"),
    "stability": ("--width", "5"),
    "closer": (),
    "plan": (),
    "kin": ("bundled:a0", "bundled:a1", "--seeds", "bundled:a2", "timm:b0"),
    "select": ("--size", "2"),
    "place": ("--classifier", "bundled:a0"),
    "teachers": ("--student", "bundled:a0"),
    "check": (),
}
WITHOUT_A_STUDY = (("classifiers",), ("components", "read", "bundled:efficientnet"))


def list_commands(group: object, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield words
    for name, command in getattr(group, "commands", {}).items():
        yield from list_commands(command, (*words, name))


EVERY_COMMAND = tuple(list_commands(typer.main.get_command(app)))


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with components, one of them a guess, in a folder with a long name."""
    folder = write_zoo(tmp_path_factory.mktemp("a-folder-with-quite-a-long-name") / "study")
    with Records.open(folder / DATABASE, write=True) as records:
        for number, name in enumerate(records.names):
            guessed = ["base architecture"] if number == 0 else []
            values = {"base architecture": "NAS (CNN)" if number < 3 else "CNN", "stem layer": f"{number % 2}s2"}
            records.set_components(name, values, guesses=guessed)
    write_groups(folder.parent / "groups.csv")
    return folder


@pytest.fixture(autouse=True)
def fewer_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested here doesn't need all 500."""
    monkeypatch.setitem(BOOSTING, "n_estimators", 20)


def answer(zoo: Path, command: str) -> tuple[str, ...]:
    return (command, str(zoo), *(str(zoo.parent / word) if word.endswith(".csv") else word for word in ANSWERS[command]))


def test_the_commands_are_in_groups_and_none_is_left_over() -> None:
    program: Any = typer.main.get_command(app)
    grouped = [name for names in Commands.sections.values() for name in names]
    assert sorted(grouped) == sorted(program.commands)
    headings = re.findall(r"^(\w+):$", call("--help").stdout, re.MULTILINE)
    assert headings == ["Options", "Measure", "Train", "Look", "Analyse", "Choose", "Share"]


@pytest.mark.parametrize("words", EVERY_COMMAND, ids=" ".join)
def test_help_fits_eighty_columns_cuts_nothing_and_breaks_no_command(words: tuple[str, ...]) -> None:
    text = call(*words, "--help").stdout
    assert max(map(len, text.splitlines())) <= 80
    assert [line for line in text.splitlines() if line.startswith(" ") and line.endswith(("...", "…"))] == []
    assert_commands_are_whole(text)


@pytest.mark.parametrize("width", [60, 200])
def test_help_of_another_width_breaks_no_command_either(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENVIRONMENT, "COLUMNS", str(width))
    for words in EVERY_COMMAND:
        assert_commands_are_whole(call(*words, "--help").stdout)


@pytest.mark.parametrize("command", ANSWERS)
def test_answers_fit_eighty_columns_and_break_no_command(command: str, zoo: Path) -> None:
    text = call(*answer(zoo, command)).stdout
    long = [line for line in text.splitlines() if len(line) > 80 and str(zoo) not in line]
    assert long == []
    assert "…" not in text
    assert_commands_are_whole(text)


@pytest.mark.parametrize("words", WITHOUT_A_STUDY, ids=" ".join)
def test_what_needs_no_study_fits_eighty_columns(words: tuple[str, ...]) -> None:
    text = call(*words).stdout
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("command", ["show", "map", "teachers"])
def test_colour_changes_no_character(command: str, zoo: Path) -> None:
    def run(**environment: str | None) -> str:
        return CliRunner(env=ENVIRONMENT | environment).invoke(app, list(answer(zoo, command))).stdout

    plain, forced = run(), run(FORCE_COLOR="1", TERM="xterm")
    assert ESCAPES.sub("", forced) == plain
    assert run(FORCE_COLOR="1", TERM="xterm", NO_COLOR="1").replace("\x1b[1m", "").replace("\x1b[0m", "") == plain


def test_notes_are_wrapped_on_a_terminal_but_are_one_line_in_a_pipe(tmp_path: Path) -> None:
    words = ["show", str(tmp_path / "nowhere")]
    piped = call(*words).stderr
    assert len(piped.splitlines()) == 1
    shown = CliRunner(env=ENVIRONMENT | {"FORCE_COLOR": "1"}).invoke(app, words).stderr
    assert len(shown.splitlines()) > 1
    assert " ".join(shown.split()) == piped.strip()
    assert_commands_are_whole(shown)


def assert_commands_are_whole(text: str) -> None:
    """No stretch in backticks, and no option, goes over the end of a line."""
    for line in text.splitlines():
        assert line.count("`") % 2 == 0, line
        assert not re.search(r"--[a-z-]*-$", line), line
