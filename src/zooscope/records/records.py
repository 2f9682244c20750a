"""A study's record: one SQLite database, written one unit of work at a time."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, final

import numpy as np
from jaxtyping import Float, Float16, Int, Int32

from zooscope.errors import MissingFileError, StudyError
from zooscope.records.database import connect, define, explained, require_study, undamaged, upgrade
from zooscope.records.entries import IDENTITY, ClassifierRecord, Definition
from zooscope.records.predictions import LOWEST, NOT_MEASURED, Predictions, smallest_integers

ROWS_AT_ONCE: Final = 1000


@final
class Records:
    """The database of one study, open; a context manager.

    Errors of SQLite come out as `StudyError`, in words.
    """

    def __init__(self, connection: sqlite3.Connection, *, place: str) -> None:
        """Takes an open connection to a database with the schema; use `create`, `open` or `in_memory`."""
        self._connection, self._place = connection, place

    @classmethod
    def create(cls, path: Path, definition: Definition, ids: tuple[str, ...], labels: Int[np.ndarray, " image"]) -> "Records":
        """A new database.

        Raises:
            StudyError: there is one already, or the place can't be written.
        """
        if path.exists():
            msg = f"{path} exists already; open it, or name another folder."
            raise StudyError(msg)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"{path.parent} can't be made ({error.strerror}); name a folder that can be written."
            raise StudyError(msg) from error
        # Written under another name first: a study that is killed while it is born leaves nothing that looks like one.
        unborn = path.with_suffix(".new")
        with explained(str(path)):
            for left_behind in path.parent.glob(f"{unborn.name}*"):
                left_behind.unlink()
            with closing(connect(unborn)) as connection:
                define(connection, definition, ids, labels)
            unborn.rename(path)
        return cls.open(path)

    @classmethod
    def in_memory(cls, definition: Definition, ids: tuple[str, ...], labels: Int[np.ndarray, " image"]) -> "Records":
        """A record that lasts as long as the process."""
        connection = connect(":memory:")
        define(connection, definition, ids, labels)
        return cls(connection, place="memory")

    @classmethod
    def open(cls, path: Path) -> "Records":
        """An existing database; several processes may read it while one writes.

        Raises:
            MissingFileError: there is none.
            StudyError: it is damaged, of a newer version, or no study at all.
        """
        if not path.is_file():
            msg = f"there is no study at {path.parent}: {path.name} is missing. `zooscope measure` makes one."
            raise MissingFileError(msg)
        with explained(str(path)):
            connection = connect(path)
            try:
                require_study(connection, path)
                upgrade(connection)
            except BaseException:
                connection.close()
                raise
        return cls(connection, place=str(path))

    def __enter__(self) -> "Records":
        """The records themselves."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes them."""
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    # What the study is

    @property
    def definition(self) -> Definition:
        """What the study is about."""
        values: dict[str, Any] = dict(self._rows("SELECT key, value FROM study"))
        with undamaged(self._place):
            return Definition(**{field.name: field.type(values[field.name]) for field in fields(Definition)})  # type: ignore[operator]

    @property
    def image_ids(self) -> tuple[str, ...]:
        """The images in order."""
        return tuple(name for (name,) in self._rows("SELECT id FROM images ORDER BY position"))

    @property
    def labels(self) -> Int[np.ndarray, " image"]:
        """The true class of every image."""
        rows = self._rows("SELECT label FROM images ORDER BY position")
        with undamaged(self._place):
            return np.asarray(rows, dtype=np.int64).reshape(len(rows))

    @property
    def shards(self) -> tuple[range, ...]:
        """The positions of the images of every shard."""
        size, ((count,),) = self.definition.shard_size, self._rows("SELECT count(*) FROM images")
        with undamaged(self._place):
            return tuple(range(start, min(start + size, count)) for start in range(0, count, size))

    @property
    def classifiers(self) -> tuple[ClassifierRecord, ...]:
        """The classifiers in the order they came."""
        columns = [field.name for field in fields(ClassifierRecord)]
        rows = self._rows(f"SELECT {', '.join(columns)} FROM classifiers ORDER BY id")  # noqa: S608  (our own column names)
        return tuple(ClassifierRecord(**dict(zip(columns, row, strict=True))) for row in rows)

    @property
    def names(self) -> tuple[str, ...]:
        """The classifiers' names in the order they came."""
        return tuple(classifier.name for classifier in self.classifiers)

    def add_classifier(self, classifier: ClassifierRecord) -> None:
        """Enters a classifier; one that is there already, unchanged, is left alone.

        Raises:
            StudyError: another classifier has that name; the field that differs is named.
        """
        for known in self.classifiers:
            if known.name == classifier.name:
                for field in IDENTITY:
                    old, new = getattr(known, field), getattr(classifier, field)
                    if old != new:
                        msg = (
                            f"{classifier.name} is in the study with other {field} ({_short(old)}, now {_short(new)}); "
                            "give the changed classifier another name, or measure into a new study."
                        )
                        raise StudyError(msg)
                return
        columns = [field.name for field in fields(ClassifierRecord)]
        self._write(
            f"INSERT INTO classifiers ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",  # noqa: S608  (our own column names)
            [[getattr(classifier, column) for column in columns]],
        )

    def remove_classifier(self, name: str) -> None:
        """Forgets a classifier and everything measured of it."""
        self._write("DELETE FROM classifiers WHERE name = ?", [[name]])

    def components(self) -> dict[str, dict[str, str]]:
        """Architectural components by classifier and name, for every classifier of which some are known."""
        rows = self._rows("SELECT name, component, value FROM components JOIN classifiers ON id = classifier_id ORDER BY id")
        result: dict[str, dict[str, str]] = {}
        for name, component, value in rows:
            result.setdefault(name, {})[component] = value
        return result

    def set_components(self, classifier: str, components: Mapping[str, str]) -> None:
        """Enters components of a classifier; those that it has already get the new value."""
        self._write(
            "INSERT OR REPLACE INTO components SELECT id, ?, ? FROM classifiers WHERE name = ?",
            [[component, value, classifier] for component, value in components.items()],
        )

    # What others have published

    def set_published(self, scores: Float[np.ndarray, "a b"]) -> None:
        """Enters a published matrix of scores, rows and columns as in `names`; NaN where a pair is not known."""
        names = self.names
        self._write(
            "INSERT OR REPLACE INTO published "
            "SELECT a.id, b.id, ? FROM classifiers a, classifiers b WHERE a.name = ? AND b.name = ?",
            [[float(scores[a, b]), names[a], names[b]] for a, b in np.argwhere(np.isfinite(scores))],
        )

    def published(self) -> Float[np.ndarray, "a b"]:
        """The published scores of all pairs, NaN where a pair is not known."""
        place = {name: row for row, name in enumerate(self.names)}
        result = np.full((len(place), len(place)), np.nan)
        rows = self._rows(
            "SELECT a.name, b.name, score FROM published JOIN classifiers a ON a.id = a_id JOIN classifiers b ON b.id = b_id"
        )
        for a, b, score in rows:
            result[place[a], place[b]] = score
        return result

    # What has been measured

    def clean_done(self) -> set[tuple[str, int]]:
        """Pairs (classifier, shard) with clean predictions."""
        return set(self._rows("SELECT name, shard FROM clean JOIN classifiers ON id = classifier_id"))

    def transfers_done(self) -> set[tuple[str, str, int]]:
        """Triples (source, target, shard) that are measured."""
        return set(
            self._rows(
                "SELECT source.name, target.name, shard FROM transfers "
                "JOIN classifiers source ON source.id = source_id JOIN classifiers target ON target.id = target_id"
            )
        )

    def controls_done(self) -> set[tuple[str, str, int]]:
        """Triples (transform, target, shard) that are measured."""
        return set(self._rows("SELECT controls.transform, name, shard FROM controls JOIN classifiers ON id = target_id"))

    def save_clean(
        self, classifier: str, shard: int, predictions: Int[np.ndarray, " image"], logits: Float16[np.ndarray, "image cls"]
    ) -> None:
        """Writes the clean predictions and logits of one shard, all or nothing."""
        self._write(
            "INSERT OR REPLACE INTO clean SELECT id, ?, ?, ? FROM classifiers WHERE name = ?",
            [[shard, _blob(predictions), logits.astype("<f2").tobytes(), classifier]],
        )

    def save_transfers(
        self,
        source: str,
        shard: int,
        predictions: Mapping[str, Int[np.ndarray, " image"]],
        controls: Mapping[tuple[str, str], Int[np.ndarray, " image"]],
    ) -> None:
        """Writes one unit, all or nothing: predictions by target, and controls by (transform, target)."""
        with explained(self._place), self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO transfers SELECT source.id, target.id, ?, ? "
                "FROM classifiers source, classifiers target WHERE source.name = ? AND target.name = ?",
                [[shard, _blob(values), source, target] for target, values in predictions.items()],
            )
            self._connection.executemany(
                "INSERT OR REPLACE INTO controls SELECT ?, id, ?, ? FROM classifiers WHERE name = ?",
                [[transform, shard, _blob(values), target] for (transform, target), values in controls.items()],
            )

    def clean_predictions(self) -> Int32[np.ndarray, "classifier image"]:
        """Clean predictions, NOT_MEASURED where there is none yet."""
        place, shards = {name: row for row, name in enumerate(self.names)}, self.shards
        result = np.full((len(place), len(self.labels)), NOT_MEASURED, dtype=np.int32)
        for name, shard, blob in self._rows("SELECT name, shard, predictions FROM clean JOIN classifiers ON id = classifier_id"):
            with undamaged(self._place):
                result[place[name], shards[shard]] = np.frombuffer(blob, "<i4")
        return result

    def clean_logits(self, classifier: str) -> Float16[np.ndarray, "image cls"]:
        """Clean logits of one classifier.

        Raises:
            StudyError: they are not all measured.
        """
        rows = self._rows(
            "SELECT logits FROM clean JOIN classifiers ON id = classifier_id WHERE name = ? ORDER BY shard", classifier
        )
        num_classes = next(known.num_classes for known in self.classifiers if known.name == classifier)
        with undamaged(self._place):
            logits = np.concatenate([np.frombuffer(blob, "<f2") for (blob,) in rows]) if rows else np.empty(0, "<f2")
        if logits.size != num_classes * len(self.labels):
            msg = f"the clean logits of {classifier} are not all measured; run `zooscope measure` to the end."
            raise StudyError(msg)
        return logits.reshape(-1, num_classes)

    def predictions(self) -> Predictions:
        """Everything that the scores need, as arrays, all of one moment even while another process measures."""
        with self._one_moment():
            return self._predictions()

    def _predictions(self) -> Predictions:
        names, shards, labels = self.names, self.shards, self.labels
        num_classes = len(self.definition.class_names.split("\n"))
        place = {name: row for row, name in enumerate(names)}
        kind = smallest_integers(num_classes)
        transfer = np.full((len(names), len(names), len(labels)), NOT_MEASURED, dtype=kind)
        rows = self._each_row(
            "SELECT source.name, target.name, shard, predictions FROM transfers "
            "JOIN classifiers source ON source.id = source_id JOIN classifiers target ON target.id = target_id"
        )
        for source, target, shard, blob in rows:
            with undamaged(self._place):
                transfer[place[source], place[target], shards[shard]] = _classes(blob, num_classes)
        return Predictions(
            names=names,
            image_ids=self.image_ids,
            labels=labels,
            clean=self.clean_predictions().astype(kind),
            transfer=transfer,
            transforms=tuple(classifier.transform for classifier in self.classifiers),
            controls=self._controls(num_classes),
        )

    def _controls(self, num_classes: int) -> dict[tuple[str, str], Int[np.ndarray, " image"]]:
        shards, count, kind = self.shards, len(self.labels), smallest_integers(num_classes)
        result: dict[tuple[str, str], Int[np.ndarray, " image"]] = {}
        rows = self._each_row(
            "SELECT controls.transform, name, shard, predictions FROM controls JOIN classifiers ON id = target_id"
        )
        for transform, target, shard, blob in rows:
            values = result.setdefault((transform, target), np.full(count, NOT_MEASURED, dtype=kind))
            with undamaged(self._place):
                values[shards[shard]] = _classes(blob, num_classes)
        return result

    # SQLite

    @contextmanager
    def _one_moment(self) -> Iterator[None]:
        """Reads within see the database as it is at the first of them."""
        with explained(self._place):
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.rollback()

    def _each_row(self, query: str) -> Iterator[Any]:
        """Rows one by one: all blobs together would take more memory than the arrays made of them."""
        with explained(self._place), undamaged(self._place):
            rows = self._connection.execute(query)
        while chunk := rows.fetchmany(ROWS_AT_ONCE):
            yield from chunk

    def _rows(self, query: str, *values: object) -> list[Any]:
        with explained(self._place), undamaged(self._place):
            return self._connection.execute(query, values).fetchall()

    def _write(self, statement: str, rows: list[list[object]]) -> None:
        with explained(self._place), self._connection:
            self._connection.executemany(statement, rows)


def _classes(blob: bytes, num_classes: int) -> Int32[np.ndarray, " image"]:
    """Predictions as they were written; refuses classes that there are not, which smaller integers would hide."""
    values = np.frombuffer(blob, "<i4")
    if values.size and not LOWEST <= values.min() <= values.max() < num_classes:
        msg = f"class {values.max() if values.max() >= num_classes else values.min()} of {num_classes}"
        raise ValueError(msg)
    return values


def _blob(predictions: Int[np.ndarray, " image"]) -> bytes:
    return predictions.astype("<i4").tobytes()


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:12]}..."  # noqa: PLR2004
