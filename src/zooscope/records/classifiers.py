"""The table of classifiers: those that wait to be measured, and those of which something is."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from zooscope.records.entries import ClassifierRecord, Entry, require_unchanged
from zooscope.records.seals import seal

COLUMNS: Final = tuple(field.name for field in fields(ClassifierRecord))


def make_entries(rows: Iterable[tuple[Any, ...]]) -> Iterator[Entry]:
    """The rows of the table, in the order they came."""
    for _, *values, is_source, is_admitted, refusal in rows:
        classifier = ClassifierRecord(**dict(zip(COLUMNS, values, strict=True)))
        yield Entry(classifier=classifier, is_source=bool(is_source), is_admitted=bool(is_admitted), refusal=refusal)


def enter(connection: sqlite3.Connection, entries: Iterable[Entry], new: Entry) -> None:
    """Enters a classifier; part of a transaction of the caller's.

    One that is there, unchanged, stays as it is, but is no longer refused. One that waits under its name leaves its place to it.

    Raises:
        StudyError: another classifier has that name, and something of it is measured; the field that differs is named.
    """
    columns: dict[str, Any] = {column: getattr(new.classifier, column) for column in COLUMNS}
    known = next((entry for entry in entries if entry.name == new.name), None)
    if known is None:
        columns |= {"is_source": new.is_source, "is_admitted": new.is_admitted, "refusal": new.refusal}
        names, values = ", ".join(columns), ", ".join("?" * len(columns))
        connection.execute(f"INSERT INTO classifiers ({names}) VALUES ({values})", list(columns.values()))  # noqa: S608  (our own names)
    elif known.is_admitted:
        require_unchanged(known.classifier, new.classifier)
        return
    else:
        changes = ", ".join(f"{column} = ?" for column in columns)
        connection.execute(f"UPDATE classifiers SET {changes}, refusal = '' WHERE name = ?", [*columns.values(), new.name])  # noqa: S608
    seal(connection, "classifiers")


def admit(connection: sqlite3.Connection, entries: Iterable[Entry], names: Iterable[str]) -> None:
    """Notes that something of classifiers is measured; part of a transaction of the caller's."""
    waiting = {entry.name for entry in entries if not entry.is_admitted}.intersection(names)
    if waiting:
        connection.executemany("UPDATE classifiers SET is_admitted = 1, refusal = '' WHERE name = ?", [[name] for name in waiting])
        seal(connection, "classifiers")


def refuse(connection: sqlite3.Connection, name: str, reason: str) -> None:
    """Notes why a classifier can't be measured, if it still waits; part of a transaction of the caller's."""
    connection.execute("UPDATE classifiers SET refusal = ? WHERE name = ? AND NOT is_admitted", [reason, name])
    seal(connection, "classifiers")


def set_roles(connection: sqlite3.Connection, roles: Mapping[str, bool]) -> None:
    """Enters whether classifiers are attacked; part of a transaction of the caller's. In another role, one is no longer refused."""
    for name, is_source in roles.items():
        connection.execute(
            "UPDATE classifiers SET is_source = :is_source, refusal = iif(is_source = :is_source, refusal, '') WHERE name = :name",
            {"is_source": is_source, "name": name},
        )
    seal(connection, "classifiers")
