"""The database itself: its layout, how it is opened, and its errors in words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Int

from zooscope.errors import StudyError
from zooscope.records.entries import Definition

SCHEMA_VERSION: Final = 2
APPLICATION_ID: Final = 0x5A4F4F53  # "ZOOS": tells a study from any other SQLite file
BUSY_SECONDS: Final = 30.0


def define(connection: sqlite3.Connection, definition: Definition, ids: tuple[str, ...], labels: Int[np.ndarray, " image"]) -> None:
    """Lays out an empty database and writes what the study is about."""
    connection.execute("PRAGMA journal_mode = WAL")
    upgrade(connection)
    with connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.executemany(
            "INSERT INTO study VALUES (?, ?)",
            [(field.name, str(getattr(definition, field.name))) for field in fields(Definition)],
        )
        connection.executemany(
            "INSERT INTO images VALUES (?, ?, ?)",
            [(position, name, int(label)) for position, (name, label) in enumerate(zip(ids, labels, strict=True))],
        )


def upgrade(connection: sqlite3.Connection) -> None:
    """Lays out what later versions added, each version in one transaction; a database of this version is left alone."""
    for version in range(_version(connection) + 1, SCHEMA_VERSION + 1):
        layout = files(__package__).joinpath("schema", f"{version}.sql").read_text(encoding="utf-8")
        # Another process may have been quicker while this one waited for its turn to write.
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _version(connection) < version:
                for statement in layout.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version}")
            connection.commit()
        except BaseException:
            connection.rollback()
            raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def connect(path: Path | str) -> sqlite3.Connection:
    """A connection that waits for others and holds to foreign keys."""
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Turns SQLite's errors into sentences."""
    try:
        yield
    except OSError as error:
        msg = f"{place} can't be written ({error.strerror}); name a folder that can be written."
        raise StudyError(msg) from error
    except sqlite3.Error as error:
        reason = str(error)
        if isinstance(error, sqlite3.ProgrammingError):
            msg = f"{place} can't be used any more ({reason}); open the study again."
        elif "full" in reason:
            msg = f"no space is left to write {place}; free some and run measure again, nothing measured so far is lost."
        elif "locked" in reason:
            msg = f"{place} is held by another program; wait until it ends, then run again."
        elif "readonly" in reason or "unable to open" in reason:
            msg = f"{place} can't be written or opened ({reason}); check who may write there."
        elif "disk I/O" in reason:
            msg = f"{place} can't be read or written ({reason}); check the disk and its free space, then run measure again."
        else:
            msg = f"{place} is damaged or no study ({reason}); restore it from a copy, or measure into a new folder."
        raise StudyError(msg) from error


@contextmanager
def undamaged(place: str) -> Iterator[None]:
    """Turns the errors of reading what can't have been written into a sentence."""
    try:
        yield
    except (LookupError, TypeError, ValueError) as error:
        msg = f"{place} is damaged: some of it can't be read ({error}); restore it from a copy, or measure into a new folder."
        raise StudyError(msg) from error


def require_study(connection: sqlite3.Connection, path: Path) -> None:
    """Refuses databases that are no study, or one of a later version.

    Raises:
        StudyError: it is.
    """
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    version = _version(connection)
    if application_id != APPLICATION_ID:
        msg = f"{path} is a database, but not a study of zooscope's; name a study's folder."
        raise StudyError(msg)
    if version > SCHEMA_VERSION:
        msg = f"{path} has schema version {version}, this zooscope reads up to {SCHEMA_VERSION}; install a newer zooscope."
        raise StudyError(msg)
