"""Records of schema 1 and 2, copied into the tables of schema 3."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from zooscope.records.arrays import PUBLISHED, describe_damage, describe_unit, write_arrays
from zooscope.records.classifiers import COLUMNS
from zooscope.records.database import undamaged
from zooscope.records.layout import lay_out, read_version
from zooscope.records.rows import ArrayRow
from zooscope.records.seals import SEALED, seal

OnDamage = Callable[[str], None]
# All are attacked; those wait of which nothing is measured. A published matrix has no images.
_CHANGED: Final = {"transform": "as_json(transform)", "class_matching": "''"}
_COLUMNS: Final = ", ".join(_CHANGED.get(column, column) for column in COLUMNS)
_CLASSIFIERS: Final = (
    f"SELECT id, {_COLUMNS}, 1, EXISTS (SELECT * FROM clean WHERE classifier_id = id) "  # noqa: S608  (our own names)
    "OR NOT EXISTS (SELECT * FROM images), '' FROM classifiers ORDER BY id"
)
# Of what was read, only this could be a guess; what a user said looks the same. The paper's networks have the values of its table.
_COMPONENTS: Final = (
    "SELECT classifier_id, component, value, component = 'base architecture' AND value = 'NAS (CNN)' "
    "AND coalesce(address, '') NOT LIKE 'paper:%' AND EXISTS (SELECT * FROM images) "
    "FROM components JOIN classifiers ON id = classifier_id ORDER BY classifier_id, component"
)


def copy_old(old: sqlite3.Connection, new: sqlite3.Connection, place: str, *, on_damage: OnDamage | None = None) -> None:
    """Copies a record of schema 1 or 2; part of a transaction of the caller's.

    There are no checksums in it; lengths are compared with what they must be.

    Args:
        old: the record.
        new: an empty database; or `old` itself, whose old tables are then replaced.
        place: of the record, for messages.
        on_damage: takes what an array of a wrong length is of, which is then left out; without it, that is an error.

    Raises:
        StudyError: an array has the wrong length, or the number of a shard that there isn't.
    """
    old.create_function("as_json", 1, _as_json, deterministic=True)
    tables = ["clean", "transfers", "controls", "images", "study"]
    if read_version(old) > 1:
        tables = ["published", "components", *tables]
    tables.append("classifiers")  # the others refer to it, so it goes last
    queries = {**SEALED, "classifiers": _CLASSIFIERS, "components": _COMPONENTS}
    texts = {table: old.execute(queries[table]).fetchall() for table in tables if table in SEALED}
    prefix = ""
    if new is old:
        prefix = "old_"
        for table in tables:
            old.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    lay_out(new)
    for table in ("classifiers", *texts.keys() - {"classifiers"}):
        if rows := texts[table]:
            new.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)  # noqa: S608  (our own tables)
    seal(new, *SEALED)
    with undamaged(place):
        shard_size = int(dict(texts["study"])["shard_size"])
        shards = [
            len(range(size)[start : start + shard_size]) for size in [len(texts["images"])] for start in range(0, size, shard_size)
        ]
    write_arrays(new, place, _Old(old, place, prefix, shards, on_damage).rows(has_published="published" in tables))
    if new is old:
        for table in tables:
            old.execute(f"DROP TABLE old_{table}")


class _Old:
    """The arrays of a record of schema 1 or 2."""

    def __init__(
        self, connection: sqlite3.Connection, place: str, prefix: str, shards: list[int], on_damage: OnDamage | None
    ) -> None:
        self._connection, self._place, self._prefix, self._shards, self._on_damage = connection, place, prefix, shards, on_damage

    def rows(self, *, has_published: bool) -> Iterator[ArrayRow]:
        """All of them."""
        for name, classes, part, predictions, logits in self._select(
            "name, num_classes, shard, predictions, logits FROM {}clean JOIN {}classifiers ON id = classifier_id"
        ):
            yield from self._row("clean", (name, "", part), "<i4", predictions)
            yield from self._row("logits", (name, "", part), "<f2", logits, classes)
        for *unit, predictions in self._select(
            "source.name, target.name, shard, predictions FROM {}transfers "
            "JOIN {}classifiers source ON source.id = source_id JOIN {}classifiers target ON target.id = target_id"
        ):
            yield from self._row("transfer", (unit[0], unit[1], unit[2]), "<i4", predictions)
        for *unit, predictions in self._select(
            "as_json(c.transform), name, shard, predictions FROM {}controls c JOIN {}classifiers ON id = target_id"
        ):
            yield from self._row("control", (unit[0], unit[1], unit[2]), "<i4", predictions)
        if has_published:
            for a, b, score in self._select(
                "a.name, b.name, score FROM {}published JOIN {}classifiers a ON a.id = a_id JOIN {}classifiers b ON b.id = b_id"
            ):
                yield ArrayRow(kind=PUBLISHED, subject=a, object=b, part=0, values=np.array(score, dtype=np.float64))

    def _select(self, rest: str) -> sqlite3.Cursor:
        return self._connection.execute(f"SELECT {rest.replace('{}', self._prefix)}")

    def _row(self, kind: str, unit: tuple[str, str, int], dtype: str, content: bytes, *width: Any) -> Iterator[ArrayRow]:  # noqa: ANN401
        part = unit[2]
        count = self._shards[part] if part in range(len(self._shards)) else -1
        values = np.frombuffer(content, dtype) if len(content) % np.dtype(dtype).itemsize == 0 else np.empty(0, dtype)
        if count < 0 or values.size != count * int(np.prod(width, dtype=np.int64)):
            what = f"{describe_unit((kind, ''), unit)}, has another length than its shard"
            if self._on_damage is None:
                raise describe_damage(self._place, what, kind)
            self._on_damage(what)
        else:
            yield ArrayRow(kind=kind, subject=unit[0], object=unit[1], part=part, values=values.reshape(count, *width))


def _as_json(transform: str) -> str:
    """Turns the form in which schema 1 and 2 kept transforms, `height=32 width=32 ...`, into JSON; another text stays as it is."""
    settings = dict(part.partition("=")[::2] for part in transform.split(" "))
    types = {"height": int, "width": int, "crop_fraction": float}
    try:
        values = {name: types.get(name, str)(value) for name, value in settings.items()}
    except ValueError:
        return transform
    return json.dumps(values) if all(settings.values()) else transform
