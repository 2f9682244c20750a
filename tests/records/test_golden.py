"""A study of every released schema still opens and gives its scores.

`golden/study-v1.db` was measured by version 0.1.0: two bundled classifiers and one that takes 24 pixels, 30 images, ten iterations.
`golden/study-v1.json` was computed from its tables by plain loops over `struct.unpack`ed integers, by no code of zooscope's.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from zooscope import Study
from zooscope.attacks import LinfPGD

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = sorted(file.stem for file in GOLDEN.glob("*.db"))


@pytest.fixture(params=VERSIONS)
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Study, dict[str, Any]]:
    """A copy of the study, open, and what is expected of it."""
    shutil.copy(GOLDEN / f"{request.param}.db", tmp_path / "study.db")
    expected: dict[str, Any] = json.loads((GOLDEN / f"{request.param}.json").read_text())
    return Study.open(tmp_path), expected


def by_pair(matrix: xr.DataArray) -> dict[str, float]:
    rows, columns = matrix.dims
    return {
        f"{row} -> {column}": float(matrix.sel({rows: row, columns: column}))
        for row in matrix[rows].to_numpy()
        for column in matrix[columns].to_numpy()
    }


def test_versions_are_all_there() -> None:
    assert VERSIONS == ["study-v1"]


def test_scores_are_those_of_the_tables(golden: tuple[Study, dict[str, Any]]) -> None:
    study, expected = golden
    with study:
        score, transfer = study.sat(confidence=None), study.transfer()
        assert list(study.names) == expected["names"]
        assert by_pair(score) == pytest.approx(expected["sat"], rel=1e-12)
        assert by_pair(score["count"]) == expected["count"]
        assert by_pair(transfer) == pytest.approx(expected["transfer"], rel=1e-12)
        assert by_pair(transfer["control"]) == pytest.approx(expected["control"], rel=1e-12)
        assert study.classifiers()["clean_accuracy"].to_dict() == pytest.approx(expected["clean_accuracy"])


def test_definitions_are_those_that_were_measured(golden: tuple[Study, dict[str, Any]]) -> None:
    study, _ = golden
    with study:
        assert study.num_images == 30
        assert study.attack == LinfPGD(iterations=10)
        assert study.class_names[3] == "cat"
        assert study.clean_logits("bundled:vit").shape == (30, 10)
