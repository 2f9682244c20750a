"""A study's record: what is written comes back, whatever happens to the machine."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zooscope.errors import MissingFileError, StudyError
from zooscope.records.database import APPLICATION_ID, SCHEMA_VERSION
from zooscope.records.entries import ClassifierRecord, Definition
from zooscope.records.predictions import NOT_COUNTED, NOT_MEASURED
from zooscope.records.records import Records

DEFINITION = Definition(images="by hand", image_digest="0", class_names="cat\ndog", attack="{}", seed=5, shard_size=2)
IDS, LABELS = ("a", "b", "c", "d", "e"), np.array([0, 1, 1, 0, 1])


def classifier(name: str, transform: str = "32 pixels") -> ClassifierRecord:
    return ClassifierRecord(
        name=name,
        address=None,
        architecture="none",
        num_classes=2,
        weights=f"digest of {name}",
        transform=transform,
        mean="0",
        std="1",
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the record of a study with two classifiers lies, closed, one clean shard measured."""
    path = tmp_path / "study" / "study.db"
    with Records.create(path, DEFINITION, IDS, LABELS) as records:
        records.add_classifier(classifier("a"))
        records.add_classifier(classifier("b", "24 pixels"))
        records.save_clean("a", 0, np.array([0, 1]), np.zeros((2, 2), dtype=np.float16))
    return path


@pytest.fixture
def records(path: Path) -> Iterator[Records]:
    """The same, open."""
    with Records.open(path) as opened:
        yield opened


