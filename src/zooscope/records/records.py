"""A study's record: one SQLite database, written one unit of work at a time."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import MISSING, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Final, final

import numpy as np
from jaxtyping import Int

from zooscope.errors import MissingFileError
from zooscope.records.arrays import find_digests, read_arrays, read_present, read_series, read_subjects, remove_arrays, write_arrays
from zooscope.records.birth import unborn
from zooscope.records.classifiers import admit, enter, make_entries, refuse, set_roles
from zooscope.records.damage import Damage, find_damage, forget_damage
from zooscope.records.database import connect, explain, undamaged
from zooscope.records.entries import ClassifierRecord, Definition, Entry
from zooscope.records.layout import lay_out
from zooscope.records.near import suggest_studies
from zooscope.records.open_database import OpenDatabase
from zooscope.records.opening import open_for_reading, open_for_writing
from zooscope.records.rows import ArrayRow, FactRow, name_fact_kind
from zooscope.records.seals import SEALED, seal

LEFT_OUT: Final = "left_out"  # the note: what lies beside the images and is not used, as JSON, how many of each kind
GIVEN_CLASSES: Final = "given_classes"  # the note that the user gave the order of the classes


@final
class Records(OpenDatabase):
    """The database of one study, open; a context manager. Use `create`, `open` or `in_memory`."""

    @classmethod
    def create(
        cls,
        path: Path,
        definition: Definition,
        ids: tuple[str, ...],
        labels: Int[np.ndarray, " image"],
        *,
        notes: Mapping[str, str] | None = None,
        fill: Callable[["Records"], None] = lambda _: None,
    ) -> "Records":
        """A new database, open for writing. It comes to be whole, or not at all, whatever happens to this process.

        Args:
            path: where.
            definition: what the study is about.
            ids: of the images.
            labels: of the images.
            notes: what else is known of the images, by name; it doesn't define the study.
            fill: enters what else it shall have from the start.

        Raises:
            StudyError: there is one already, the place can't be written, or another process is making one there.
        """
        with unborn(path) as temporary, explain(str(path)), closing(connect(str(temporary))) as connection:
            for pragma in ("journal_mode = MEMORY", "synchronous = OFF"):  # a file under this name is never used again
                connection.execute(f"PRAGMA {pragma}")
            records = cls(connection, place=str(path), write=True)
            records._define(definition, ids, labels, notes or {})
            fill(records)
        return cls.open(path, write=True)

    @classmethod
    def in_memory(
        cls,
        definition: Definition,
        ids: tuple[str, ...],
        labels: Int[np.ndarray, " image"],
        *,
        notes: Mapping[str, str] | None = None,
    ) -> "Records":
        """A record that lasts as long as the process."""
        records = cls(connect(":memory:"), place="memory", write=True)
        records._define(definition, ids, labels, notes or {})
        return records

    @classmethod
    def open(cls, path: Path, *, write: bool = False) -> "Records":
        """An existing database; several processes may read it while one writes.

        Args:
            path: where it is.
            write: whether it may be written. Until something is saved nothing is, and a record of an earlier schema stays as it is.

        Raises:
            MissingFileError: there is none.
            StudyError: it is damaged, of a newer version, or no study at all.
        """
        _require_file(path)
        with explain(str(path)):
            return cls(open_for_reading(path), place=str(path), path=path, write=write)

    @classmethod
    def open_damaged(cls, path: Path) -> tuple["Records", list[Damage]]:
        """An existing database, open for writing, without those arrays of an earlier schema that have the wrong length.

        Raises:
            MissingFileError: there is none.
            StudyError: it can't be opened at all.
        """
        _require_file(path)
        lost: list[Damage] = []
        with explain(str(path)):
            records = cls(open_for_writing(path, on_damage=lambda what: lost.append(Damage(what=what))), place=str(path), path=path)
        records._may_write = records._is_writing = True
        return records, lost

    def __enter__(self) -> "Records":
        """The records themselves."""
        return self

    # What the study is

    @cached_property
    def definition(self) -> Definition:
        """What the study is about."""
        values: dict[str, Any] = dict(self._lasting("study"))
        with undamaged(self.place):
            given = [field for field in fields(Definition) if field.name in values or field.default is MISSING]
            return Definition(**{field.name: field.type(values[field.name]) for field in given})  # type: ignore[operator]

    @property
    def notes(self) -> dict[str, str]:
        """What else is known of the study, by name."""
        return {key: value for key, value in self._lasting("study") if key not in Definition.__dataclass_fields__}

    def set_note(self, key: str, value: str) -> None:
        """Enters a note, in place of what it was."""
        with self._written() as connection:
            connection.execute("INSERT OR REPLACE INTO study VALUES (?, ?)", [key, value])
            seal(connection, "study")
        self._sealed.pop("study", None)

    @property
    def image_ids(self) -> tuple[str, ...]:
        """The images in order."""
        return tuple(name for _, name, _ in self._lasting("images"))

    @property
    def labels(self) -> Int[np.ndarray, " image"]:
        """The true class of every image."""
        rows = self._lasting("images")
        with undamaged(self.place):
            return np.asarray([label for _, _, label in rows], dtype=np.int64).reshape(len(rows))

    @cached_property
    def shards(self) -> tuple[range, ...]:
        """The positions of the images of every shard."""
        size, count = self.definition.shard_size, len(self._lasting("images"))
        with undamaged(self.place):
            return tuple(range(start, min(start + size, count)) for start in range(0, count, size))

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All classifiers, also those that wait or were refused, in the order they came."""
        rows = self._table("classifiers")
        with undamaged(self.place):
            return tuple(make_entries(rows))

    @property
    def classifiers(self) -> tuple[ClassifierRecord, ...]:
        """The classifiers of which something is measured, in the order they came."""
        return tuple(entry.classifier for entry in self.entries if entry.is_admitted)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the classifiers of which something is measured, in the order they came."""
        return tuple(classifier.name for classifier in self.classifiers)

    @property
    def wanted(self) -> tuple[str, ...]:
        """The names of all classifiers but those that were refused, in the order they came."""
        return tuple(entry.name for entry in self.entries if not entry.refusal)

    def add_classifier(self, classifier: ClassifierRecord, *, is_admitted: bool = False) -> None:
        """Enters a classifier, which waits until something of it is saved; one that is there already, unchanged, is left alone.

        Args:
            classifier: takes the place of another that waits, or was refused, under its name.
            is_admitted: whether it need not wait.

        Raises:
            StudyError: another classifier has that name, and something of it is measured; the field that differs is named.
        """
        with self._written() as connection:
            enter(connection, self.entries, Entry(classifier=classifier, is_admitted=is_admitted))

    def refuse_classifier(self, name: str, reason: str) -> None:
        """Notes why a classifier that waits can't be measured; one of which something is measured stays as it is."""
        with self._written() as connection:
            refuse(connection, name, reason)

    def set_roles(self, roles: Mapping[str, bool]) -> None:
        """Enters whether classifiers are attacked."""
        with self._written() as connection:
            set_roles(connection, roles)

    def remove_classifier(self, name: str) -> None:
        """Forgets a classifier and everything measured of it."""
        with self._written() as connection:
            remove_arrays(connection, self.place, name)
            connection.execute("DELETE FROM classifiers WHERE name = ?", [name])
            seal(connection, "classifiers", "components")

    def components(self) -> dict[str, dict[str, str]]:
        """Architectural components by classifier and name, for every classifier of which some are known."""
        with self.one_moment():
            names = {row[0]: row[1] for row in self._table("classifiers")}
            result: dict[str, dict[str, str]] = {}
            for number, component, value, _ in self._table("components"):
                result.setdefault(names[number], {})[component] = value
        return result

    def guesses(self) -> dict[str, frozenset[str]]:
        """Names of the components whose values are guesses, for every classifier that has such ones."""
        with self.one_moment():
            names = {row[0]: row[1] for row in self._table("classifiers")}
            result: dict[str, set[str]] = {}
            for number, component, _, is_guess in self._table("components"):
                if is_guess:
                    result.setdefault(names[number], set()).add(component)
        return {name: frozenset(components) for name, components in result.items()}

    def set_components(self, classifier: str, components: Mapping[str, str], *, guesses: Collection[str] = ()) -> None:
        """Enters components of a classifier, and which of them are guesses; those that it has already get the new value."""
        with self._written() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO components SELECT id, ?, ?, ? FROM classifiers WHERE name = ?",
                [[component, value, component in guesses, classifier] for component, value in components.items()],
            )
            seal(connection, "components")

    # What has been measured

    def save(self, rows: Iterable[ArrayRow], facts: Iterable[FactRow] = (), *, replace: bool = True) -> None:
        """Writes arrays and facts, all or nothing.

        Args:
            rows: the arrays.
            facts: the facts.
            replace: whether they take the places of arrays that are there; else these must be the same.

        Raises:
            StudyError: one is of a classifier that the record doesn't hold, or the database was deleted or can't be written.
            OtherContentError: another array stands in its place.
        """
        with self._written() as connection:
            owners = write_arrays(connection, self.place, rows, replace=replace)
            noted = (
                ArrayRow(
                    kind=name_fact_kind(fact.kind, fact.name),
                    digest=fact.digest,
                    subject=fact.subject,
                    part=fact.part,
                    values=fact.values,
                )
                for fact in facts
            )
            owners |= write_arrays(connection, self.place, noted, replace=replace)
            admit(connection, self.entries, owners)

    def arrays(
        self,
        kind: str,
        digest: str = "",
        *,
        subject: str | None = None,
        object: str | None = None,  # noqa: A002  (as in ArrayRow)
        part: int | None = None,
    ) -> Iterator[ArrayRow]:
        """The arrays of a kind, verified; of one subject, object or part only, where named.

        Those of one subject and object come in the order of their parts. The database can't be written by others until the last one
        was taken, or the iterator is closed.

        Raises:
            StudyError: one is damaged; or, where nothing is named, some are missing.
        """
        with self.one_moment(), undamaged(self.place):
            yield from read_arrays(self._connection, self.place, (kind, digest), subject=subject, object=object, part=part)

    @property
    def series(self) -> tuple[tuple[str, str], ...]:
        """Kind and digest of all arrays that there are."""
        with self.one_moment():
            return tuple(read_series(self._connection, self.place))

    def digests(self, kind: str) -> tuple[str, ...]:
        """The settings with which arrays of a kind were measured, those that came first in front."""
        with self.one_moment():
            return find_digests(self._connection, self.place, kind)

    def subjects(self, kind: str, digest: str = "") -> frozenset[str]:
        """The subjects of the arrays of a kind; not verified, as `arrays` does that."""
        with self.one_moment():
            return read_subjects(self._connection, self.place, (kind, digest))

    def present(self, kind: str, digest: str = "") -> set[tuple[str, str, int]]:
        """Which arrays of a kind there are, by (subject, object, part)."""
        with self.one_moment():
            return read_present(self._connection, self.place, (kind, digest))

    # Damage

    def check(self, listen: Callable[[int, int], None] = lambda _done, _total: None) -> list[Damage]:
        """Compares everything with its checksum.

        Args:
            listen: called now and then with how many arrays are done, of how many.

        Returns:
            What is damaged; empty where all is well.
        """
        with self.one_moment():
            return find_damage(self._connection, listen)

    def forget(self, damages: Iterable[Damage]) -> list[Damage]:
        """Removes what is damaged and can be measured again; gives what is beyond that."""
        with self._written() as connection:
            return forget_damage(connection, damages)

    def _define(
        self, definition: Definition, ids: tuple[str, ...], labels: Int[np.ndarray, " image"], notes: Mapping[str, str]
    ) -> None:
        with self._written() as connection:
            lay_out(connection)
            values = [(field.name, str(getattr(definition, field.name))) for field in fields(Definition)]
            connection.executemany("INSERT INTO study VALUES (?, ?)", [*values, *notes.items()])
            images = [(position, name, int(label)) for position, (name, label) in enumerate(zip(ids, labels, strict=True))]
            connection.executemany("INSERT INTO images VALUES (?, ?, ?)", images)
            seal(connection, *SEALED)


def _require_file(path: Path) -> None:
    if not path.is_file():
        near = suggest_studies(path.parent)
        msg = f"there is no study at {path.parent}: {path.name} is missing.{near} `zooscope measure` makes one."
        raise MissingFileError(msg)
