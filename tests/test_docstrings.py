"""Every example in a docstring runs, and all that is public has one.

A public function, class and method has an example; that of a method goes on where that of its class ends. A method needs none of
its own where the example of its class calls it, and a property none at all, as it takes no arguments. Nor do errors and warnings
need one: that of ZooscopeError shows how to catch them.
"""

import ast
import doctest
import inspect
import pkgutil
import re
from collections.abc import Mapping
from functools import cache, cached_property
from importlib import import_module
from typing import Any

import pytest
from public_names import MODULES, find_function, list_public

import zooscope
from zooscope.scores.registry import SIMILARITIES

FILES = sorted(file.name for file in pkgutil.walk_packages(zooscope.__path__, "zooscope.") if not file.name.endswith("__main__"))
SCORES = sorted({f"zooscope.scores.{name}" for name in SIMILARITIES})


@cache
def find_examples(module: str) -> Mapping[str, doctest.DocTest]:
    """Those of a module, by the full name of what they belong to; a class comes before its methods."""
    return {found.name: found for found in doctest.DocTestFinder().find(import_module(module)) if found.examples}


def find_home(thing: Any) -> tuple[str, str]:  # noqa: ANN401  (a class or function)
    """The module that a class or function is written in, and its full name there."""
    return thing.__module__, f"{thing.__module__}.{thing.__qualname__}"


def needs_example(module: str, path: str) -> bool:
    """Whether a public name of a module, or a member of a class there, needs an example."""
    name, _, member = path.partition(".")
    thing = getattr(import_module(module), name)
    if member:
        return not isinstance(inspect.getattr_static(thing, member), property | cached_property)
    return not (inspect.isclass(thing) and issubclass(thing, Exception)) or thing is zooscope.ZooscopeError


def has_example(module: str, path: str) -> bool:
    """Whether an example is run for it: its own; of a method, also one of its class that calls it."""
    name, _, member = path.partition(".")
    thing = getattr(import_module(module), name)
    home, full = find_home(find_function(thing, member) if member else thing)
    if full in find_examples(home):
        return True
    home, full = find_home(thing)
    own = find_examples(home).get(full)
    return own is not None and bool(member) and any(re.search(rf"\.{member}\(", line.source) for line in own.examples)


PUBLIC = [
    (module, path)
    for module in MODULES
    for path in (name.removeprefix(f"{module}.") for name in list_public([module]))
    if needs_example(module, path)
]


@pytest.mark.parametrize("module", ["zooscope", *FILES])
def test_the_examples_in_the_docstrings_run(module: str) -> None:
    runner, left, num_failed = doctest.DocTestRunner(), dict[str, dict[str, Any]](), 0
    for name, example in find_examples(module).items():
        example.globs.update(left.get(name.rpartition(".")[0], {}))
        num_failed += runner.run(example, clear_globs=False).failed
        if name != module:
            left[name] = example.globs
    for value in (value for globs in left.values() for value in globs.values()):
        if isinstance(value, zooscope.Study):
            value.close()
    assert num_failed == 0


@pytest.mark.parametrize("module", ["zooscope.scores.sat", "zooscope.study.pair", *SCORES])
def test_every_score_has_an_example(module: str) -> None:
    assert find_examples(module)


@pytest.mark.parametrize(("module", "path"), PUBLIC, ids=[f"{module}.{path}" for module, path in PUBLIC])
def test_everything_public_has_an_example(module: str, path: str) -> None:
    assert has_example(module, path), f"{module}.{path} has no example; write one into its docstring"


@pytest.mark.parametrize("module", ["zooscope", *FILES])
def test_every_full_name_in_a_docstring_is_one(module: str) -> None:
    tree = ast.parse(inspect.getsource(import_module(module)))
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef))
    for name in {name for node in nodes for name in re.findall(r"`(zooscope(?:\.\w+)+)", ast.get_docstring(node) or "")}:
        pkgutil.resolve_name(name)
