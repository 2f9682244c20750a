"""One small study on real classifiers, measured once."""

import shutil
from pathlib import Path

import pytest

from tests.cli.calling import SMALL, call


@pytest.fixture(scope="session")
def measured_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study by `zooscope measure`; not to be changed."""
    folder = tmp_path_factory.mktemp("measured") / "study"
    assert call("measure", folder, *SMALL).exit_code == 0
    return folder


@pytest.fixture
def study(measured_study: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed at will."""
    return Path(shutil.copytree(measured_study, tmp_path / "study"))
