"""A study is made whole or not at all."""

import os
import resource
import signal
import sqlite3
import sys
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.records.written import DEFINITION, IDS, LABELS, classifier, fill, save_clean
from zooscope.errors import StudyError
from zooscope.exchange.published import import_matrix
from zooscope.records.lock import LOCK
from zooscope.records.records import Records
from zooscope.study.snapshot import read_snapshot

FORK = get_context("fork")
# Python 3.12 and newer warn of every fork beside other threads, such as that of pytest's own watchdog; a child needs none of them.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork.. may lead to deadlocks:DeprecationWarning")


MATRIX = pd.DataFrame(np.eye(3), index=["a", "b", "c"], columns=["a", "b", "c"])


def end_of(work: Callable[[Path, int], None], path: Path, moment: int) -> int | None:
    """The exit status of a process that does this; minus the signal that ended it."""
    process = FORK.Process(target=work, args=(path, moment))
    process.start()
    process.join()
    return process.exitcode


def files(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()} - {LOCK}


def test_a_second_study_in_the_same_place_is_refused(path: Path) -> None:
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


def test_a_creation_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fill_and_fail(records: Records) -> None:
        records.add_classifier(classifier("a"), is_admitted=True)
        msg = "on purpose"
        raise ValueError(msg)

    with pytest.raises(ValueError, match="on purpose"):
        Records.create(tmp_path / "study" / "study.db", DEFINITION, IDS, LABELS, fill=fill_and_fail)
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_killed_processes_do_not_get_into_a_new_study_and_other_files_stay(tmp_path: Path) -> None:
    ours = ("study.new", "study.new-wal", "study.7.new", "study.7.new-journal", "study.db-wal", "study.db-shm", "study.db-journal")
    for name in (*ours, "study.newest.txt", "study.7.newer"):
        (tmp_path / name).write_bytes(b"left behind")
    with Records.create(tmp_path / "study.db", DEFINITION, IDS, LABELS) as records:
        assert records.definition == DEFINITION
    assert files(tmp_path) == {"study.db", "study.newest.txt", "study.7.newer"}


def create_and_be_killed(path: Path, moment: int) -> None:
    """Kills its process, as `kill -9` does, when so many files were opened or renamed."""
    left = moment

    def kill_at_the_nth(event: str, _: object) -> None:
        nonlocal left
        if event in {"open", "os.rename", "sqlite3.connect", "sqlite3.connect/handle"}:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(kill_at_the_nth)
    Records.create(path, DEFINITION, IDS, LABELS, fill=fill)
    os._exit(0)


def test_a_creation_that_is_killed_anywhere_leaves_no_study_and_can_be_repeated(tmp_path: Path) -> None:
    for moment in range(1, 30):
        path = tmp_path / str(moment) / "study.db"
        ended = end_of(create_and_be_killed, path, moment)
        if ended == 0 or path.exists():  # from here on the study is born
            with Records.open(path) as records:
                assert (records.image_ids, records.names) == (IDS, ("a",))
            break
        assert ended == -signal.SIGKILL
        with Records.create(path, DEFINITION, IDS, LABELS) as records:
            assert records.image_ids == IDS
        assert files(path.parent) == {"study.db"}
    assert moment > 4


def create_with_little_space(path: Path, num_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, resource.RLIM_INFINITY))
    try:
        Records.create(path, DEFINITION, IDS, LABELS).close()
    except StudyError:
        os._exit(3)
    os._exit(0)


def test_a_disk_that_is_full_at_any_point_of_the_creation_leaves_no_study(tmp_path: Path, path: Path) -> None:
    refused = 0
    for num_bytes in range(0, path.stat().st_size + 4096, 4096):
        new = tmp_path / str(num_bytes) / "study.db"
        process = FORK.Process(target=create_with_little_space, args=(new, num_bytes))
        process.start()
        process.join()
        if process.exitcode == 0:
            Records.open(new).close()
        else:
            assert process.exitcode == 3
            assert not new.parent.exists()
            refused += 1
    assert refused > 3


def create_after(event: object, path: Path) -> None:
    event.wait()  # type: ignore[attr-defined]
    try:
        Records.create(path, DEFINITION, IDS, LABELS, fill=fill).close()
    except StudyError as error:
        os._exit(3 if "exists already" in str(error) or "is being measured by another process" in str(error) else 4)
    os._exit(0)


def test_of_many_processes_that_make_one_study_one_makes_it_and_the_others_say_so(tmp_path: Path) -> None:
    for attempt in range(10):
        path, event = tmp_path / str(attempt) / "study.db", FORK.Event()
        processes = [FORK.Process(target=create_after, args=(event, path)) for _ in range(4)]
        for process in processes:
            process.start()
        event.set()
        for process in processes:
            process.join()
        assert sorted(process.exitcode or 0 for process in processes) == [0, 3, 3, 3]
        with Records.open(path) as records:
            assert (records.names, records.image_ids) == (("a",), IDS)
        assert files(path.parent) == {"study.db"}


def import_and_be_killed(folder: Path, moment: int) -> None:
    """Kills its process, as `kill -9` does, at so many SQL statements."""
    left = moment

    def burn(_: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    connect = sqlite3.connect

    def connect_watched(*arguments: Any, **options: Any) -> sqlite3.Connection:  # noqa: ANN401  (as sqlite3.connect)
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_trace_callback(burn)
        return connection

    sqlite3.connect = connect_watched  # type: ignore[assignment]
    import_matrix(folder, MATRIX)
    os._exit(0)


def test_an_import_that_is_killed_anywhere_leaves_no_study_and_can_be_repeated(tmp_path: Path) -> None:
    for moment in (1, 10, 20, 40, 60, 80, 100):
        folder = tmp_path / str(moment)
        ended = end_of(import_and_be_killed, folder, moment)
        if ended == -signal.SIGKILL and not (folder / "study.db").exists():
            import_matrix(folder, MATRIX)
        np.testing.assert_array_equal(read_snapshot(folder).sat().to_numpy(), MATRIX.to_numpy())
        assert files(folder) == {"study.db"}


def test_a_study_that_is_done_is_one_file(path: Path) -> None:
    with Records.open(path, write=True) as records:
        save_clean(records, "a", 1, np.array([1, 0]), np.zeros((2, 2), dtype=np.float16))
        assert files(path.parent) == {"study.db"}, "whatever is saved is in it at once"
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()
