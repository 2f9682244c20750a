"""SQLite as records use it: connections, transactions, and its errors in words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from zooscope.errors import StudyError

READER_SECONDS: Final = 30.0  # a commit takes milliseconds
WRITER_SECONDS: Final = 600.0  # a reader may take a while
DAMAGED: Final = "{place} is damaged or no study ({error}); restore it from a copy, or measure into a new folder."
_HELD: Final = "{place} is held by another program; wait until it ends, then run again."
_FORBIDDEN: Final = "{place} can't be written or opened ({error}); check who may write there."
SENTENCES: Final = {
    sqlite3.SQLITE_FULL: "no space is left to write {place}; free some and run measure again, nothing measured so far is lost.",
    sqlite3.SQLITE_IOERR: "{place} can't be read or written ({error}); check the disk and its free space, then run measure again.",
    sqlite3.SQLITE_BUSY: _HELD,
    sqlite3.SQLITE_LOCKED: _HELD,
    sqlite3.SQLITE_READONLY: _FORBIDDEN,
    sqlite3.SQLITE_CANTOPEN: _FORBIDDEN,
    sqlite3.SQLITE_PERM: _FORBIDDEN,
    sqlite3.SQLITE_AUTH: _FORBIDDEN,
}


def connect(database: str, *, timeout: float = READER_SECONDS) -> sqlite3.Connection:
    """A connection that waits for others, holds to foreign keys and trusts nothing that a received database defines.

    Args:
        database: a path as `file:` address with options, or `:memory:`.
        timeout: seconds to wait for others.
    """
    connection = sqlite3.connect(database, timeout=timeout, isolation_level=None, uri=True)
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1)  # what removing a classifier needs
        for pragma in ("foreign_keys = ON", "trusted_schema = OFF", "cell_size_check = ON", "synchronous = EXTRA"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def write_file_address(path: Path, options: str) -> str:
    """A database's place as SQLite's `file:` address."""
    return f"{path.absolute().as_uri()}?{options}"


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """What is written within is written whole or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # SQLite has rolled back by itself where the disk is full; the first error is the one to tell
            connection.execute("ROLLBACK")
        raise


@contextmanager
def one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """Reads within see the database as it is at the first of them."""
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN")
    try:
        yield
    finally:
        with suppress(sqlite3.Error):  # what was read is read
            connection.execute("COMMIT")


@contextmanager
def explain(place: str) -> Iterator[None]:
    """Turns SQLite's errors into sentences."""
    try:
        yield
    except OSError as error:
        msg = f"{place} can't be written ({error.strerror}); name a folder that can be written."
        raise StudyError(msg) from error
    except UnicodeDecodeError as error:  # SQLite's own message quotes what is damaged
        raise StudyError(DAMAGED.format(place=place, error="its text is no UTF-8")) from error
    except sqlite3.Error as error:
        raise StudyError(_explain(error, place)) from error


def _explain(error: sqlite3.Error, place: str) -> str:
    code = getattr(error, "sqlite_errorcode", 0)
    if isinstance(error, sqlite3.ProgrammingError):
        return f"{place} can't be used any more ({error}); open the study again."
    if code == sqlite3.SQLITE_READONLY_DBMOVED:
        return describe_move(place)
    return SENTENCES.get(code & 0xFF, DAMAGED).format(place=place, error=error)


def describe_move(place: str) -> str:
    """What to say when a database is no longer where it was opened."""
    return f"{place} was deleted or replaced while it was in use; nothing more is written. Put it back, or measure again."


@contextmanager
def undamaged(place: str) -> Iterator[None]:
    """Turns the errors of reading what can't have been written into a sentence."""
    try:
        yield
    except (LookupError, TypeError, ValueError) as error:
        msg = f"{place} is damaged: some of it can't be read ({error}); restore it from a copy, or measure into a new folder."
        raise StudyError(msg) from error
