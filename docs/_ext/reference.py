"""The reference, written before each build: a page of commands from the program itself, and pages of Python from docstrings."""

import importlib
import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click
import typer
from sphinx.application import Sphinx

from zooscope.cli.app import Commands, app
from zooscope.cli.wrapping import unglue

FOLDER: Final = Path("docs", "reference")
MODULES: Final = ("zooscope", "zooscope.attacks", "zooscope.analyses", "zooscope.probe", "zooscope.errors")
_EXAMPLE: Final = re.compile(r"\x08?\s*Example:\s*\n\s*(.+)\s*$")
_MODULES: Final = re.compile(r"~(?:\w+\.)+")
_MARKUP: Final = re.compile(r"([*|]|_\b)")
_OPTION: Final = re.compile(r"(?<![\w`-])(--[a-z][a-z-]*)")


def setup(sphinx: Sphinx) -> dict[str, bool]:
    """Registers the writer."""
    sphinx.connect("builder-inited", lambda built: write_reference(Path(built.srcdir)))
    sphinx.connect("autodoc-process-signature", shorten_signature)
    sphinx.connect("autodoc-process-docstring", mark_docstring, priority=400)  # before its sections are read
    return {"parallel_read_safe": True}


def write_reference(root: Path) -> None:
    """Writes all pages of the reference; those that say the same stay untouched, so that they are not built again."""
    pages = {"commands.md": describe_commands()}
    pages |= {f"{module}.rst": describe_module(module) for module in MODULES}
    for name, text in pages.items():
        file = root / FOLDER / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def shorten_signature(*given: Any) -> tuple[str | None, str | None]:  # noqa: ANN401  (what Sphinx calls it with)
    """A signature with types by their last name, also where Sphinx leaves their modules."""
    arguments, result = (text and _MODULES.sub("", text) for text in given[-2:])
    return arguments, result


def mark_docstring(_app: Sphinx, what: str, _name: str, _thing: object, _options: object, lines: list[str]) -> None:
    """Makes a docstring's lines reStructuredText: stretches in backticks are code, and nothing else is markup."""
    if what in {"property", "attribute"} and lines:
        lines[0] = lines[0].replace(":", r"\:", 1)  # what comes before one would be taken for its type
    parts = re.split(r"(`[^`]+`)", "\n".join(lines))
    texts = [_MARKUP.sub(r"\\\1", part) for part in parts[::2]]
    codes = [f"`{code}`" + ("\\ " if text[:1].isalnum() else "") for code, text in zip(parts[1::2], texts[1:], strict=True)]
    marked = texts[0] + "".join(code + text for code, text in zip(codes, texts[1:], strict=True))
    lines[:] = _keep_examples(lines, marked.split("\n"))


def _keep_examples(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """Examples as they were: from a prompt to the next empty line."""
    lines, is_example = [], False
    for old, new in zip(before, after, strict=True):
        is_example = old.lstrip().startswith(">>>") or (is_example and bool(old.strip()))
        lines.append(old if is_example else new)
    return lines


def describe_commands() -> str:
    """The page of all commands, under the headings of `zooscope --help`."""
    group: Any = typer.main.get_command(app)
    lines = ["# Commands", "", "What `zooscope COMMAND --help` says, in one page.", ""]
    for heading, names in Commands.sections.items():
        lines += [f"## {heading}", ""]
        for name in names:
            lines += _describe_command(name, group.commands[name], depth=3)
    return "\n".join(lines)


def describe_module(module: str) -> str:
    """The page of a module's public names."""
    package = importlib.import_module(module)
    lines = [module, "=" * len(module), "", f".. py:module:: {module}", "", *_opening_of(package), ""]
    for name in _public_names(package):
        thing = getattr(package, name)
        kind = _find_kind(thing)
        home = f"{module}.{name}" if kind == "module" else "zooscope.errors"
        if kind == "module" or (kind == "exception" and home != module):
            lines += [f"`{name}`: see :doc:`{home}`.", ""]
        else:
            lines += [f".. auto{kind}:: {module}.{name}", ""]
    return "\n".join(lines)


def _find_kind(thing: object) -> str:
    """What autodoc calls it."""
    if inspect.ismodule(thing):
        return "module"
    if inspect.isclass(thing):
        return "exception" if issubclass(thing, BaseException) else "class"
    return "function" if callable(thing) else "data"


def _public_names(package: Any) -> Sequence[str]:  # noqa: ANN401  (a module)
    if hasattr(package, "__all__"):
        return list(package.__all__)
    own = [(name, value) for name, value in vars(package).items() if getattr(value, "__module__", "") == package.__name__]
    return [name for name, _ in own if not name.startswith("_")]


def _opening_of(package: Any) -> list[str]:  # noqa: ANN401  (a module)
    """The first paragraph of a module's docstring."""
    return [(inspect.getdoc(package) or "").split("\n\n")[0]]


def _describe_command(name: str, command: Any, *, depth: int) -> Iterator[str]:  # noqa: ANN401  (of Click or Typer, by version)
    context = click.Context(command, info_name=f"zooscope {name}")
    text = unglue(command.help or "")
    example = _EXAMPLE.search(text)
    yield from [f"{'#' * depth} zooscope {name}", "", *_paragraphs(_EXAMPLE.sub("", text)), ""]
    if inner := getattr(command, "commands", None):
        for inner_name, one in inner.items():
            yield from _describe_command(f"{name} {inner_name}", one, depth=depth + 1)
        return
    usage = " ".join(command.collect_usage_pieces(context))
    yield from ["```text", f"zooscope {name} {usage}", *([example[1].strip()] if example else []), "```", ""]
    rows = [_describe_parameter(one, context) for one in command.params if not getattr(one, "hidden", False)]
    yield from ["| | |", "|---|---|", *(f"| {left} | {right} |" for left, right in rows), ""]


def _describe_parameter(parameter: Any, context: Any) -> tuple[str, str]:  # noqa: ANN401  (of Click or Typer, by version)
    name, text = parameter.get_help_record(context) or (parameter.make_metavar(context), "")
    return f"`{name.strip()}`".replace("|", r"\|"), _mark(unglue(text))


def _paragraphs(text: str) -> list[str]:
    return [_mark(line) for line in text.replace("\x08", "").strip().splitlines()]


def _mark(text: str) -> str:
    """Text for Markdown: options as code, and nothing that it would take for markup."""
    parts = re.split(r"(`[^`]+`)", " ".join(text.split()))
    return "".join(part.replace("|", r"\|") if part.startswith("`") else _escape(part) for part in parts)


def _escape(text: str) -> str:
    return _OPTION.sub(r"`\1`", re.sub(r"([|<*\[])", r"\\\1", text))
