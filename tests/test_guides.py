"""What the guides and the pages beside them say can be done, can be done: their blocks run, and their other lines are commands.

The blocks of a page run in their order, in an empty folder with the project's records and recipes. Where a `console` block shows
what is printed, that is what the command prints; a line of three dots stands for any lines. A block that begins with the name of a
file, in a comment, is written into that file. Lines that are indented need a network, files of one's own, or hours. They are only
read: the command and its options must exist.
"""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

from tests.cli.calling import ROOT, call
from zooscope.cli.app import app

NAMES = ("start", "analyses", "how-sat-works", "limits", "faq", "verified")
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
PAGES = GUIDES + [file for name in NAMES if (file := ROOT / "docs" / f"{name}.md").exists()]
BLOCK = re.compile(r"^```(console|python|toml)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\w+\.\w+)\n")
INDENTED = re.compile(r"^ {4}(?:\S.*)?zooscope (.*)$", re.MULTILINE)
SLOW = {"thousands-of-classifiers"}


class Block(NamedTuple):
    """A block of a page."""

    language: str
    text: str


def find_blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [Block(*found) for found in BLOCK.findall(text)]


def split_commands(block: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a console block with the lines that it is shown to print."""
    for part in re.split(r"^\$ ", block.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
        command, *shown = part.rstrip("\n").split("\n")
        yield command, shown


def fits(printed: list[str], shown: list[str]) -> bool:
    """Whether lines are those shown, where three dots stand for any lines."""
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line) + r"\n" for line in shown)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


def list_options(words: list[str]) -> set[str]:
    """The options of the command that words begin with; of a group that has a default, those of all its commands."""
    found: Any = typer.main.get_command(app)
    assert words[0] in found.commands, words
    for word in words:
        if word in getattr(found, "commands", {}):
            found = found.commands[word]
    commands = [found, *getattr(found, "commands", {}).values()]
    return {option for command in commands for one in command.params for option in (*one.opts, *one.secondary_opts)}


def pages(*languages: str) -> list[Any]:
    """The pages that have blocks of these languages."""
    chosen = [page for page in PAGES if any(block.language in languages for block in find_blocks(page))]
    return [pytest.param(page, id=page.stem, marks=[pytest.mark.slow] * (page.stem in SLOW)) for page in chosen]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the project's records and recipes."""
    shutil.copytree(ROOT / "docs" / "studies", tmp_path / "docs" / "studies")
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("page", pages("console", "python"))
@pytest.mark.filterwarnings("ignore::zooscope.errors.ZooscopeWarning")
def test_the_blocks_of_a_page_run_in_their_order(page: Path, place: Path) -> None:
    for language, text in find_blocks(page):
        if file := FILE.match(text):
            (place / file[1]).write_text(text, encoding="utf-8")
        elif language == "python":
            exec(compile(text, page.name, "exec"), {"__name__": "__main__"})  # noqa: S102  (our own text)
        elif language == "console":
            for command, shown in split_commands(text):
                program, *words = shlex.split(command)
                assert program == "zooscope", command
                result = call(*words)
                assert result.exit_code == 0, f"{command}: {result.stderr}"
                printed = [line.rstrip() for line in result.stdout.splitlines()]
                assert not shown or fits(printed, [line.rstrip() for line in shown]), f"{command} prints\n{result.stdout}"
    assert Path.cwd() == place


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_other_line_is_a_command_with_its_options(page: Path) -> None:
    text = BLOCK.sub("", page.read_text(encoding="utf-8")).replace("\\\n", " ")
    for line in INDENTED.findall(text):
        words = shlex.split(line.removesuffix("'") if line.count("'") % 2 else line, comments=True)  # may be in quotes itself
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert options - list_options(words) == set(), line


@pytest.mark.parametrize(
    ("printed", "shown", "expected"),
    [
        ("a b", "a b", True),
        ("a b c", "a ... c", True),
        ("a b c", "a b", False),
        ("a c", "a ... c d", False),
        ("a c", "a ... c", True),
    ],
)
def test_three_dots_stand_for_any_lines_and_nothing_else_does(printed: str, shown: str, expected: bool) -> None:  # noqa: FBT001
    assert fits(printed.split(), shown.split()) is expected
