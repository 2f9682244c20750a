import doctest
import pkgutil
from importlib import import_module
from types import ModuleType

import pytest

import zooscope
import zooscope.analyses
import zooscope.attacks
from zooscope.scores.registry import SIMILARITIES

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(zooscope.__path__, "zooscope.") if not module.name.endswith("__main__")
)
NAMES = [
    *((zooscope, name) for name in zooscope.__all__ if name not in {"analyses", "attacks"}),
    *((package, name) for package in (zooscope.analyses, zooscope.attacks) for name in package.__all__),
]


@pytest.mark.parametrize("name", ["zooscope", *MODULES])
def test_the_examples_in_the_docstrings_run(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0


SCORES = sorted({f"zooscope.scores.{name}" for name in SIMILARITIES})


@pytest.mark.parametrize("name", ["zooscope.scores.sat", "zooscope.study.pair", *SCORES])
def test_every_score_has_an_example(name: str) -> None:
    assert doctest.testmod(import_module(name)).attempted > 0


@pytest.mark.parametrize(("package", "name"), NAMES, ids=[f"{package.__name__}.{name}" for package, name in NAMES])
def test_every_public_name_has_an_example(package: ModuleType, name: str) -> None:
    assert ">>>" in (getattr(package, name).__doc__ or "")
