"""The documentation's site: every page is reached, and the reference leaves out no command, option or public name."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

import zooscope
from zooscope.cli.app import app

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """The extension that writes the reference."""
    pytest.importorskip("sphinx", reason="Sphinx is not installed: make install")
    spec = importlib.util.spec_from_file_location("reference", DOCS / "_ext" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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


def test_the_reference_has_every_command_with_every_option(reference: ModuleType) -> None:
    page = reference.describe_commands()
    parts = dict(re.findall(r"^#+ (zooscope [^\n]+)\n(.*?)(?=^#+ |\Z)", page, flags=re.MULTILINE | re.DOTALL))
    commands = list_commands(typer.main.get_command(app), "zooscope")
    assert len(commands) > 30
    for name, command in commands.items():
        for parameter in command.params:
            assert all(option in parts[name] for option in parameter.opts if option.startswith("--")), (name, parameter.opts)


def test_the_reference_has_every_public_name(reference: ModuleType) -> None:
    for module in reference.MODULES[:-1]:
        page = reference.describe_module(module)
        for name in importlib.import_module(module).__all__:
            assert f":: {module}.{name}\n" in page or f"`{name}`: see" in page
    errors = reference.describe_module("zooscope.errors")
    assert f".. autoexception:: zooscope.errors.{zooscope.ZooscopeError.__name__}\n" in errors


def test_docstrings_lose_nothing_and_are_no_markup(reference: ModuleType) -> None:
    lines = ["See `Classifier`s, *all of them, |x| or `x`.", "", ">>> a * b", "", "a_ and b"]
    reference.mark_docstring(None, "function", "", None, None, lines)
    assert lines == [r"See ``Classifier``\ s, \*all of them, \|x\| or ``x``.", "", ">>> a * b", "", r"a\_ and b"]
