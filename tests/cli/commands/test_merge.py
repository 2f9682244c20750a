import shutil
from pathlib import Path

import pytest

from tests.cli.calling import SMALL, call, one_line
from zooscope.study.parts import list_parts
from zooscope.study.study import Study

pytestmark = pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")


@pytest.fixture(scope="module")
def measured_parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the two parts of a study."""
    folder = tmp_path_factory.mktemp("folder") / "study"
    for number in (1, 2):
        result = call("measure", folder, *SMALL, "--shard-size", "10", "--part", f"{number}/2")
        assert result.exit_code == 0
        assert one_line(result.stdout) == (
            f"{folder}/parts/{number}-of-2: part {number}/2 of {folder} is measured. "
            f"When all are: `zooscope merge {folder}` puts them together."
        )
    return folder


@pytest.fixture
def study(measured_parts: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(measured_parts, tmp_path / "study"))


def test_parts_are_merged_into_the_study_beside_them(study: Path) -> None:
    result = call("merge", study)
    assert result.exit_code == 0
    assert one_line(result.stdout) == (
        f"{study}: 2 parts merged: 2 classifiers on 20 images. Nothing is missing. "
        f"To see the scores: `zooscope show {study}`, or `zooscope report {study}`"
    )
    assert call("measure", study).stdout.startswith(f"{study}: 2 classifiers are measured on 20 images.")


def test_parts_are_merged_into_another_folder(study: Path, tmp_path: Path) -> None:
    assert call("merge", tmp_path / "out", *list_parts(study)).exit_code == 0
    with Study.open(tmp_path / "out") as merged:
        assert merged.predictions.find_complete().all()


def test_what_is_missing_is_said(study: Path) -> None:
    shutil.rmtree(study / "parts" / "2-of-2")
    assert one_line(call("merge", study).stdout) == (
        f"{study}: 1 part merged: 2 classifiers on 20 images. Missing: 2 units of clean images, 2 units of attacks "
        f"(parts 2/2 are not there); measure those parts and merge again, or `zooscope measure {study}` measures all of it"
    )
    assert call("measure", study).exit_code == 0
    assert "Nothing is missing" in call("merge", study).stdout


def test_a_part_of_a_merged_study_measures_what_new_classifiers_need(study: Path) -> None:
    call("merge", study)
    for number in (1, 2):
        assert call("measure", study, "--classifiers", "bundled:mixer", "--part", f"{number}/2").exit_code == 0
    assert "3 classifiers on 20 images. Nothing is missing." in call("merge", study).stdout


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("3/2", "a part is written 2/8, the second of eight: got '3/2'."),
        ("3/4", "there is no study at {study}/parts/3-of-4 yet; add --classifiers and --images to make one"),
    ],
)
def test_a_part_that_can_not_be_measured_is_one_sentence(part: str, sentence: str, tmp_path: Path) -> None:
    result = call("measure", tmp_path / "study", "--part", part)
    assert result.exit_code == 1
    assert sentence.format(study=tmp_path / "study") in one_line(result.stderr)
    assert not (tmp_path / "study").exists()


def test_no_parts_are_one_sentence(tmp_path: Path) -> None:
    result = call("merge", tmp_path)
    assert (result.exit_code, one_line(result.stderr)) == (
        1,
        f"Error: {tmp_path} has no parts to merge; measure them (`zooscope measure {tmp_path} --part 1/4`), or name their folders.",
    )