def value(path: Path, question: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchone()[0]


# What is written comes back


def test_a_new_record_holds_what_defines_the_study(records: Records) -> None:
    assert records.definition == DEFINITION
    assert records.image_ids == IDS
    np.testing.assert_array_equal(records.labels, LABELS)
    assert records.shards == (range(2), range(2, 4), range(4, 5))
    assert records.classifiers == (classifier("a"), classifier("b", "24 pixels"))
    assert records.names == ("a", "b")


def test_the_database_says_what_it_is_and_how_it_is_kept(path: Path) -> None:
    assert value(path, "PRAGMA application_id") == APPLICATION_ID
    assert value(path, "PRAGMA user_version") == SCHEMA_VERSION
    assert value(path, "PRAGMA journal_mode") == "wal"
    assert value(path, "PRAGMA integrity_check") == "ok"


def test_components_come_back_by_classifier_and_take_new_values(records: Records) -> None:
    records.set_components("b", {"activation": "ReLU", "hierarchical": "Yes"})
    records.set_components("b", {"activation": "GELU"})
    records.set_components("nobody", {"activation": "GELU"})
    assert records.components() == {"b": {"activation": "GELU", "hierarchical": "Yes"}}


def test_published_scores_come_back_and_unknown_pairs_are_nan(records: Records) -> None:
    scores = np.array([[4.5, np.nan], [np.nan, -4.6]])
    records.set_published(scores)
    np.testing.assert_array_equal(records.published(), scores)


def test_a_database_of_an_earlier_version_is_brought_up_to_date_once_by_however_many_processes(tmp_path: Path) -> None:
    old = tmp_path / "study" / "study.db"
    old.parent.mkdir()
    shutil.copy(Path(__file__).parent / "golden" / "study-v1.db", old)
    opener = f"from zooscope.records.records import Records; from pathlib import Path; Records.open(Path({str(old)!r})).close()"
    processes = [subprocess.Popen([sys.executable, "-c", opener]) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert value(old, "PRAGMA user_version") == SCHEMA_VERSION
    with Records.open(old) as records:
        records.set_components("bundled:vit", {"activation": "GELU"})
        assert records.components() == {"bundled:vit": {"activation": "GELU"}}


def test_what_belongs_to_a_classifier_that_is_removed_goes_with_it(path: Path, records: Records) -> None:
    records.save_transfers("a", 0, {"a": np.array([1, 1]), "b": np.array([0, 1])}, {("32 pixels", "b"): np.array([0, 1])})
    records.save_transfers("b", 0, {"a": np.array([1, 1])}, {("24 pixels", "a"): np.array([0, 1])})
    records.remove_classifier("a")
    assert records.names == ("b",)
    assert not records.clean_done()
    assert not records.transfers_done()
    assert records.controls_done() == {("32 pixels", "b", 0)}
    assert value(path, "SELECT count(*) FROM pragma_foreign_key_check") == 0


def test_a_measurement_of_an_unknown_classifier_can_not_be_entered(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            connection.execute("INSERT INTO clean VALUES (99, 0, x'', x'')")


def test_logits_come_back_as_they_are_in_half_precision(records: Records) -> None:
    logits = np.random.default_rng(0).standard_normal((5, 2)).astype(np.float16)
    logits[0] = 65504, -65504
    logits[1] = 6e-8, -0.0
    for shard, positions in enumerate(records.shards):
        records.save_clean("b", shard, LABELS[positions], logits[positions])
    read = records.clean_logits("b")
    assert read.dtype == np.float16
    np.testing.assert_array_equal(read.view(np.uint16), logits.view(np.uint16))


def test_logits_that_are_not_all_measured_are_refused(records: Records) -> None:
    with pytest.raises(StudyError, match="the clean logits of a are not all measured; run `zooscope measure` to the end"):
        records.clean_logits("a")


def test_predictions_say_where_nothing_is_known_yet(records: Records) -> None:
    records.save_transfers("a", 2, {"b": np.array([NOT_COUNTED])}, {})
    records.save_transfers("a", 1, {"b": np.array([1, 0])}, {("32 pixels", "b"): np.array([1, 1])})
    predictions = records.predictions()
    unknown = [NOT_MEASURED] * 5
    np.testing.assert_array_equal(predictions.clean, [[0, 1, *unknown[2:]], unknown])
    np.testing.assert_array_equal(predictions.transfer, [[unknown, [*unknown[:2], 1, 0, NOT_COUNTED]], [unknown, unknown]])
    # Where both take the same pixels, the control is the clean prediction.
    same = [0, 1, *unknown[2:]]
    control = [[predictions.control(row, column) for column in range(2)] for row in range(2)]
    np.testing.assert_array_equal(control, [[same, [*unknown[:2], 1, 1, NOT_MEASURED]], [unknown, unknown]])


def test_what_is_done_is_known(records: Records) -> None:
    records.save_transfers("a", 1, {"a": np.array([1, 0]), "b": np.array([1, 0])}, {("32 pixels", "b"): np.array([1, 1])})
    assert records.clean_done() == {("a", 0)}
    assert records.transfers_done() == {("a", "a", 1), ("a", "b", 1)}
    assert records.controls_done() == {("32 pixels", "b", 1)}


def test_measuring_again_replaces(records: Records) -> None:
    records.save_clean("a", 0, np.array([1, 0]), np.zeros((2, 2), dtype=np.float16))
    np.testing.assert_array_equal(records.clean_predictions()[0, :2], [1, 0])


def test_a_reader_sees_what_another_connection_has_written(path: Path, records: Records) -> None:
    with Records.open(path) as reader:
        assert not reader.transfers_done()
        records.save_transfers("a", 0, {"a": np.array([1, 1])}, {})
        assert reader.transfers_done() == {("a", "a", 0)}


def test_a_record_in_memory_keeps_the_same(path: Path) -> None:
    assert path.is_file()
    with Records.in_memory(DEFINITION, IDS, LABELS) as records:
        records.add_classifier(classifier("a"))
        records.save_transfers("a", 0, {"a": np.array([1, 1])}, {})
        assert (records.definition, records.names, records.transfers_done()) == (DEFINITION, ("a",), {("a", "a", 0)})


def test_a_study_of_the_size_of_the_papers_comes_back() -> None:
    count, num_images, shard_size = 69, 500, 100
    generator = np.random.default_rng(0)
    transfer = generator.integers(-1, 1000, (count, count, num_images))
    definition = replace(DEFINITION, shard_size=shard_size, class_names="\n".join(map(str, range(1000))))
    with Records.in_memory(definition, tuple(map(str, range(num_images))), np.zeros(num_images, dtype=np.int64)) as records:
        names = tuple(f"classifier {number}" for number in range(count))
        for name in names:
            records.add_classifier(classifier(name))
        for shard, positions in enumerate(records.shards):
            for row, source in enumerate(names):
                records.save_transfers(source, shard, dict(zip(names, transfer[row][:, positions], strict=True)), {})
        found = records.predictions().transfer
    np.testing.assert_array_equal(found, transfer)
    assert found.dtype == np.int16


@pytest.mark.parametrize("impossible", [2, -17, 256])
def test_a_class_that_there_is_not_is_damage_not_another_class(records: Records, impossible: int) -> None:
    records.save_transfers("a", 2, {"b": np.array([impossible])}, {})
    with pytest.raises(StudyError, match=rf"is damaged: some of it can't be read \(class {impossible} of 2\)"):
        records.predictions()


# Classifiers under one name


def test_an_unchanged_classifier_stays(records: Records) -> None:
    records.add_classifier(replace(classifier("a"), address="bundled:a", architecture="other"))
    assert records.names == ("a", "b")


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("weights", r"a is in the study with other weights \(digest of a, now changed\); give the changed classifier another name"),
        ("transform", r"with other transform \(32 pixels, now changed\)"),
        ("mean", r"with other mean \(0, now changed\)"),
        ("std", r"with other std \(1, now changed\)"),
    ],
)
def test_a_changed_classifier_under_the_same_name_is_refused(records: Records, field: str, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        records.add_classifier(replace(classifier("a"), **{field: "changed"}))  # type: ignore[arg-type]
    assert records.classifiers[0] == classifier("a")


def test_another_number_of_classes_under_the_same_name_is_refused(records: Records) -> None:
    with pytest.raises(StudyError, match=r"with other num_classes \(2, now 3\)"):
        records.add_classifier(replace(classifier("a"), num_classes=3))


def test_long_digests_are_cut_in_the_message(records: Records) -> None:
    records.add_classifier(replace(classifier("c"), weights="0123456789abcdef" * 4))
    with pytest.raises(StudyError, match=r"with other weights \(0123456789ab\.\.\., now short\)"):
        records.add_classifier(replace(classifier("c"), weights="short"))


# Places that can't be used


def test_a_study_is_not_overwritten(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(StudyError, match=r"study\.db exists already; open it, or name another folder"):
        Records.create(path, DEFINITION, IDS, LABELS)
    assert path.read_bytes() == before


def test_a_folder_that_can_not_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StudyError, match=r"file/study can't be made \(Not a directory\); name a folder that can be written"):
        Records.create(tmp_path / "file" / "study" / "study.db", DEFINITION, IDS, LABELS)


def test_a_folder_that_can_not_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.new").mkdir()  # neither removed nor written, whoever runs this test
    with pytest.raises(StudyError, match=r"study\.db can't be written \(Is a directory\)"):
        Records.create(tmp_path / "study.db", DEFINITION, IDS, LABELS)


def test_a_missing_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no study at .*nowhere: study\.db is missing\. `zooscope measure` makes"):
        Records.open(tmp_path / "nowhere" / "study.db")


def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE bookmarks (place TEXT)")
    before = path.read_bytes()
    with pytest.raises(StudyError, match=r"is a database, but not a study of zooscope's; name a study's folder"):
        Records.open(path)
    assert path.read_bytes() == before


def test_a_study_of_a_newer_zooscope_is_refused_and_left_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = path.read_bytes()
    expected = f"has schema version {SCHEMA_VERSION + 1}, this zooscope reads up to {SCHEMA_VERSION}; install a newer zooscope"
    with pytest.raises(StudyError, match=expected):
        Records.open(path)
    assert path.read_bytes() == before


# Damage


def read_all(path: Path) -> None:
    with Records.open(path) as records:
        _ = records.definition
        records.predictions()
        records.clean_done()
        records.transfers_done()
        records.controls_done()


@pytest.mark.parametrize("content", [b"This is no database.\n" * 100, bytes(4096)], ids=["text", "zeros"])
def test_a_file_of_something_else_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StudyError, match=r"study\.db is damaged or no study \(file is not a database\); restore it from a copy"):
        Records.open(path)


def test_an_empty_file_is_refused(path: Path) -> None:
    path.write_bytes(b"")
    with pytest.raises(StudyError, match="not a study of zooscope's"):
        Records.open(path)


def test_a_truncated_study_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 3 * 4096])
    with pytest.raises(StudyError, match=r"study\.db is damaged or no study \(.*malformed.*\); restore it from a copy"):
        read_all(path)


