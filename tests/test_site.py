"""The documentation's site: every page is reached, and the reference leaves out no command, option or public name."""

import importlib
import json
import re
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import typer
from command_reference import describe_commands, mark
from notebook import describe_notebook
from public_names import MODULES, list_public

import zooscope
from zooscope.cli.app import app

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """The extension that writes the reference."""
    pytest.importorskip("sphinx", reason="Sphinx is not installed: make install")
    return importlib.import_module("reference")


def list_commands(command: Any, name: str) -> dict[str, Any]:  # noqa: ANN401  (of Click or Typer, by version)
    inner = getattr(command, "commands", None)
    if inner is None:
        return {name: command}
    return {path: one for key, part in inner.items() for path, one in list_commands(part, f"{name} {key}").items()}


def test_every_page_is_in_the_table_of_contents() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    entries = [
        line.strip() for block in re.findall(r"```{toctree}\n(.*?)```", index, flags=re.DOTALL) for line in block.splitlines()
    ]
    reached = {page.resolve() for entry in entries if entry and not entry.startswith(":") for page in DOCS.glob(f"{entry}.md")}
    pages = {page for page in DOCS.rglob("*.md") if page.parent.name != "reference"} - {DOCS / "index.md"}
    assert pages - reached == set()
    assert set((ROOT / "design").glob("*.md")) - reached == set()


def test_the_reference_has_every_command_with_every_parameter_and_its_example() -> None:
    page = describe_commands()
    parts = dict(re.findall(r"^#+ (zooscope [^\n]+)\n(.*?)(?=^#+ |\Z)", page, flags=re.MULTILINE | re.DOTALL))
    commands = list_commands(typer.main.get_command(app), "zooscope")
    assert len(commands) > 30
    for name, command in commands.items():
        shown = [one for one in command.params if not getattr(one, "hidden", False)]
        rows = re.findall(r"^\| `(.+?)` \|", parts[name], flags=re.MULTILINE)
        assert len(rows) == len(shown)
        for row, parameter in zip(rows, shown, strict=True):
            assert any(option in row for option in (*parameter.opts, parameter.metavar, parameter.name.upper()) if option), name
        assert f"\n{command.epilog.split('Example:')[1].strip()}\n" in parts[name].replace("\n\n", "\n")
        assert not re.search(r"\[(?:default|required)|<(?:str|path|list)", parts[name])


def test_the_reference_of_commands_is_no_markup_by_accident() -> None:
    assert mark("Patterns such as 'timm:*', [0, 1], a|b; `--x|y` or --seed 1") == (
        r"Patterns such as 'timm:\*', \[0, 1], a\|b; `--x\|y` or `--seed` 1"
    )


def test_a_notebook_is_a_page_of_its_texts_and_its_code() -> None:
    cells = [("markdown", ["# Title\n", "\n", "Text."]), ("code", ["a = 1\n", "a"]), ("markdown", ["End."])]
    text = json.dumps({"cells": [{"cell_type": kind, "source": source} for kind, source in cells]})
    page = describe_notebook(text, file="some.ipynb")
    assert page.startswith("# Title\n\nText.\n\n")
    assert "[some.ipynb](../some.ipynb)" in page
    assert page.endswith("\n\n```python\na = 1\na\n```\n\nEnd.\n")


def test_the_build_misses_a_name_that_no_page_describes(reference: ModuleType) -> None:
    public = set(list_public(MODULES))
    assert {
        "zooscope.sat",
        "zooscope.Study.run",
        "zooscope.Study.sat",
        "zooscope.Snapshot.names",
        "zooscope.Study.create",
    } <= public
    assert {"zooscope.attacks.LinfPGD", "zooscope.errors.StudyError"} <= public
    assert not {name for name in public if "._" in name}
    with pytest.MonkeyPatch.context() as patch:
        missing = list[str]()
        patch.setattr(reference, "getLogger", lambda _: SimpleNamespace(warning=lambda _, name: missing.append(name)))
        reference.warn_of_missing(public - {"zooscope.Study.sat"})
    assert missing == ["zooscope.Study.sat"]


def test_the_reference_has_every_public_name(reference: ModuleType) -> None:
    for module in MODULES[:-1]:
        page = reference.describe_module(module)
        for name in importlib.import_module(module).__all__:
            assert f":: {module}.{name}\n" in page or f"`{name}`: see" in page
    errors = reference.describe_module("zooscope.errors")
    assert f".. autoexception:: zooscope.errors.{zooscope.ZooscopeError.__name__}\n" in errors


def test_docstrings_lose_nothing_and_are_no_markup(reference: ModuleType) -> None:
    lines = ["See `Classifier`s, *all of them, |x| or `x`.", "", ">>> a * b", "", "a_ and b"]
    reference.mark_docstring(None, "function", "", None, None, lines)
    assert lines == [r"See ``Classifier``\ s, \*all of them, \|x\| or ``x``.", "", ">>> a * b", "", r"a\_ and b"]


@pytest.mark.parametrize("what", ["property", "attribute", "data"])
def test_what_comes_before_a_colon_is_not_taken_for_the_type(what: str, reference: ModuleType) -> None:
    napoleon = importlib.import_module("sphinx.ext.napoleon")
    lines = ["At most: `a:b`, no more: or less.", "", "As: that."]
    reference.mark_docstring(None, what, "", None, None, lines)
    lines = napoleon.GoogleDocstring(lines, what=what, name="cost").lines()
    reference.show_colons(None, what, "", None, None, lines)
    assert [line for line in lines if line] == ["At most: ``a:b``, no more: or less.", "As: that."]
