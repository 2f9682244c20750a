"""Reading writes nothing, and what a received database could do is refused."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from tests.records.written import DEFINITION, IDS, LABELS, classifier, save_clean, value
from zooscope.errors import StudyError
from zooscope.records import opening
from zooscope.records.layout import SCHEMA_VERSION
from zooscope.records.reading import read_predictions
from zooscope.records.records import Records

FORK = get_context("fork")
# Python 3.12 and newer warn of every fork beside other threads, such as that of pytest's own watchdog; a child needs none of them.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork.. may lead to deadlocks:DeprecationWarning")
GOLDEN = Path(__file__).parent / "golden"
CLEAN, LOGITS = np.array([1, 0]), np.zeros((2, 2), dtype=np.float16)


def read(path: Path) -> tuple[str, ...]:
    with Records.open(path) as records:
        read_predictions(records)
        return records.names


def content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_reading_leaves_a_folder_as_it_is(tmp_path: Path, version: int) -> None:
    shutil.copy(GOLDEN / f"study-v{version}.db", tmp_path / "study.db")
    before = content(tmp_path)
    assert len(read(tmp_path / "study.db")) == 3
    with Records.open(tmp_path / "study.db", write=True) as records:
        assert len(records.names) == 3
    assert content(tmp_path) == before


def read_as_nobody(path: Path) -> None:
    os.setgid(65534)
    os.setuid(65534)
    os._exit(0 if len(read(path)) == 3 else 1)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_another_users_study_can_be_read(version: int) -> None:
    folder = Path("/var/tmp") / f"zooscope-test-{os.getpid()}"  # noqa: S108  (pytest's own folders are closed to other users)
    folder.mkdir(mode=0o755)
    try:
        shutil.copy(GOLDEN / f"study-v{version}.db", folder / "study.db")
        (folder / "study.db").chmod(0o444)
        process = FORK.Process(target=read_as_nobody, args=(folder / "study.db",))
        process.start()
        process.join()
        assert process.exitcode == 0
        assert [file.name for file in folder.iterdir()] == ["study.db"]
    finally:
        shutil.rmtree(folder)


def test_a_database_of_an_earlier_version_is_brought_up_to_date_once_by_however_many_processes(tmp_path: Path) -> None:
    old = tmp_path / "study" / "study.db"
    old.parent.mkdir()
    shutil.copy(GOLDEN / "study-v1.db", old)
    opener = (
        "from zooscope.records.records import Records; from pathlib import Path; "
        f"Records.open(Path({str(old)!r}), write=True).set_components('bundled:vit', {{'activation': 'GELU'}})"
    )
    processes = [subprocess.Popen([sys.executable, "-c", opener]) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert value(old, "PRAGMA user_version") == SCHEMA_VERSION
    assert value(old, "PRAGMA journal_mode") == "delete"
    with Records.open(old) as records:
        assert records.components() == {"bundled:vit": {"activation": "GELU"}}


def test_an_old_study_that_is_written_while_it_is_read_without_locks_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, copy, copied = tmp_path / "study.db", opening._copy, list[str]()  # noqa: SLF001  (the moment is within it)
    shutil.copy(GOLDEN / "study-v1.db", path)

    def copy_and_be_overtaken(old: sqlite3.Connection, place: str) -> sqlite3.Connection:
        copied.append(place)
        result = copy(old, place)
        if len(copied) == 1:
            with Records.open(path, write=True) as other:
                other.set_components("bundled:vit", {"activation": "GELU"})
        return result

    monkeypatch.setattr(opening, "_copy", copy_and_be_overtaken)
    with Records.open(path) as records:
        assert records.components() == {"bundled:vit": {"activation": "GELU"}}
    assert len(copied) == 2, "once for the reader, once for the writer"


# Logs and journals


WRITE_AND_BE_KILLED = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA cache_size = 1")
connection.execute(sys.argv[2])
if sys.argv[3] == "commit":
    connection.commit()
os.kill(os.getpid(), signal.SIGKILL)
"""