def test_a_study_with_flipped_bytes_is_read_or_refused_in_a_sentence(path: Path) -> None:
    whole, generator, num_refused = path.read_bytes(), np.random.default_rng(0), 0
    for _ in range(200):
        damaged = np.frombuffer(whole, dtype=np.uint8).copy()
        damaged[generator.integers(0, len(damaged), 40)] = generator.integers(0, 256, 40)
        path.write_bytes(damaged.tobytes())
        try:
            read_all(path)
        except StudyError:
            num_refused += 1
    assert num_refused > 100


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("DELETE FROM study WHERE key = 'seed'", "is damaged: some .* \\('seed'\\)"),
        (
            "UPDATE study SET value = 'many' WHERE key = 'shard_size'",
            "is damaged: some .* \\(invalid literal for int",
        ),
        ("UPDATE clean SET predictions = x'0000'", "is damaged: some .* \\(buffer size must be a multiple"),
        ("UPDATE clean SET shard = 7", "is damaged: some .* \\(tuple index out of range"),
        ("UPDATE study SET value = '0' WHERE key = 'shard_size'", "is damaged: some .* \\(range\\(\\) arg 3"),
        ("DROP TABLE transfers", "is damaged or no study \\(no such table: transfers\\)"),
    ],
)
def test_a_study_that_contradicts_itself_is_refused(path: Path, change: str, message: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(change)
    with pytest.raises(StudyError, match=message):
        read_all(path)


def test_a_closed_record_says_so(path: Path) -> None:
    records = Records.open(path)
    records.close()
    with pytest.raises(StudyError, match=r"can't be used any more \(Cannot operate on a closed database\.\); open the study again"):
        _ = records.names


# Full disks, other programs, kills


def fill(records: Records) -> None:
    """Measures one classifier after the other, until the disk is full."""
    for number in range(1000):
        records.add_classifier(classifier(f"classifier {number}"))
        records.save_clean(f"classifier {number}", 0, np.array([1, 0]), np.zeros((2, 2), dtype=np.float16))


@pytest.fixture
def nearly_full(path: Path) -> Iterator[sqlite3.Connection]:
    """The record's database, with room for two more pages."""
    with closing(sqlite3.connect(path)) as connection:
        (num_pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {num_pages + 2}")
        yield connection


def test_a_full_disk_is_told_and_nothing_measured_before_is_lost(path: Path, nearly_full: sqlite3.Connection) -> None:
    records = Records(nearly_full, place="study.db")
    with pytest.raises(StudyError, match=r"no space is left to write study\.db; free some and run measure again, nothing"):
        fill(records)
    kept = records.clean_done()
    assert len(kept) > 10
    nearly_full.execute("PRAGMA max_page_count = 1000000")
    records.save_clean("a", 1, np.array([1, 0]), np.zeros((2, 2), dtype=np.float16))
    with Records.open(path) as again:
        assert again.clean_done() == kept | {("a", 1)}


def test_a_unit_that_can_not_be_written_whole_is_not_written_at_all(nearly_full: sqlite3.Connection) -> None:
    records, large = Records(nearly_full, place="study.db"), np.zeros(5000, dtype=np.int32)
    with pytest.raises(StudyError, match="no space is left"):
        records.save_transfers("a", 0, {"a": np.array([1, 1]), "b": large}, {})
    assert not records.transfers_done()


def test_a_record_that_may_only_be_read_says_so_when_written(path: Path) -> None:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        records = Records(connection, place="study.db")
        assert records.names == ("a", "b")
        with pytest.raises(StudyError, match=r"study\.db can't be written or opened \(.*readonly.*\); check who may write there"):
            records.remove_classifier("a")


def test_a_record_that_another_program_holds_says_so(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, closing(sqlite3.connect(path, timeout=0)) as connection:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StudyError, match=r"study\.db is held by another program; wait until it ends, then run again"):
            Records(connection, place="study.db").remove_classifier("a")


CREATE_AND_BE_KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from zooscope.records.entries import Definition
from zooscope.records.records import Records

definition = Definition(images="by hand", image_digest="0", class_names="cat\\ndog", attack="{}", seed=5, shard_size=2)
left = int(sys.argv[2])

def kill_at_the_nth(event, arguments):
    global left
    if event in {"open", "os.rename", "sqlite3.connect", "sqlite3.connect/handle"}:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill_at_the_nth)
Records.create(Path(sys.argv[1]), definition, ("a", "b"), np.array([0, 1]))
"""


def test_a_creation_that_is_killed_anywhere_leaves_no_study_and_can_be_repeated(tmp_path: Path) -> None:
    for moment in range(1, 20):
        path = tmp_path / str(moment) / "study.db"
        ended = subprocess.run([sys.executable, "-c", CREATE_AND_BE_KILLED, str(path), str(moment)], check=False)
        if ended.returncode == 0 or path.exists():  # from here on the study is born
            with Records.open(path) as records:
                assert records.image_ids == ("a", "b")
            break
        assert ended.returncode == -9
        with Records.create(path, DEFINITION, IDS, LABELS) as records:
            assert records.image_ids == IDS
        assert {file.name for file in path.parent.iterdir()} == {"study.db"}
    assert moment > 4


def test_leftovers_of_a_killed_creation_do_not_get_into_a_new_study(tmp_path: Path) -> None:
    for name in ("study.new", "study.new-wal", "study.new-shm", "study.new-journal"):
        (tmp_path / name).write_bytes(b"left behind")
    with Records.create(tmp_path / "study.db", DEFINITION, IDS, LABELS) as records:
        assert records.definition == DEFINITION
    assert {file.name for file in tmp_path.iterdir()} == {"study.db"}
