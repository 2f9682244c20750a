"""Every example in a docstring runs; that of a method goes on where that of its class ends."""

import ast
import doctest
import inspect
import pkgutil
import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

import zooscope
import zooscope.analyses
import zooscope.attacks
from zooscope.scores.registry import SIMILARITIES

FILES = sorted(file.name for file in pkgutil.walk_packages(zooscope.__path__, "zooscope.") if not file.name.endswith("__main__"))
SCORES = sorted({f"zooscope.scores.{name}" for name in SIMILARITIES})


@cache
def find_examples(module: str) -> Mapping[str, doctest.DocTest]:
    """Those of a module, by the full name of what they belong to; a class comes before its methods."""
    return {found.name: found for found in doctest.DocTestFinder().find(import_module(module)) if found.examples}


NAMES = [
    *((zooscope, name) for name in zooscope.__all__ if name not in {"analyses", "attacks"}),
    *((package, name) for package in (zooscope.analyses, zooscope.attacks) for name in package.__all__),
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


@pytest.mark.parametrize(("package", "name"), NAMES, ids=[f"{package.__name__}.{name}" for package, name in NAMES])
def test_every_public_name_has_an_example(package: ModuleType, name: str) -> None:
    assert ">>>" in (getattr(package, name).__doc__ or "")


@pytest.mark.parametrize("module", ["zooscope", *FILES])
def test_every_full_name_in_a_docstring_is_one(module: str) -> None:
    tree = ast.parse(inspect.getsource(import_module(module)))
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef))
    for name in {name for node in nodes for name in re.findall(r"`(zooscope(?:\.\w+)+)", ast.get_docstring(node) or "")}:
        pkgutil.resolve_name(name)