def write_and_be_killed(path: Path, statement: str, *, committed: bool) -> None:
    command = [sys.executable, "-c", WRITE_AND_BE_KILLED, str(path), statement, "commit" if committed else "leave"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL


def log_of_version_2(path: Path) -> None:
    """A study of schema 2 whose last change is in its write-ahead log only, as a killed run leaves it."""
    shutil.copy(GOLDEN / "study-v2.db", path)
    write_and_be_killed(path, "UPDATE classifiers SET name = 'renamed' WHERE name = 'bundled:vit'", committed=True)
    assert path.with_name("study.db-wal").stat().st_size > 0


def test_what_a_log_of_an_earlier_version_holds_is_read_and_taken_in(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    log_of_version_2(path)
    assert "renamed" in read(path)
    with Records.open(path, write=True) as records:
        records.set_components("renamed", {"activation": "GELU"})
        assert not path.with_name("study.db-wal").exists()
    assert "renamed" in read(path)


def killed_while_it_wrote(path: Path) -> None:
    """Leaves a journal: pages of a transaction that was not committed are in the database."""
    many = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 200) SELECT hex(zeroblob(450)) FROM n"
    write_and_be_killed(path, f"INSERT INTO texts (text) {many}", committed=False)
    assert path.with_name("study.db-journal").stat().st_size > 0


def test_a_record_cut_off_while_it_was_written_is_put_back_when_it_is_read(path: Path) -> None:
    before = path.read_bytes()
    killed_while_it_wrote(path)
    assert read(path) == ("a", "b")
    assert path.read_bytes() == before
    assert not path.with_name("study.db-journal").exists()


def read_cut_off_as_nobody(path: Path) -> None:
    os.setgid(65534)
    os.setuid(65534)
    try:
        read(path)
    except StudyError as error:
        os._exit(0 if "was cut off while it was written" in str(error) and "copy the folder and read that" in str(error) else 1)
    os._exit(2)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_where_that_can_not_be_done_it_is_said(path: Path) -> None:
    folder = Path("/var/tmp") / f"zooscope-test-{os.getpid()}"  # noqa: S108  (pytest's own folders are closed to other users)
    shutil.copytree(path.parent, folder)
    try:
        killed_while_it_wrote(folder / "study.db")
        folder.chmod(0o755)
        for file in folder.iterdir():
            file.chmod(0o444)
        process = FORK.Process(target=read_cut_off_as_nobody, args=(folder / "study.db",))
        process.start()
        process.join()
        assert process.exitcode == 0
    finally:
        shutil.rmtree(folder)


# What is no study, or more than one


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("CREATE VIEW endless AS SELECT 1", "the view 'endless' is not of a study"),
        ("CREATE TRIGGER sly AFTER INSERT ON arrays BEGIN SELECT 1; END", "the trigger 'sly' is not of a study"),
        ("CREATE TABLE more (a)", "the table 'more' is not of a study"),
        ("CREATE INDEX quick ON arrays (part)", "the index 'quick' is not of a study"),
        ("DROP TABLE texts", "the table 'texts' is missing"),
        ("ALTER TABLE images ADD COLUMN note TEXT", "the table 'images' has another form"),
        ("PRAGMA user_version = 0", "schema version 0"),
    ],
)
def test_what_zooscope_does_not_make_is_refused(path: Path, statement: str, message: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    for write in (False, True):
        with pytest.raises(StudyError, match=message):
            Records.open(path, write=write)


def test_a_view_in_the_place_of_a_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    shutil.copy(GOLDEN / "study-v2.db", path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE published")
        connection.execute(
            "CREATE VIEW published AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
            "SELECT x AS a_id, x AS b_id, 1.0 AS score FROM n"
        )
    with pytest.raises(StudyError, match=r"the (table|view) 'published' (is not of a study|is missing)"):
        Records.open(path)


# The file is gone or another one


def test_a_folder_that_is_deleted_while_it_is_measured_is_noticed(path: Path, records: Records) -> None:
    save_clean(records, "a", 1, CLEAN, LOGITS)
    shutil.rmtree(path.parent)
    with pytest.raises(StudyError, match=r"study\.db was deleted or replaced while it was in use; nothing more is written"):
        save_clean(records, "b", 0, CLEAN, LOGITS)


def test_a_database_that_is_replaced_while_it_is_measured_is_noticed(path: Path, records: Records) -> None:
    save_clean(records, "a", 1, CLEAN, LOGITS)
    with Records.create(path.parent / "other" / "study.db", DEFINITION, IDS, LABELS) as other:
        other.add_classifier(classifier("b"), is_admitted=True)
    (path.parent / "other" / "study.db").replace(path)
    with pytest.raises(StudyError, match="was deleted or replaced"):
        save_clean(records, "b", 0, CLEAN, LOGITS)
    with Records.open(path) as found:
        assert not found.present("clean")
