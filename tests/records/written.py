"""A small record, and what the tests of records ask of one."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

from zooscope.records.entries import ClassifierRecord, Definition
from zooscope.records.seals import SEALED, seal

DEFINITION = Definition(images="by hand", image_digest="0", class_names="cat\ndog", attack="{}", seed=5, shard_size=2)
IDS, LABELS = ("a", "b", "c", "d", "e"), np.array([0, 1, 1, 0, 1])


def classifier(name: str, transform: str = "32 pixels") -> ClassifierRecord:
    return ClassifierRecord(
        name=name,
        address=None,
        architecture="none",
        num_classes=2,
        weights=f"digest of {name}",
        transform=transform,
        mean="0",
        std="1",
    )


def value(path: Path, question: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchone()[0]


def rewrite(path: Path, statement: str) -> None:
    """Changes a table of text as someone would who knows of the checksums."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
        seal(connection, *SEALED)
