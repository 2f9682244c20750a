"""Tables of text, each under one checksum over all its rows."""

import sqlite3
from typing import Any, Final

from zooscope.errors import StudyError
from zooscope.records.checksums import compute_checksum

SEALED: Final = {
    "study": "SELECT key, value FROM study ORDER BY key",
    "images": "SELECT position, id, label FROM images ORDER BY position",
    "classifiers": "SELECT id, name, address, architecture, num_classes, weights, transform, mean, std, "
    "class_matching, is_source, is_admitted, refusal FROM classifiers ORDER BY id",
    "components": "SELECT classifier_id, component, value, is_guess FROM components ORDER BY classifier_id, component",
    "series": "SELECT id, kind, digest, count, hex(checksum) FROM series ORDER BY id",
}


def seal(connection: sqlite3.Connection, *tables: str) -> None:
    """Notes the checksums of tables after they were written; part of the same transaction."""
    for table in tables:
        rows = connection.execute(SEALED[table]).fetchall()
        connection.execute("INSERT OR REPLACE INTO seals VALUES (?, ?)", [table, compute_checksum([table, rows])])


def read_sealed(connection: sqlite3.Connection, place: str, table: str) -> list[tuple[Any, ...]]:
    """A table's rows, in the order of `SEALED`; within one moment of the caller's.

    Raises:
        StudyError: they are not those that were written.
    """
    rows, intact = _read(connection, table)
    if not intact:
        msg = f"{place} is damaged: {describe_table(table)}; {TABLE_REMEDIES[table]}."
        raise StudyError(msg)
    return rows


def is_intact(connection: sqlite3.Connection, table: str) -> bool:
    """Whether a table's rows are those that were written."""
    return _read(connection, table)[1]


def describe_table(table: str) -> str:
    """What is wrong where a table's checksum doesn't fit."""
    return f"the table {table!r} is not as it was written"


_RESTORE: Final = "restore it from a copy, or measure into a new folder"
_CHECK: Final = "`zooscope check STUDY --repair` removes what is damaged, then measure again"
TABLE_REMEDIES: Final = {
    "study": _RESTORE,
    "images": _RESTORE,
    "classifiers": _RESTORE,
    "components": _CHECK,
    "series": _CHECK,
}


def _read(connection: sqlite3.Connection, table: str) -> tuple[list[tuple[Any, ...]], bool]:
    rows = connection.execute(SEALED[table]).fetchall()
    noted = connection.execute("SELECT checksum FROM seals WHERE name = ?", [table]).fetchone()
    return rows, noted is not None and noted[0] == compute_checksum([table, rows])
