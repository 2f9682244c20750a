"""What of a record is no longer what was written, and how that is forgotten."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from zooscope.records.arrays import REMEDIES, Series, compute_array_checksum, describe_unit, write_series
from zooscope.records.seals import SEALED, TABLE_REMEDIES, describe_table, is_intact, seal

_STEP: Final = 1000  # arrays between two reports
_RESTORE: Final = "restore the study from a copy, or measure into a new folder"
_MEASURED: Final = frozenset({"components", "series"})  # tables that can be made again
_KEY: Final = "series_id = ? AND subject_id = ? AND object_id = ? AND part = ?"


@dataclass(frozen=True, kw_only=True)
class Damage:
    """One thing that is not as it was written.

    Attributes:
        what: in words.
        remedy: what to do where it can't be measured again; else empty.
        key: of the array in its table.
        table: of text.
    """

    what: str
    remedy: str = ""
    key: tuple[int, int, int, int] | None = None
    table: str = ""


def find_damage(connection: sqlite3.Connection, listen: Callable[[int, int], None]) -> list[Damage]:
    """Compares everything with its checksum; within one moment of the caller's."""
    found: list[Damage] = []
    try:
        for table in SEALED:
            if not _is_intact(connection, table):
                remedy = "" if table in _MEASURED else TABLE_REMEDIES[table]
                found.append(Damage(what=describe_table(table), remedy=remedy, table=table))
        found.extend(_find_damaged_arrays(connection, listen))
        if not found:
            structure = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if structure != "ok":
                found.append(Damage(what=f"the database's own structure ({structure})", remedy=_RESTORE))
    except sqlite3.DatabaseError as error:
        found.append(Damage(what=f"the database's own structure ({error})", remedy=_RESTORE))
    return found


def forget_damage(connection: sqlite3.Connection, damages: Iterable[Damage]) -> list[Damage]:
    """Removes what can be measured again, counts what is left, and gives what stays damaged; in a transaction of the caller's."""
    kept = []
    for damage in damages:
        if damage.remedy:
            kept.append(damage)
        elif damage.key is not None:
            connection.execute(f"DELETE FROM arrays WHERE {_KEY}", damage.key)  # noqa: S608  (our own column names)
        elif damage.table == "components":
            connection.execute("DELETE FROM components")
            seal(connection, "components")
    series = defaultdict[int, Series](lambda: Series(id=0))
    for number, checksum in connection.execute("SELECT series_id, checksum FROM arrays"):
        series[number].id = number
        series[number].enter(checksum)
    numbers = [number for (number,) in connection.execute("SELECT id FROM series")]
    connection.executemany("DELETE FROM series WHERE id = ?", [(number,) for number in numbers if number not in series])
    write_series(connection, series.values())
    return kept


def _is_intact(connection: sqlite3.Connection, table: str) -> bool:
    try:
        return is_intact(connection, table)
    except sqlite3.OperationalError as error:  # text that can't be decoded
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        return False


def _find_damaged_arrays(connection: sqlite3.Connection, listen: Callable[[int, int], None]) -> Iterator[Damage]:
    known = {
        number: ((_decode(kind), _decode(digest)), Series(id=number, count=count, checksum=checksum))
        for number, kind, digest, count, checksum in connection.execute(
            "SELECT id, CAST(kind AS BLOB), CAST(digest AS BLOB), count, checksum FROM series"
        )
    }
    texts = {number: _decode(text) for number, text in connection.execute("SELECT id, CAST(text AS BLOB) FROM texts")}
    found = {number: Series(id=number) for number in known}
    (total,) = connection.execute("SELECT count(*) FROM arrays").fetchone()
    cursor = connection.execute(
        "SELECT series_id, subject_id, object_id, part, CAST(dtype AS BLOB), CAST(shape AS BLOB), checksum, bytes FROM arrays"
    )
    whole = set(known)
    for done, (*key, dtype, shape, checksum, content) in enumerate(cursor):
        if done % _STEP == 0:
            listen(done, total)
        number, subject, target, part = key
        series = known[number][0] if number in known else ("?", "")
        unit = (texts.get(subject, "?"), texts.get(target, "?"), part)
        if number in found:
            found[number].enter(checksum)
        if checksum != compute_array_checksum(series, unit, _decode(dtype), _decode(shape), content):
            whole.discard(number)
            remedy = REMEDIES.get(series[0], "")
            yield Damage(what=describe_unit(series, unit), remedy=remedy, key=(number, subject, target, part))
    listen(total, total)
    for number in sorted(whole):
        series, noted = known[number]
        if noted != found[number]:
            remedy = REMEDIES.get(series[0], "")
            yield Damage(what=f"{series[0]}: {found[number].count} arrays where {noted.count} were written", remedy=remedy)


def _decode(content: bytes | None) -> str:
    return (content or b"").decode("utf-8", "replace")
