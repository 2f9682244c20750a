"""A study is read without torch, at one moment; a published matrix is a study, too."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tests.specimens import family
from zooscope import Study
from zooscope.attacks import LinfPGD
from zooscope.errors import InvalidValueError, StudyError, UnknownComponentWarning, UnknownNameError

GOLDEN = Path(__file__).parents[1] / "records" / "golden"
MATRIX = pd.DataFrame([[4.6, 3.0], [3.0, 4.5]], index=["a", "b"], columns=["a", "b"])
COMPONENTS = pd.DataFrame({"activation": ["ReLU", "GELU"], "hierarchical": ["Yes", np.nan]}, index=["b", "stranger"])


@pytest.fixture
def published(tmp_path: Path) -> Study:
    """A matrix of two classifiers."""
    return Study.from_matrix(tmp_path / "study", MATRIX)


def test_reading_and_scoring_takes_no_torch(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_bytes((GOLDEN / "study-v1.db").read_bytes())
    script = (
        "import sys; from zooscope import read_snapshot; "
        f"study = read_snapshot({str(tmp_path)!r}); "
        "print(study.sat().shape, study.transfer().shape, len(study.classifiers())); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["(3, 3) (3, 3) 3", "False"]


def test_a_published_matrix_comes_back_after_reopening(published: Study) -> None:
    assert published.path is not None
    published.close()
    with Study.open(published.path) as study:
        assert study.is_imported
        assert study.names == ("a", "b")
        np.testing.assert_array_equal(study.sat().to_numpy(), MATRIX.to_numpy())


def test_what_a_published_matrix_lacks_is_said_with_the_command_that_measures_it(published: Study) -> None:
    expected = "is an imported matrix and holds no {}; measure these classifiers into a new folder: `zooscope measure FOLDER"
    with pytest.raises(StudyError, match=expected.format("predictions")):
        published.predictions  # noqa: B018  (it is the reading that fails)
    with pytest.raises(StudyError, match=expected.format("logits")):
        published.clean_logits("a")
    assert published.path is not None
    with Study.open(published.path) as study, pytest.raises(StudyError, match=expected.format("images")):
        study.run()
    with Study.open(published.path) as study, pytest.raises(StudyError, match=expected.format("images")):
        study.add([])


def test_components_that_are_not_known_are_nan(published: Study) -> None:
    with pytest.warns(UnknownComponentWarning, match="1 row of other classifiers not used: stranger"):
        published.set_components(COMPONENTS)
    table = published.components()
    assert list(table.index) == ["a", "b"]
    assert table.loc["b"].to_dict() == {"activation": "ReLU", "hierarchical": "Yes"}
    assert table.loc["a"].isna().all()


def test_a_study_without_components_has_a_table_without_columns(published: Study) -> None:
    assert published.components().shape == (2, 0)


def test_components_of_strangers_and_of_twins_are_refused(published: Study) -> None:
    with pytest.raises(InvalidValueError, match="names none of the study's classifiers; its first name is 'stranger'"):
        published.set_components(COMPONENTS.drop(index="b"))
    with pytest.raises(InvalidValueError, match="names b twice"):
        published.set_components(COMPONENTS.set_axis(["b", "b"], axis=0))


def test_a_name_that_the_study_lacks_is_refused(published: Study) -> None:
    with pytest.raises(UnknownNameError, match="unknown classifier 'c'"):
        published.clean_logits("c")


@pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")
def test_a_snapshot_stays_as_it_is_while_another_process_measures(tmp_path: Path) -> None:
    classifiers, images = family(3)
    attack = LinfPGD(epsilon=0.03, step_size=0.01, iterations=2)
    with Study.create(tmp_path / "study", classifiers=classifiers[:2], images=images, attack=attack) as study:
        study.run(device="cpu")
        before = study.snapshot()
        with Study.open(tmp_path / "study", classifiers=classifiers, images=images) as other:
            other.add(classifiers)
            other.run(device="cpu")
        assert before.names == tuple(one.name for one in classifiers[:2])
        assert before.sat().shape == before.transfer().shape == (2, 2)
        assert len(before.classifiers()) == 2
        assert study.snapshot().names == tuple(one.name for one in classifiers)


@pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")
def test_a_part_of_a_snapshot_has_the_scores_of_the_whole() -> None:
    classifiers, images = family(4, sizes=((6, 6), (9, 9)))
    with Study.in_memory(classifiers=classifiers, images=images, attack=LinfPGD(iterations=2)) as study:
        study.run(device="cpu", allow_chance=True)
        whole = study.snapshot()
    names = [classifiers[3].name, classifiers[0].name]
    part = whole.take(names)
    assert part.names == tuple(names)
    xr.testing.assert_equal(part.sat(), whole.sat().sel(a=names, b=names))
    xr.testing.assert_equal(part.transfer(), whole.transfer().sel(source=names, target=names))
    with pytest.raises(UnknownNameError, match="unknown classifier 'stranger'"):
        whole.take(["stranger"])


@pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")
def test_scores_are_computed_once() -> None:
    classifiers, images = family(2)
    with Study.in_memory(classifiers=classifiers, images=images, attack=LinfPGD(iterations=2)) as study:
        study.run(device="cpu", allow_chance=True)
        snapshot = study.snapshot()
    assert snapshot.sat() is snapshot.sat()
    assert snapshot.sat() is not snapshot.sat(confidence=0.9)
    assert snapshot.transfer() is snapshot.transfer()
