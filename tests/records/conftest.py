"""Records on disk."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.records.written import DEFINITION, IDS, LABELS, classifier, save_clean
from zooscope.records.records import Records


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the record of a study with two classifiers lies, closed, one clean shard measured."""
    path = tmp_path / "study" / "study.db"
    with Records.create(path, DEFINITION, IDS, LABELS) as records:
        records.add_classifier(classifier("a"), is_admitted=True)
        records.add_classifier(classifier("b", "24 pixels"), is_admitted=True)
        save_clean(records, "a", 0, np.array([0, 1]), np.zeros((2, 2), dtype=np.float16))
    return path


@pytest.fixture
def records(path: Path) -> Iterator[Records]:
    """The same, open."""
    with Records.open(path, write=True) as opened:
        yield opened
