"""Every example in a docstring runs, and all that is public has one.

A public function, class and method has an example, which can be pasted into a new session; that of a method goes on where that of
its class ends. A method needs none of its own where the example of its class calls it, and a property none at all, as it takes no
arguments. Nor do errors and warnings need one: that of ZooscopeError shows how to catch them.
"""

import ast
import doctest
import inspect
import pkgutil
import re
from collections.abc import Mapping
from functools import cache, cached_property
from importlib import import_module
from typing import Any, NamedTuple

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


class Public(NamedTuple):
    """A public name, such as `sat` of `zooscope`, or a member of a class, such as `Study.run`."""

    module: str
    path: str

    @property
    def outer(self) -> Any:  # noqa: ANN401  (a class or function)
        return getattr(import_module(self.module), self.path.partition(".")[0])

    @property
    def member(self) -> str:
        return self.path.partition(".")[2]

    @property
    def thing(self) -> Any:  # noqa: ANN401  (as above; of a property, the function behind it)
        return find_function(self.outer, self.member) if self.member else self.outer


def name_in_full(thing: Any) -> str:  # noqa: ANN401  (a class or function)
    return f"{thing.__module__}.{thing.__qualname__}"


def needs_example(public: Public) -> bool:
    if public.member:
        return not isinstance(inspect.getattr_static(public.outer, public.member), property | cached_property)
    return public.outer is zooscope.ZooscopeError or not (inspect.isclass(public.outer) and issubclass(public.outer, Exception))


def has_example(public: Public) -> bool:
    if name_in_full(public.thing) in find_examples(public.thing.__module__):
        return True
    of_class = find_examples(public.outer.__module__).get(name_in_full(public.outer))
    call = re.compile(rf"\.{public.member}\(")
    return bool(public.member) and of_class is not None and any(call.search(line.source) for line in of_class.examples)


PUBLIC = [
    public
    for module in MODULES
    for public in (Public(module, name.removeprefix(f"{module}.")) for name in list_public([module]))
    if needs_example(public)
]
PASTED = {name_in_full(public.thing) for public in PUBLIC}


@pytest.mark.parametrize("module", ["zooscope", *FILES])
def test_the_examples_in_the_docstrings_run(module: str) -> None:
    runner, left, num_failed = doctest.DocTestRunner(), dict[str, dict[str, Any]](), 0
    for name, example in find_examples(module).items():
        if name in PASTED:
            example.globs.clear()
        example.globs.update({"__name__": "__main__"} | left.get(name.rpartition(".")[0], {}))
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


@pytest.mark.parametrize("public", PUBLIC, ids=".".join)
def test_all_that_is_public_has_an_example(public: Public) -> None:
    assert has_example(public), f"{'.'.join(public)} has no example; write one into its docstring"


@pytest.mark.parametrize("module", ["zooscope", *FILES])
def test_every_full_name_in_a_docstring_is_one(module: str) -> None:
    tree = ast.parse(inspect.getsource(import_module(module)))
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef))
    for name in {name for node in nodes for name in re.findall(r"`(zooscope(?:\.\w+)+)", ast.get_docstring(node) or "")}:
        pkgutil.resolve_name(name)
