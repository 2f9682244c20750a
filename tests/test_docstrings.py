import doctest
import pkgutil
from importlib import import_module

import pytest

import zooscope
import zooscope.analyses

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(zooscope.__path__, "zooscope.") if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", ["zooscope", *MODULES])
def test_the_examples_in_the_docstrings_run(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0


@pytest.mark.parametrize("name", ["zooscope.scores.sat", "zooscope.study.pair"])
def test_every_score_has_an_example(name: str) -> None:
    assert doctest.testmod(import_module(name)).attempted > 0


@pytest.mark.parametrize("name", zooscope.analyses.__all__)
def test_every_analysis_has_an_example(name: str) -> None:
    assert ">>>" in (getattr(zooscope.analyses, name).__doc__ or "")
