"""Fixtures shared by all tests."""

from pathlib import Path

import zooscope.images.torchvision_operators  # for all tests

import numpy as np
import pytest
import torch
from hypothesis import settings
from PIL import Image

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
def image_folder(tmp_path: Path) -> Path:
    """A folder of 12 images of 8x8 pixels in three classes."""
    folder, generator = tmp_path / "images", np.random.default_rng(0)
    for name in ("cat", "dog", "fish"):
        (folder / name).mkdir(parents=True)
        for number in range(4):
            levels = generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(levels).save(folder / name / f"{number}.png")
    return folder
