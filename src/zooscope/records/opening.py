"""How the database of a study is opened: for reading without writing anything, or for writing, brought up to date."""

import random
import sqlite3
import time
from pathlib import Path
from typing import Final, NamedTuple

from zooscope.errors import StudyError
from zooscope.records.database import WRITER_SECONDS, connect, one_moment, transaction, write_file_address
from zooscope.records.layout import SCHEMA_VERSION, read_version, require_study
from zooscope.records.upgrade import OnDamage, copy_old

_WAL_BYTE: Final = 18  # of the header: 2 where the database keeps a write-ahead log
_PAUSE_SECONDS: Final = (0.01, 0.2)


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that can't write; a record of an earlier schema is copied into a temporary database first.

    Raises:
        StudyError: it is no study, or it was cut off while it was written and can't be put right without writing.
        sqlite3.Error: it can't be read.
    """
    while True:
        before = _find_state(path)
        try:
            connection = _open_once(path)
        except (sqlite3.Error, StudyError):
            if not before.is_unlocked or _find_state(path) == before:
                raise
        else:
            if not before.is_unlocked or _find_state(path) == before:
                return connection
            connection.close()


def _open_once(path: Path) -> sqlite3.Connection:
    connection = _connect_for_reading(path)
    try:
        with one_moment(connection):  # another process may bring it up to date
            require_study(connection, path)
            copied = None if read_version(connection) == SCHEMA_VERSION else _copy(connection, str(path))
    except BaseException:
        connection.close()
        raise
    if copied is None:
        return connection
    connection.close()
    return copied


class _State(NamedTuple):
    """What tells whether a database was written to.

    Attributes:
        is_unlocked: whether it is read without locks, see `_connect_for_reading`; then a writer may have come in the middle.
        file: its inode, size and time of change.
    """

    is_unlocked: bool
    file: tuple[int, int, int]


def _find_state(path: Path) -> _State:
    found = path.stat()
    return _State(_keeps_empty_log(path), (found.st_ino, found.st_size, found.st_mtime_ns))


def _keeps_empty_log(path: Path) -> bool:
    return _keeps_log(path) and not _has_content(path.with_name(f"{path.name}-wal"))


def _copy(old: sqlite3.Connection, place: str) -> sqlite3.Connection:
    connection = connect("")  # in memory, and beyond that in a file that nobody else sees
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        with transaction(connection):
            copy_old(old, connection, place)
        connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _connect_for_reading(path: Path) -> sqlite3.Connection:
    """Read only; and where that is not possible as the file is, rolled back or without locks."""
    log, journal = (path.with_name(path.name + ending) for ending in ("-wal", "-journal"))
    options = "mode=ro"
    if _keeps_empty_log(path):
        options = "immutable=1"  # with no log, nobody is writing yet; to lock it, SQLite would have to write beside it
    try:
        return _try_to_open(path, options)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}:
            raise
        left = next((file for file in (journal, log) if _has_content(file)), None)
        if left is None:
            raise
        try:
            _try_to_open(path, "mode=rw").close()  # a run was killed while it wrote: puts the record back to its last whole state
        except sqlite3.Error:
            msg = f"{path} was cut off while it was written, and {left.name} can't be taken in here; copy the folder and read that."
            raise StudyError(msg) from error
        return _try_to_open(path, options)


def _try_to_open(path: Path, options: str) -> sqlite3.Connection:
    connection = connect(write_file_address(path, options))
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _keeps_log(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(_WAL_BYTE + 1)[_WAL_BYTE:] == b"\x02"


def _has_content(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0


def open_for_writing(path: Path, *, on_damage: OnDamage | None = None) -> sqlite3.Connection:
    """A connection that writes; a record of an earlier schema is brought up to date, in one transaction.

    Args:
        path: of the database.
        on_damage: as for `copy_old`.

    Raises:
        StudyError: it is no study, or damaged.
        sqlite3.Error: it can't be written.
    """
    connection = _connect_without_log(path)
    try:
        if read_version(connection) < SCHEMA_VERSION:
            with transaction(connection):
                if read_version(connection) < SCHEMA_VERSION:  # another process may have been quicker
                    copy_old(connection, connection, str(path), on_damage=on_damage)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect_without_log(path: Path) -> sqlite3.Connection:
    """A connection that writes, with the write-ahead log of earlier versions taken in: what is measured is in one file.

    Taking it in needs the database alone. While another process has it open, this one lets go of it and tries again a random while
    later: two that held on to it would wait for each other.
    """
    end, generator = time.monotonic() + WRITER_SECONDS, random.SystemRandom()
    while True:
        connection = connect(write_file_address(path, "mode=rw"), timeout=WRITER_SECONDS)
        try:
            require_study(connection, path)
            connection.execute("PRAGMA journal_mode = DELETE")
        except BaseException as error:
            connection.close()
            if not _is_busy(error) or time.monotonic() > end:
                raise
            time.sleep(generator.uniform(*_PAUSE_SECONDS))
        else:
            return connection


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF in {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    }
