from pathlib import Path

import pytest

from tests.cli.synthetic import write_study
from tests.cli.zoo import write_groups
from tests.records.written import rewrite
from zooscope.cli.groups import read_groups
from zooscope.errors import MissingFileError, UnknownNameError
from zooscope.records.entries import DATABASE
from zooscope.study.snapshot import Snapshot, read_snapshot


def study_of(folder: Path, names: tuple[str, ...] = ("a", "b", "c")) -> Snapshot:
    write_study(folder, names)
    return read_snapshot(folder)


@pytest.mark.parametrize(
    "text",
    [
        "name,group\nb,seeds\na,regimes\n",
        "classifier,settings\nb,seeds\na,regimes\n",
        "name,colour,group\nb,red,seeds\na,blue,regimes\nc,red,\n",
    ],
)
def test_groups_come_from_the_column_group_or_the_second_one(tmp_path: Path, text: str) -> None:
    found = read_groups(study_of(tmp_path / "study"), write_groups(tmp_path / "groups.csv", text))
    assert list(found.items()) == [("a", "regimes"), ("b", "seeds")]


def test_without_a_file_they_come_from_the_addresses(tmp_path: Path) -> None:
    assert read_groups(study_of(tmp_path), None) == {}
    rewrite(tmp_path / DATABASE, "UPDATE classifiers SET address = 'bundled:vit?name=a&group=seeds' WHERE name = 'a'")
    assert read_groups(read_snapshot(tmp_path), None) == {"a": "seeds"}


def test_a_classifier_that_the_study_lacks_is_refused(tmp_path: Path) -> None:
    file = write_groups(tmp_path / "groups.csv", "name,group\nbundled:ab,seeds\n")
    study = study_of(tmp_path / "study", ("bundled:aa", "b"))
    with pytest.raises(UnknownNameError, match=r"unknown classifier in .*groups\.csv 'bundled:ab'\. Did you mean bundled:aa"):
        read_groups(study, file)
    with pytest.raises(MissingFileError, match=r"there is no file .*none\.csv"):
        read_groups(study, tmp_path / "none.csv")
