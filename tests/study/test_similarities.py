"""Similarities of a study: what they take is found in its record, or the command that makes it is said."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tests.specimens import family
from zooscope import Study, read_snapshot
from zooscope.attacks import LinfPGD
from zooscope.errors import StudyError, UnknownNameError
from zooscope.records.entries import DATABASE
from zooscope.records.records import Records
from zooscope.scores.registry import SIMILARITIES

ATTACK = LinfPGD(epsilon=0.03, step_size=0.01, iterations=1)
CLEAN = [one.name for one in SIMILARITIES.values() if not one.also]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A measured study."""
    path = tmp_path_factory.mktemp("study")
    classifiers, images = family(3, num_images=20)
    with Study.create(path, classifiers=classifiers, images=images, attack=ATTACK, shard_size=8) as study:
        study.run(device="cpu", allow_chance=True)
    return path


@pytest.mark.parametrize("name", CLEAN)
def test_every_study_has_the_scores_of_clean_predictions(folder: Path, name: str) -> None:
    matrix = read_snapshot(folder).similarity(name)
    assert matrix.dims == ("a", "b")
    assert list(matrix["a"].values) == list(read_snapshot(folder).names)
    assert matrix.name == name
    assert (matrix["count"] == 20).all()
    with Study.open(folder) as study:
        xr.testing.assert_identical(study.similarity(name), matrix)


@pytest.mark.parametrize("name", CLEAN)
def test_a_part_of_a_study_has_the_scores_of_the_whole(folder: Path, name: str) -> None:
    whole, names = read_snapshot(folder), ["relative 2", "relative 0"]
    xr.testing.assert_allclose(whole.take(names).similarity(name), whole.similarity(name).sel(a=names, b=names))


def test_of_a_classifier_that_is_half_measured_it_is_said(tmp_path: Path) -> None:
    classifiers, images = family(2, num_images=20)
    with Study.create(tmp_path, classifiers=classifiers, images=images, attack=ATTACK, shard_size=8) as study:
        study.run(device="cpu", allow_chance=True)
    with Records.open(tmp_path / DATABASE, write=True) as records:
        damage = (
            "DELETE FROM arrays WHERE part = 1 AND subject_id = 1 AND series_id IN (SELECT id FROM series WHERE kind = 'logits')"
        )
        records.set_roles({"relative 0": True})  # opens it for writing
        records._connection.execute(damage)  # noqa: SLF001
        records.forget([])
    matrix = read_snapshot(tmp_path).similarity("capa")
    np.testing.assert_array_equal(np.isnan(matrix), [[True, True], [True, False]])
    assert "the logits of relative 0 are not measured (on all images); run `zooscope measure" in matrix.reason.to_numpy()[0, 1]


def test_a_published_matrix_has_none(tmp_path: Path) -> None:
    matrix = pd.DataFrame([[4.6, 3.0], [3.0, 4.5]], index=["a", "b"], columns=["a", "b"])
    with Study.from_matrix(tmp_path / "study", matrix) as study, pytest.raises(StudyError, match="holds no predictions"):
        study.similarity("disagreement")


def test_an_unknown_name_is_refused(folder: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown similarity 'kappa'"):
        read_snapshot(folder).similarity("kappa")


def test_a_study_of_which_nothing_is_measured_has_none(tmp_path: Path) -> None:
    classifiers, images = family(2, num_images=6)
    with (
        Study.create(tmp_path, classifiers=classifiers, images=images, attack=ATTACK) as study,
        pytest.raises(StudyError, match="the study holds no classifier that is measured"),
    ):
        study.similarity("disagreement")
