"""A record that is damaged says so, names what is, and can be repaired; it never gives another number."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.cli.synthetic import write_study
from tests.records.written import rewrite
from zooscope.errors import StudyError
from zooscope.records.checking import check_study
from zooscope.records.reading import read_clean_logits, read_predictions
from zooscope.records.records import Records

COPIES = int(os.environ.get("FAULT_COPIES", "40"))
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of which nearly every byte counts."""
    folder = tmp_path_factory.mktemp("dense")
    write_study(
        folder, tuple(f"classifier {n}" for n in range(6)), num_images=300, transforms=("height=32 width=32", "height=24 width=24")
    )
    return folder / "study.db"


def everything(path: Path) -> list[object]:
    with Records.open(path) as records:
        found = read_predictions(records)
        logits = [read_clean_logits(records, name).tobytes() for name in records.names]
        controls = sorted((key, values.tobytes()) for key, values in found.controls.items())
        arrays = [found.clean.tobytes(), found.transfer.tobytes(), found.labels.tobytes()]
        return [found.names, found.image_ids, found.transforms, arrays, controls, logits, records.definition, records.classifiers]


@pytest.mark.parametrize("num_bits", [1, 16])
def test_flipped_bits_give_the_same_numbers_or_one_sentence(dense: Path, tmp_path: Path, num_bits: int) -> None:
    whole, expected, generator, refused = dense.read_bytes(), everything(dense), np.random.default_rng(num_bits), 0
    path = tmp_path / "study.db"
    for _ in range(COPIES):
        bits = np.unpackbits(np.frombuffer(whole, dtype=np.uint8))
        bits[generator.choice(len(bits), num_bits, replace=False)] ^= 1
        path.write_bytes(np.packbits(bits).tobytes())
        try:
            assert everything(path) == expected
        except StudyError:
            refused += 1
    assert refused > COPIES // 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("DELETE FROM study WHERE key = 'seed'", "the table 'study' is not as it was written; restore it from a copy"),
        ("UPDATE images SET label = 3 WHERE position = 0", "the table 'images' is not as it was written"),
        ("DELETE FROM images WHERE position = 299", "the table 'images' is not as it was written"),
        ("UPDATE classifiers SET transform = 'height=9 width=9' WHERE id = 1", "the table 'classifiers' is not as it was written"),
        ("DELETE FROM arrays WHERE part = 1 AND series_id = 3", "36 arrays of the kind 'transfer' are there|arrays of the kind"),
        (
            "UPDATE arrays SET bytes = x'00000000' WHERE part = 1",
            r"shard 2, is not as it was written; `zooscope check STUDY --repair`",
        ),
        ("UPDATE arrays SET part = part + 7 WHERE part = 1", r"shard 9, is not as it was written"),
        ("UPDATE texts SET text = 'classifier 7' WHERE text = 'classifier 1'", r"classifier 7, .* is not as it was written"),
        ("UPDATE series SET kind = 'other' WHERE kind = 'transfer'", "the table 'series' is not as it was written"),
        ("DELETE FROM seals", "is not as it was written"),
    ],
)
def test_every_change_behind_its_back_is_noticed(dense: Path, tmp_path: Path, change: str, message: str) -> None:
    path = tmp_path / "study.db"
    shutil.copy(dense, path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(change)
    with pytest.raises(StudyError, match=message):
        everything(path)
    assert check_study(path, repair=False).left


def test_swapped_arrays_are_noticed(dense: Path, tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    shutil.copy(dense, path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE arrays SET subject_id = -subject_id")
        connection.execute("UPDATE arrays SET subject_id = CASE subject_id WHEN -1 THEN 3 WHEN -3 THEN 1 ELSE -subject_id END")
    with pytest.raises(StudyError, match="is not as it was written"):
        everything(path)


def test_damaged_units_are_named_and_a_repair_forgets_them_alone(dense: Path, tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    shutil.copy(dense, path)
    assert check_study(path, repair=True) == ([], [])
    with Records.open(path) as records:
        before = records.present("transfer")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE arrays SET bytes = zeroblob(400) WHERE part = 2 "
            "AND series_id = (SELECT id FROM series WHERE kind = 'transfer') "
            "AND subject_id = (SELECT id FROM texts WHERE text = 'classifier 0') "
            "AND object_id = (SELECT id FROM texts WHERE text = 'classifier 4')"
        )
    found, left = check_study(path, repair=True)
    assert [damage.what for damage in found] == ["transfer of classifier 0 to classifier 4, shard 3"]
    assert left == []
    with Records.open(path) as records:
        assert before - records.present("transfer") == {("classifier 0", "classifier 4", 2)}
    assert check_study(path, repair=False).found == []


def test_what_can_not_be_measured_again_stays_damaged(dense: Path, tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    shutil.copy(dense, path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE images SET label = 3 WHERE position = 0")
    found, left = check_study(path, repair=True)
    assert [damage.remedy for damage in found] == ["restore it from a copy, or measure into a new folder"]
    assert left == found


def test_components_that_are_damaged_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    shutil.copy(GOLDEN / "study-v3.db", path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE components SET value = 'maybe'")
    with Records.open(path) as records, pytest.raises(StudyError, match="the table 'components' is not as it was written"):
        records.components()
    assert not check_study(path, repair=True).left
    with Records.open(path) as records:
        assert records.components() == {}


def test_an_array_of_an_earlier_version_that_is_too_short_is_refused_and_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    shutil.copy(GOLDEN / "study-v2.db", path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE transfers SET predictions = x'00000000' WHERE source_id = 1 AND target_id = 2 AND shard = 1")
    with pytest.raises(StudyError, match="transfer of bundled:resnet to bundled:vit, shard 2, has another length than its shard"):
        Records.open(path)
    found, left = check_study(path, repair=True)
    assert (len(found), left) == (1, [])
    with Records.open(path) as records:
        assert ("bundled:resnet", "bundled:vit", 1) not in records.present("transfer")


def test_a_study_that_says_nonsense_under_a_right_checksum_is_refused(dense: Path, tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    for statement, message in (
        ("UPDATE study SET value = 'many' WHERE key = 'shard_size'", r"is damaged: some .* \(invalid literal for int"),
        ("UPDATE study SET value = '0' WHERE key = 'shard_size'", r"is damaged: some .* \(range\(\) arg 3"),
        ("DELETE FROM study WHERE key = 'seed'", r"is damaged: some .* \('seed'\)"),
    ):
        shutil.copy(dense, path)
        rewrite(path, statement)
        with pytest.raises(StudyError, match=message):
            everything(path)


@pytest.mark.parametrize("content", [b"This is no database.\n" * 100, bytes(4096)], ids=["text", "zeros"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "study.db").write_bytes(content)
    with pytest.raises(StudyError, match=r"study\.db is damaged or no study \(file is not a database\); restore it from a copy"):
        Records.open(tmp_path / "study.db")


def test_what_is_refused_is_not_left_open(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    path.write_bytes(bytes(4096))
    with pytest.raises(StudyError, match=r"study\.db is damaged or no study") as refused:
        Records.open(path)
    assert refused.tb is not None, "which would keep an open connection alive"
    assert str(path) not in {file.path for file in psutil.Process().open_files()}


def test_a_study_that_was_cut_is_refused(dense: Path, tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    path.write_bytes(dense.read_bytes()[: 20 * 4096])
    with pytest.raises(StudyError, match=r"study\.db is damaged"):
        everything(path)
    with pytest.raises(StudyError, match=r"study\.db is damaged"):
        check_study(path, repair=False)


def test_a_closed_record_says_so(dense: Path) -> None:
    records = Records.open(dense)
    records.close()
    with pytest.raises(StudyError, match=r"can't be used any more \(Cannot operate on a closed database\.\); open the study again"):
        _ = records.names
