"""The table of arrays: every array under a checksum, and every series of them counted."""

import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import numpy as np

from zooscope.errors import InvalidValueError, OtherContentError, StudyError
from zooscope.records.checksums import NOTHING, combine, compute_checksum
from zooscope.records.rows import ArrayRow
from zooscope.records.seals import read_sealed, seal

PUBLISHED: Final = "published"
# What helps where an array can't be measured again.
REMEDIES: Final = {PUBLISHED: "restore the study from a copy, or import the matrix again into a new folder"}
_DTYPE: Final = re.compile(r"[<|][biuf][1248]")


@dataclass(kw_only=True)
class Series:
    """Arrays of one kind and digest: how many there are, and the exclusive or of their checksums."""

    id: int
    count: int = 0
    checksum: bytes = field(default=NOTHING)

    def enter(self, checksum: bytes) -> None:
        """An array comes in."""
        self.count += 1
        self.checksum = combine(self.checksum, checksum)

    def leave(self, checksum: bytes) -> None:
        """An array goes out."""
        self.count -= 1
        self.checksum = combine(self.checksum, checksum)


def compute_array_checksum(series: tuple[str, str], unit: tuple[str, str, int], dtype: str, shape: str, content: bytes) -> bytes:
    """The checksum of an array: over where it stands, its form and its bytes."""
    return compute_checksum([*series, *unit, dtype, shape], content)


def describe_unit(series: tuple[str, str], unit: tuple[str, str, int]) -> str:
    """An array's place in words.

    Example:
        >>> describe_unit(("transfer", ""), ("a", "b", 2))
        'transfer of a to b, shard 3'
    """
    subject, target, part = unit
    return f"{series[0]} of {' to '.join(name for name in (subject, target) if name)}, shard {part + 1}"


def describe_damage(place: str, what: str, kind: str) -> StudyError:
    """The error where an array is not what was written."""
    remedy = REMEDIES.get(kind, "`zooscope check STUDY --repair` removes what is damaged, then measure again")
    return StudyError(f"{place} is damaged: {what}; {remedy}.")


def read_series(connection: sqlite3.Connection, place: str) -> dict[tuple[str, str], Series]:
    """All series by kind and digest."""
    rows = read_sealed(connection, place, "series")
    return {
        (kind, digest): Series(id=number, count=count, checksum=bytes.fromhex(checksum))
        for number, kind, digest, count, checksum in rows
    }


def find_digests(connection: sqlite3.Connection, place: str, kind: str) -> tuple[str, ...]:
    """The digests of a kind's series, in the order in which they came."""
    known = read_series(connection, place)
    return tuple(digest for (own, digest), _ in sorted(known.items(), key=lambda item: item[1].id) if own == kind)


def write_series(connection: sqlite3.Connection, series: Iterable[Series]) -> None:
    """Notes what series have become."""
    connection.executemany("UPDATE series SET count = ?, checksum = ? WHERE id = ?", [(s.count, s.checksum, s.id) for s in series])
    seal(connection, "series")


def read_texts(connection: sqlite3.Connection) -> dict[int, str]:
    """Subjects and objects by number."""
    return dict(connection.execute("SELECT id, text FROM texts"))


def read_arrays(
    connection: sqlite3.Connection,
    place: str,
    series: tuple[str, str],
    *,
    subject: str | None,
    object: str | None,  # noqa: A002
    part: int | None = None,
) -> Iterator[ArrayRow]:
    """The arrays of a series, verified; within one moment, and within `undamaged`, of the caller's.

    Raises:
        StudyError: one is not what was written, or some are missing.
    """
    known = read_series(connection, place).get(series)
    if known is None:
        return
    texts = read_texts(connection)
    numbers = {text: number for number, text in texts.items()}
    chosen = [("subject_id", subject), ("object_id", object)]
    named = [(column, numbers.get(text, -1)) for column, text in chosen if text is not None]
    if part is not None:
        named.append(("part", part))
    conditions = "".join(f" AND {column} = ?" for column, _ in named)
    values = [known.id, *(number for _, number in named)]
    found = Series(id=known.id)
    cursor = connection.execute(
        "SELECT subject_id, object_id, part, dtype, shape, checksum, bytes FROM arrays "  # noqa: S608  (our own column names)
        f"WHERE series_id = ?{conditions} ORDER BY subject_id, object_id, part",
        values,
    )
    for subject_id, object_id, place_in_series, dtype, shape, checksum, content in cursor:
        unit = (texts.get(subject_id, "?"), texts.get(object_id, "?"), place_in_series)
        if checksum != compute_array_checksum(series, unit, dtype, shape, content):
            what = f"{describe_unit(series, unit)}, is not as it was written"
            raise describe_damage(place, what, series[0])
        found.enter(checksum)
        form, lengths = _parse_form(dtype, shape)
        yield ArrayRow(
            kind=series[0],
            digest=series[1],
            subject=unit[0],
            object=unit[1],
            part=place_in_series,
            values=np.frombuffer(content, form).reshape(lengths),
        )
    if not conditions:
        require_complete(place, series, known, found)


def require_complete(place: str, series: tuple[str, str], known: Series, found: Series) -> None:
    """Refuses a series of which arrays are missing, or that has others than those that were written.

    Raises:
        StudyError: so it is.
    """
    if known != found:
        what = f"{found.count} arrays of the kind {series[0]!r} are there, and they are not the {known.count} that were written"
        raise describe_damage(place, what, series[0])


