"""One writer at a time, and what can go wrong with the lock."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from zooscope.errors import StudyError
from zooscope.records.lock import LOCK, held


def test_a_second_writer_is_refused_and_let_in_afterwards(tmp_path: Path) -> None:
    with (
        held(tmp_path),
        pytest.raises(StudyError, match="is being measured by another process; wait until it ends, or stop it"),
        held(tmp_path),
    ):
        pass
    with held(tmp_path):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.EIO], ids=errno.errorcode.get)
def test_a_file_system_without_locks_is_named(tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", fail)
    expected = (
        rf"can't be locked \({os.strerror(number)}\); its file system may have no locks: measure into a folder on another disk"
    )
    with pytest.raises(StudyError, match=expected), held(tmp_path):
        pass


def test_a_lock_that_is_a_link_is_neither_followed_nor_emptied(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    (tmp_path / LOCK).symlink_to(tmp_path / "precious")
    with pytest.raises(StudyError, match=r"run\.lock is a symbolic link, which zooscope doesn't follow; delete it"), held(tmp_path):
        pass
    assert (tmp_path / "precious").read_text() == "kept"


def test_a_lock_that_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / LOCK)
    with pytest.raises(StudyError, match=r"run\.lock is not a file; delete it"), held(tmp_path):
        pass


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"nowhere can't be written \(No such file or directory\)"), held(tmp_path / "nowhere"):
        pass


def test_the_lock_of_a_file_that_was_deleted_meanwhile_holds_nobody_off_and_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    flock = fcntl.flock

    def delete_first(descriptor: int, operation: int) -> None:
        if not calls:
            (tmp_path / LOCK).unlink()
        calls.append(descriptor)
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", delete_first)
    with held(tmp_path):
        assert len(calls) == 2
        assert (tmp_path / LOCK).exists()


def test_what_stands_in_the_lock_stays(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text("a note")
    with held(tmp_path):
        pass
    assert (tmp_path / LOCK).read_text() == "a note"
