"""The tables of each version of the schema: laid out, and compared with what a file has."""

import sqlite3
from contextlib import closing
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from zooscope.errors import StudyError

SCHEMA_VERSION: Final = 3
APPLICATION_ID: Final = 0x5A4F4F53  # "ZOOS": tells a study from any other SQLite file
_LAYERS: Final = {1: (1,), 2: (1, 2), 3: (3,)}  # versions 1 and 2 added tables, version 3 begins anew


def lay_out(connection: sqlite3.Connection, version: int = SCHEMA_VERSION) -> None:
    """Makes the tables of a version, and marks the database as a study; part of a transaction of the caller's."""
    for layer in _LAYERS[version]:
        for statement in files(__package__).joinpath("schema", f"{layer}.sql").read_text(encoding="utf-8").split(";\n"):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def read_version(connection: sqlite3.Connection) -> int:
    """The version of the schema that a database says it has."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def require_study(connection: sqlite3.Connection, path: Path) -> None:
    """Refuses databases that are no study, of a later version, or with anything in them that zooscope doesn't make.

    Views and triggers would run in the reader's name, and a table of another form could hide either.

    Raises:
        StudyError: it is one of these.
    """
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    version = read_version(connection)
    if application_id != APPLICATION_ID:
        msg = f"{path} is a database, but not a study of zooscope's; name a study's folder."
        raise StudyError(msg)
    if version > SCHEMA_VERSION:
        msg = f"{path} has schema version {version}, this zooscope reads up to {SCHEMA_VERSION}; install a newer zooscope."
        raise StudyError(msg)
    if version not in _LAYERS:
        msg = f"{path} is damaged or no study (schema version {version}); restore it from a copy, or measure into a new folder."
        raise StudyError(msg)
    found, expected = _read_layout(connection), _lay_out_expected(version)
    for entry in sorted(found.keys() | expected.keys()):
        if found.get(entry) != expected.get(entry):
            kind, name = entry
            how = "is missing" if entry not in found else "is not of a study" if entry not in expected else "has another form"
            msg = (
                f"{path} is damaged or no study (the {kind} {name!r} {how}); restore it from a copy, or measure into a new folder."
            )
            raise StudyError(msg)


def _read_layout(connection: sqlite3.Connection) -> dict[tuple[str, str], str]:
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema")
    return {(kind, name): f"{table}: {' '.join((sql or '').split())}" for kind, name, table, sql in rows}


@cache
def _lay_out_expected(version: int) -> dict[tuple[str, str], str]:
    with closing(sqlite3.connect(":memory:")) as connection:
        lay_out(connection, version)
        return _read_layout(connection)
