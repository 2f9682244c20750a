"""The page of all commands, from the program itself: what `zooscope COMMAND --help` says, by the headings of `zooscope --help`."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import typer

from zooscope.cli.app import Commands, app
from zooscope.cli.wrapping import unglue

_EXAMPLE: Final = re.compile(r"Example:\s*(.+)", re.DOTALL)
_CODE: Final = re.compile(r"(`[^`]+`)")
_OPTION: Final = re.compile(r"(?<![\w`-])(--[a-z][a-z-]*)")
_DEFAULT: Final = re.compile(r"\s*\[(?:default: \(?(.+?)\)?|(required))\]$")


def describe_commands() -> str:
    """The whole page, as Markdown."""
    group: Any = typer.main.get_command(app)
    lines = ["# Commands", "", "What `zooscope COMMAND --help` says, in one page.", ""]
    for heading, names in Commands.sections.items():
        lines += [f"## {heading}", ""]
        for name in names:
            lines += _describe(name, group.commands[name], depth=3)
    return "\n".join(lines)


def _describe(name: str, command: Any, *, depth: int) -> Iterator[str]:  # noqa: ANN401  (of Click or Typer, by version)
    """A command; of a group, all commands."""
    yield from [f"{'#' * depth} zooscope {name}", "", *_mark_paragraphs(unglue(command.help)), ""]
    if inner := getattr(command, "commands", None):
        for inner_name, one in inner.items():
            yield from _describe(f"{name} {inner_name}", one, depth=depth + 1)
        return
    shown = [one for one in command.params if not getattr(one, "hidden", False)]
    arguments = [_write_argument(one) for one in shown if one.param_type_name == "argument"]
    yield from ["```text", " ".join(["zooscope", name, *arguments, "[OPTIONS]"]), "```", ""]
    context = command.context_class(command, info_name=f"zooscope {name}")
    yield from ["| argument or option | what it is | default |", "|---|---|---|"]
    yield from [*(_write_row(one, context) for one in shown), ""]
    example = _EXAMPLE.search(unglue(command.epilog or ""))
    if example:
        yield from ["Example:", "", "```text", example[1].strip(), "```", ""]


def _write_argument(argument: Any) -> str:  # noqa: ANN401  (as above)
    """An argument as a line of usage has it: in brackets where it can be left out, with dots where it can be repeated."""
    name = argument.metavar or argument.name.upper()
    return f"{name if argument.required else f'[{name}]'}{'...' if argument.nargs == -1 else ''}"


def _write_row(parameter: Any, context: Any) -> str:  # noqa: ANN401  (as above)
    """A row of the table of arguments or options: its name, what it is, its default."""
    written, text = parameter.get_help_record(context)
    name = written.strip() if parameter.param_type_name == "option" else parameter.metavar or parameter.name.upper()
    text = unglue(text)
    found = _DEFAULT.search(text)
    default = mark(found[1]) if found and found[1] else "*required*" if found else ""
    return f"| {_write_code(name)} | {mark(_DEFAULT.sub('', text))} | {default} |"


def _write_code(text: str) -> str:
    return f"`{text}`".replace("|", r"\|")


def _mark_paragraphs(text: str) -> Sequence[str]:
    """A command's text as Markdown, line by line."""
    return [mark(line) for line in text.replace("\b", "").strip().splitlines()]


def mark(text: str) -> str:
    """Text as Markdown: options are code, and nothing that Markdown would take for markup is."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(part.replace("|", r"\|") if part.startswith("`") else _escape(part) for part in parts)


def _escape(text: str) -> str:
    return _OPTION.sub(r"`\1`", re.sub(r"([|<*\[])", r"\\\1", text))
