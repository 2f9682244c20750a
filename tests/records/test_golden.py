"""A study of every released schema still opens and gives its scores.

Each `golden/study-v<schema>.db` was measured by the code of its time: two bundled classifiers and one that takes 24 pixels, 30
images, ten iterations. Its `.json` was computed from its tables by `golden/expected.py`: plain loops over `struct.unpack`ed
integers, no code of zooscope's. `golden/imported-v<schema>.db` is a published matrix.
"""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from zooscope import Study
from zooscope.attacks import LinfPGD
from zooscope.errors import UnknownComponentWarning
from zooscope.images.pixel_transform import PixelTransform
from zooscope.records.layout import SCHEMA_VERSION
from zooscope.study.snapshot import read_snapshot

# On 30 images, ten iterations don't suffice for every source; the warning says so, rightly.
pytestmark = pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = sorted(file.stem for file in GOLDEN.glob("study-*.db"))
IMPORTED = sorted(GOLDEN.glob("imported-*.db"))


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


def test_every_version_of_the_schema_has_a_golden_study() -> None:
    assert [f"study-v{version}" for version in range(1, SCHEMA_VERSION + 1)] == VERSIONS
    assert [file.stem for file in IMPORTED] == [f"imported-v{version}" for version in range(2, SCHEMA_VERSION + 1)]


def test_expected_scores_are_those_of_the_tables_as_they_are(golden: tuple[Study, dict[str, Any]]) -> None:
    study, expected = golden
    with study:
        assert study.path is not None
        command: list[str | Path] = [sys.executable, GOLDEN / "expected.py", study.path / "study.db"]
        subprocess.run(command, check=True)
        assert json.loads((study.path / "study.json").read_text()) == expected


def test_a_study_brought_up_to_date_gives_the_same_scores(golden: tuple[Study, dict[str, Any]]) -> None:
    study, expected = golden
    with study:
        before = study.predictions
        components, logits = study.components(), study.clean_logits("bundled:vit")
        study.remove([])
        with pytest.warns(UnknownComponentWarning, match="none of the 13 components are kept under their names: note"):
            study.set_components(pd.DataFrame({"note": ["up to date"]}, index=["bundled:vit"]))
    assert study.path is not None
    with closing(sqlite3.connect(study.path / "study.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with Study.open(study.path) as again:
        assert by_pair(again.sat(confidence=None)) == pytest.approx(expected["sat"], rel=1e-12)
        for field in ("clean", "transfer", "labels"):
            np.testing.assert_array_equal(getattr(again.predictions, field), getattr(before, field))
        np.testing.assert_equal(dict(again.predictions.controls), dict(before.controls))
        assert again.predictions.image_ids == before.image_ids
        np.testing.assert_array_equal(again.clean_logits("bundled:vit"), logits)
        assert again.components().drop(columns="note").to_dict() == components.to_dict()


@pytest.mark.parametrize("file", IMPORTED, ids=lambda file: file.stem)
def test_an_imported_matrix_says_what_was_imported(file: Path, tmp_path: Path) -> None:
    shutil.copy(file, tmp_path / "study.db")
    study = read_snapshot(tmp_path)
    assert study.is_imported
    assert study.names == ("a", "b", "c")
    np.testing.assert_array_equal(study.sat().to_numpy(), [[4.6, 1.25, np.nan], [1.25, 4.5, -2.5], [np.nan, -2.5, 3.75]])
    assert study.components()["activation"].dropna().to_dict() == {"a": "GELU", "b": "ReLU"}


@pytest.mark.parametrize(("address", "guessed"), [("bundled:vit", ["bundled:vit"]), (None, ["bundled:vit"]), ("paper:vit", [])])
def test_what_an_old_record_may_have_guessed_counts_as_a_guess(address: str | None, guessed: list[str], tmp_path: Path) -> None:
    shutil.copy(GOLDEN / "study-v2.db", tmp_path / "study.db")
    with closing(sqlite3.connect(tmp_path / "study.db")) as connection, connection:
        connection.execute("UPDATE components SET value = 'NAS (CNN)' WHERE classifier_id = 2 AND component = 'base architecture'")
        connection.execute("UPDATE classifiers SET address = ? WHERE id = 2", [address])
    assert read_snapshot(tmp_path).guesses == {name: {"base architecture"} for name in guessed}


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
        sizes = [PixelTransform.parse(one.transform).size for one in study.snapshot().classifier_records]
        assert sizes == [(32, 32), (32, 32), (24, 24)]
        assert study.clean_logits("bundled:vit").shape == (30, 10)
