"""A study is read without torch; a published matrix is a study, too."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zooscope import Study
from zooscope.errors import InvalidValueError, StudyError, UnknownNameError
from zooscope.study.recorded import RecordedStudy

GOLDEN = Path(__file__).parents[1] / "records" / "golden"
MATRIX = pd.DataFrame([[4.6, 3.0], [3.0, 4.5]], index=["a", "b"], columns=["a", "b"])
COMPONENTS = pd.DataFrame({"activation": ["ReLU", "GELU"], "hierarchical": ["Yes", np.nan]}, index=["b", "stranger"])


@pytest.fixture
def published(tmp_path: Path) -> RecordedStudy:
    """A matrix of two classifiers."""
    return RecordedStudy.from_matrix(tmp_path / "study", MATRIX)


def test_reading_and_scoring_takes_no_torch(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_bytes((GOLDEN / "study-v1.db").read_bytes())
    script = (
        "import sys; from zooscope.study.recorded import RecordedStudy; "
        f"study = RecordedStudy.read({str(tmp_path)!r}); "
        "print(study.sat().shape, study.transfer().shape, len(study.classifiers())); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["(3, 3) (3, 3) 3", "False"]


def test_a_published_matrix_comes_back_after_reopening(published: RecordedStudy) -> None:
    assert published.path is not None
    published.close()
    with Study.open(published.path) as study:
        assert study.is_imported
        assert study.names == ("a", "b")
        np.testing.assert_array_equal(study.sat().to_numpy(), MATRIX.to_numpy())


def test_what_a_published_matrix_lacks_is_said_with_the_command_that_measures_it(published: RecordedStudy) -> None:
    expected = "is an imported matrix and holds no {}; measure these classifiers into a new folder: zooscope measure FOLDER"
    with pytest.raises(StudyError, match=expected.format("predictions")):
        published.predictions  # noqa: B018  (it is the reading that fails)
    with pytest.raises(StudyError, match=expected.format("logits")):
        published.clean_logits("a")
    assert published.path is not None
    with Study.open(published.path) as study, pytest.raises(StudyError, match=expected.format("images")):
        study.run()
    with Study.open(published.path) as study, pytest.raises(StudyError, match=expected.format("images")):
        study.add([])


def test_components_that_are_not_known_are_nan(published: RecordedStudy) -> None:
    published.set_components(COMPONENTS)
    table = published.components()
    assert list(table.index) == ["a", "b"]
    assert table.loc["b"].to_dict() == {"activation": "ReLU", "hierarchical": "Yes"}
    assert table.loc["a"].isna().all()


def test_a_study_without_components_has_a_table_without_columns(published: RecordedStudy) -> None:
    assert published.components().shape == (2, 0)


def test_components_of_strangers_and_of_twins_are_refused(published: RecordedStudy) -> None:
    with pytest.raises(InvalidValueError, match="names none of the study's classifiers; its first name is 'stranger'"):
        published.set_components(COMPONENTS.drop(index="b"))
    with pytest.raises(InvalidValueError, match="names b twice"):
        published.set_components(COMPONENTS.set_axis(["b", "b"], axis=0))


def test_a_name_that_the_study_lacks_is_refused(published: RecordedStudy) -> None:
    with pytest.raises(UnknownNameError, match="unknown classifier 'c'"):
        published.clean_logits("c")
