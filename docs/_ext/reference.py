"""Pages written before each build: of commands from the program itself, of Python from docstrings, of the notebook."""

import importlib
import inspect
import re
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any, Final

from command_reference import describe_commands
from notebook import describe_notebook
from public_names import MODULES, find_kind, list_names, list_public
from sphinx.application import Sphinx
from sphinx.util.logging import getLogger

FOLDER: Final = Path("docs", "reference")
NOTEBOOK: Final = Path("docs", "notebook.ipynb")
_MODULES: Final = re.compile(r"~(?:\w+\.)+")
_MARKUP: Final = re.compile(r"([*|]|_\b)")
_HIDDEN_COLON: Final = "\ue000"  # a character without a meaning


def setup(sphinx: Sphinx) -> dict[str, bool]:
    """Registers the writer."""
    sphinx.connect("builder-inited", lambda built: write_reference(Path(built.srcdir)))
    sphinx.connect("autodoc-process-signature", shorten_signature)
    sphinx.connect("autodoc-process-docstring", mark_docstring, priority=400)  # before its sections are read
    sphinx.connect("autodoc-process-docstring", show_colons, priority=600)  # and after
    sphinx.connect("env-check-consistency", lambda _, environment: warn_of_missing(environment.domains.python_domain.objects))
    return {"parallel_read_safe": True}


def write_reference(root: Path) -> None:
    """Writes all these pages; those that say the same stay untouched, so that they are not built again."""
    notebook = (root / NOTEBOOK).read_text(encoding="utf-8")
    pages = {"commands.md": describe_commands(), "notebook.md": describe_notebook(notebook, file=NOTEBOOK.name)}
    pages |= {f"{module}.rst": describe_module(module) for module in MODULES}
    for name, text in pages.items():
        file = root / FOLDER / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def warn_of_missing(described: Container[str]) -> None:
    """Warns of each public name, method and property that no page describes."""
    for name in list_public(MODULES):
        if name not in described:
            getLogger(__name__).warning("no page describes %s", name)


def shorten_signature(*given: Any) -> tuple[str | None, str | None]:  # noqa: ANN401  (what Sphinx calls it with)
    """A signature with types by their last name, also where Sphinx leaves their modules."""
    arguments, result = (text and _MODULES.sub("", text) for text in given[-2:])
    return arguments, result


def mark_docstring(_app: Sphinx, what: str, _name: str, _thing: object, _options: object, lines: list[str]) -> None:
    """Makes a docstring's lines reStructuredText: stretches in backticks are code, and nothing else is markup."""
    parts = re.split(r"(`[^`]+`)", "\n".join(lines))
    texts = [_MARKUP.sub(r"\\\1", part) for part in parts[::2]]
    codes = [f"`{code}`" + ("\\ " if text[:1].isalnum() else "") for code, text in zip(parts[1::2], texts[1:], strict=True)]
    marked = texts[0] + "".join(code + text for code, text in zip(codes, texts[1:], strict=True))
    lines[:] = _keep_examples(lines, marked.split("\n"))
    if what in {"property", "attribute", "data"} and lines:
        lines[0] = lines[0].replace(":", _HIDDEN_COLON)  # what comes before one would be taken for its type


def show_colons(*given: Any) -> None:  # noqa: ANN401  (what Sphinx calls it with)
    """Puts the colons back that `mark_docstring` has hidden, in the lines given last."""
    lines: list[str] = given[-1]
    lines[:] = [line.replace(_HIDDEN_COLON, ":") for line in lines]


def _keep_examples(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """Examples as they were: from a prompt to the next empty line."""
    lines, is_example = [], False
    for old, new in zip(before, after, strict=True):
        is_example = old.lstrip().startswith(">>>") or (is_example and bool(old.strip()))
        lines.append(old if is_example else new)
    return lines


def describe_module(module: str) -> str:
    """The page of a module's public names: a table of all, then each in full."""
    package = importlib.import_module(module)
    table, entries = [".. autosummary::", "   :nosignatures:", ""], []
    for name in list_names(package):
        kind = find_kind(getattr(package, name))
        home = f"{module}.{name}" if kind == "module" else "zooscope.errors"
        if kind == "module" or (kind == "exception" and home != module):
            entries += [f"`{name}`: see :doc:`{home}`.", ""]
        else:
            table.append(f"   {name}")
            entries += [f".. auto{kind}:: {module}.{name}", ""]
    return "\n".join(
        [module, "=" * len(module), "", f".. py:module:: {module}", "", *_opening_of(package), "", *table, "", *entries]
    )


def _opening_of(package: Any) -> list[str]:  # noqa: ANN401  (a module)
    """The first paragraph of a module's docstring."""
    return [(inspect.getdoc(package) or "").split("\n\n")[0]]
