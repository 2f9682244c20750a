"""Fixtures shared by all tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import zooscope.images.torchvision_operators  # for all tests

import numpy as np
import pytest
import torch
from hypothesis import settings
from PIL import Image

from zooscope.classifiers.compiled import require_compiler

# The same examples on every machine, and no time limit per example: other programs may need the processor, too.
settings.register_profile("zooscope", deadline=None, derandomize=True)
settings.load_profile("zooscope")

# The networks are small: several threads would wait for each other longer than they compute, most of all on a busy machine.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Weights and pixels that a test draws are the same in any order of the tests, and in any process."""
    torch.manual_seed(0)


@pytest.fixture
def compiled_anew() -> None:
    """torch forgets what it compiled, and whether it can."""
    torch.compiler.reset()
    require_compiler.cache_clear()


@pytest.fixture
def traced(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """torch traces networks, and runs what it traced without making kernels of it, which would take long; gives the traces."""
    request.getfixturevalue("compiled_anew")
    traces, compile_by_torch = list[object](), torch.compile

    def keep(graph: torch.fx.GraphModule, _inputs: object) -> object:
        traces.append(graph)
        return graph.forward

    def trace(what: Callable[..., Any], *, options: object = None) -> object:  # noqa: ARG001
        return compile_by_torch(what, backend=keep)

    monkeypatch.setattr(torch, "compile", trace)
    return traces


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """A folder of 12 images of 8x8 pixels in three classes."""
    folder, generator = tmp_path / "images", np.random.default_rng(0)
    for name in ("cat", "dog", "fish"):
        (folder / name).mkdir(parents=True)
        for number in range(4):
            levels = generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(levels).save(folder / name / f"{number}.png")
    return folder