def read_subjects(connection: sqlite3.Connection, place: str, series: tuple[str, str]) -> frozenset[str]:
    """The subjects of the arrays of a series; within one moment of the caller's."""
    known = read_series(connection, place).get(series)
    if known is None:
        return frozenset()
    texts = read_texts(connection)
    rows = connection.execute("SELECT DISTINCT subject_id FROM arrays WHERE series_id = ?", [known.id])
    return frozenset(texts.get(number, "?") for (number,) in rows)


def read_present(connection: sqlite3.Connection, place: str, series: tuple[str, str]) -> set[tuple[str, str, int]]:
    """Which arrays of a series there are, by (subject, object, part); within one moment of the caller's."""
    known = read_series(connection, place).get(series)
    if known is None:
        return set()
    texts, found, result = read_texts(connection), Series(id=known.id), set()
    rows = connection.execute("SELECT subject_id, object_id, part, checksum FROM arrays WHERE series_id = ?", [known.id])
    for subject_id, object_id, part, checksum in rows:
        found.enter(checksum)
        result.add((texts.get(subject_id, "?"), texts.get(object_id, "?"), part))
    require_complete(place, series, known, found)
    return result


def write_arrays(connection: sqlite3.Connection, place: str, rows: Iterable[ArrayRow], *, replace: bool = True) -> set[str]:
    """Enters arrays; part of a transaction of the caller's.

    Args:
        connection: to the database.
        place: what to call it in an error.
        rows: the arrays.
        replace: whether they take the places of those that are there; else these must be the same.

    Returns:
        The classifiers that they are of.

    Raises:
        StudyError: one is of a classifier that the record doesn't know.
        OtherContentError: another array stands in its place.
    """
    series = read_series(connection, place)
    numbers = {text: number for number, text in read_texts(connection).items()}
    names = {row[1] for row in read_sealed(connection, place, "classifiers")}
    owners = set()
    for row in rows:
        owner = row.object or row.subject
        if owner not in names:
            msg = f"{place} holds no classifier {owner!r}, so that nothing measured of it can be entered; add it first."
            raise StudyError(msg)
        owners.add(owner)
        key = (row.kind, row.digest)
        if key not in series:
            cursor = connection.execute("INSERT INTO series (kind, digest, count, checksum) VALUES (?, ?, 0, ?)", [*key, NOTHING])
            series[key] = Series(id=int(cursor.lastrowid or 0))
        for text in (row.subject, row.object):
            if text not in numbers:
                numbers[text] = int(connection.execute("INSERT INTO texts (text) VALUES (?)", [text]).lastrowid or 0)
        _write(connection, series[key], row, (numbers[row.subject], numbers[row.object]), same_as=None if replace else place)
    write_series(connection, series.values())
    return owners


def _write(connection: sqlite3.Connection, series: Series, row: ArrayRow, numbers: tuple[int, int], *, same_as: str | None) -> None:
    """Enters an array; where `same_as` names the record, what stands in its place must be the same."""
    values = row.values.astype(row.values.dtype.newbyteorder("<"), order="C")
    dtype, shape, content = values.dtype.str, ",".join(map(str, values.shape)), values.tobytes()
    if not _DTYPE.fullmatch(dtype):
        msg = f"an array of {values.dtype} can't be kept in a record; give bool, integers or floats."
        raise InvalidValueError(msg)
    place = [series.id, *numbers, row.part]
    before = connection.execute(
        "SELECT checksum FROM arrays WHERE series_id = ? AND subject_id = ? AND object_id = ? AND part = ?", place
    ).fetchone()
    unit = (row.subject, row.object, row.part)
    checksum = compute_array_checksum((row.kind, row.digest), unit, dtype, shape, content)
    if before is not None and same_as is not None:
        if before[0] != checksum:
            msg = f"{same_as} has another result for {describe_unit((row.kind, row.digest), unit)}."
            raise OtherContentError(msg)
        return
    if before is not None:
        series.leave(before[0])
    series.enter(checksum)
    connection.execute("INSERT OR REPLACE INTO arrays VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [*place, dtype, shape, checksum, content])


def remove_arrays(connection: sqlite3.Connection, place: str, name: str) -> None:
    """Forgets all arrays of which a classifier is subject or object; part of a transaction of the caller's."""
    series = {one.id: one for one in read_series(connection, place).values()}
    for number, text in read_texts(connection).items():
        if text == name:
            chosen = [number, number]
            for series_id, checksum in connection.execute(
                "SELECT series_id, checksum FROM arrays WHERE subject_id = ? OR object_id = ?", chosen
            ):
                series[series_id].leave(checksum)
            connection.execute("DELETE FROM arrays WHERE subject_id = ? OR object_id = ?", chosen)
            connection.execute("DELETE FROM texts WHERE id = ?", [number])
    write_series(connection, series.values())


@lru_cache(maxsize=256)
def _parse_form(dtype: str, shape: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Type and shape of an array, from their texts; a record has millions of arrays, and few forms."""
    if not _DTYPE.fullmatch(dtype):
        msg = f"an array of {dtype}"
        raise InvalidValueError(msg)
    return np.dtype(dtype), tuple(int(size) for size in shape.split(",") if size)
