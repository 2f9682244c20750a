"""A study's database, open: read in one moment, written whole or not at all."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from zooscope.errors import StudyError
from zooscope.records.database import describe_move, explain, one_moment, transaction, undamaged
from zooscope.records.opening import open_for_writing
from zooscope.records.seals import read_sealed


class OpenDatabase:
    """The database of one study, open.

    Whatever is read is compared with its checksum. Errors of SQLite come out as `StudyError`, in words.
    """

    def __init__(self, connection: sqlite3.Connection, *, place: str, path: Path | None = None, write: bool = False) -> None:
        """Takes an open connection.

        Args:
            connection: to a database with the schema.
            place: the database, in words.
            path: its file; None for one in memory, which may be written at once.
            write: whether the file may be written.
        """
        self._connection, self.place, self._path, self._may_write = connection, place, path, write
        self._is_writing, self._is_within = path is None, False
        self._file = None if path is None else path.stat()
        self._sealed: dict[str, list[tuple[Any, ...]]] = {}  # what never changes

    def __exit__(self, *_: object) -> None:
        """Closes it."""
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        """Reads within see the database as it is at the first of them."""
        with explain(self.place), one_moment(self._connection):
            yield

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Whatever is written within is written whole or not at all."""
        with self._written():
            self._is_within = True
            try:
                yield
            finally:
                self._is_within = False

    def _table(self, table: str) -> list[tuple[Any, ...]]:
        """A table as it is now."""
        with self.one_moment(), undamaged(self.place):
            return read_sealed(self._connection, self.place, table)

    def _lasting(self, table: str) -> list[tuple[Any, ...]]:
        """A table that never changes, read once."""
        if table not in self._sealed:
            self._sealed[table] = self._table(table)
        return self._sealed[table]

    @contextmanager
    def _written(self) -> Iterator[sqlite3.Connection]:
        """The connection, to be written to, all or nothing."""
        if not self._may_write:
            msg = f"{self.place} was opened for reading only; open it for writing (write=True)."
            raise StudyError(msg)
        with explain(self.place):
            self.require_in_place()
            if not self._is_writing and self._path is not None:
                connection = open_for_writing(self._path)
                self._connection.close()
                self._connection, self._is_writing = connection, True
            with nullcontext() if self._is_within else transaction(self._connection):
                yield self._connection
                self.require_in_place()

    def require_in_place(self) -> None:
        """Notices that the database was deleted or replaced since it was opened.

        Raises:
            StudyError: it was.
        """
        if self._path is None or self._file is None:
            return
        try:
            is_in_place = os.path.samestat(self._file, self._path.stat())
        except FileNotFoundError:
            is_in_place = False
        if not is_in_place:
            raise StudyError(describe_move(self.place))
