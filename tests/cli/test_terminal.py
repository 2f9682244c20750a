"""What anyone may have put into a name reaches no terminal as it is."""

import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

from tests.cli.calling import call
from tests.cli.synthetic import write_study
from zooscope.cli.terminal import say, say_json, stderr, stdout, tell

HOSTILE = "a\x1b]0;title\x07\x1b[2J"
SHOWN = r"a\x1b]0;title\x07\x1b[2J"

pytestmark = pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")


def require_harmless(output: str) -> None:
    """Nothing in it but text and newlines."""
    assert not re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f]", output)


@pytest.fixture(scope="module")
def hostile_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Classifiers whose names would set a terminal's title and clear it."""
    folder = tmp_path_factory.mktemp("study")
    write_study(folder, (HOSTILE, *(f"{HOSTILE}{number}" for number in range(5))), transforms=("height=32 width=32", HOSTILE))
    return folder


@pytest.mark.parametrize(
    "words",
    [("show",), ("clusters", "--num-clusters", "2"), ("map", "--method", "mds"), ("ensembles",), ("stability", "--width", "5")],
    ids=lambda words: str(words[0]),
)
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_names_are_shown_escaped(hostile_study: Path, words: tuple[str, ...], form: tuple[str, ...]) -> None:
    result = call(words[0], hostile_study, *words[1:], *form)
    assert result.exit_code == 0, result.stderr
    require_harmless(result.stdout + result.stderr)
    if form:
        assert json.loads(result.stdout)
        assert json.dumps(HOSTILE)[1:-1] in result.stdout


def test_an_import_shows_escaped_what_is_wrong(tmp_path: Path) -> None:
    matrix = tmp_path / "matrix.csv"
    matrix.write_text(f"name,{HOSTILE},b\n{HOSTILE},4,9\nb,9,4\n", encoding="utf-8")
    result = call("import", matrix, tmp_path / "study")
    assert result.exit_code == 1
    assert SHOWN in result.stderr
    require_harmless(result.stderr)


def test_a_manifest_shows_escaped_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "images.csv").write_text(f"path,label\n{HOSTILE},cat\n", encoding="utf-8")
    result = call("measure", tmp_path / "study", "--classifiers", "bundled:resnet", "--images", f"manifest:{tmp_path}/images.csv")
    assert result.exit_code == 1
    assert SHOWN in result.stderr
    require_harmless(result.stderr)


def test_a_name_with_a_newline_is_still_one_line(tmp_path: Path) -> None:
    result = call("show", tmp_path / "gone\nNote: all is well")
    assert r"gone\nNote: all is well" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def in_a_table(text: str) -> Table:
    table = Table("heading", box=None)
    table.add_row(Text(text))
    table.add_row(text)
    return table


@pytest.mark.parametrize(
    "write",
    [
        say,
        tell,
        lambda text: stdout().print(text),
        lambda text: stderr().print(Text(text, style="red")),
        lambda text: stdout().print(in_a_table(text)),
        lambda text: say_json({text: text}),
    ],
    ids=["say", "tell", "print", "styled", "table", "json"],
)
@pytest.mark.parametrize("text", [HOSTILE, "\x9b2J", "a\u202eb", "bad\udc80name"], ids=["escape", "c1", "direction", "surrogate"])
def test_no_door_lets_it_through(write: Callable[[str], None], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(text)
    output = "".join(capsys.readouterr())
    require_harmless(output)
    assert output.strip()
    assert not set("\u202e\udc80") & set(output)


def test_our_own_newlines_stay(capsys: pytest.CaptureFixture[str]) -> None:
    say("\nThe report")
    stdout().print("one\ntwo")
    assert capsys.readouterr().out == "\nThe report\none\ntwo\n"


def test_warnings_of_ours_are_escaped_too(hostile_study: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        result = call("export", hostile_study, "--out", tmp_path / HOSTILE)
    assert result.exit_code == 0
    require_harmless(result.stdout + result.stderr)
