"""A misspelt folder suggests the studies beside it."""

from pathlib import Path

import pytest

from zooscope.errors import MissingFileError
from zooscope.records.entries import DATABASE
from zooscope.records.near import suggest_studies
from zooscope.records.records import Records


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with two studies and a folder that is none."""
    for name in ("study", "study2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / DATABASE).touch()
    (tmp_path / "stud").mkdir()
    return tmp_path


def test_studies_with_similar_names_are_suggested_as_they_would_be_written(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert suggest_studies(place / "stduy") == f" Did you mean {place / 'study'} or {place / 'study2'}?"
    monkeypatch.chdir(place)
    assert suggest_studies(Path("stduy")) == " Did you mean study or study2?"


@pytest.mark.parametrize("name", ["else", "nowhere/study"])
def test_where_none_is_near_nothing_is_suggested(name: str, place: Path) -> None:
    assert suggest_studies(place / name) == ""


def test_a_study_is_not_suggested_for_itself(place: Path) -> None:
    assert suggest_studies(place / "study") == f" Did you mean {place / 'study2'}?"


def test_a_missing_study_names_the_near_one(place: Path) -> None:
    with pytest.raises(MissingFileError, match=r"is missing\. Did you mean .*study or .*study2\? `zooscope measure` makes"):
        Records.open(place / "stduy" / DATABASE)
