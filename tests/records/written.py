"""A small record, and what the tests of records ask of one."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np

from tests.specimens import Array
from zooscope.records.entries import ClassifierRecord, Definition
from zooscope.records.records import Records
from zooscope.records.rows import ArrayRow
from zooscope.records.seals import SEALED, seal

DEFINITION = Definition(images="by hand", image_digest="0", class_names="cat\ndog", attack="{}", seed=5, shard_size=2)
IDS, LABELS = ("a", "b", "c", "d", "e"), np.array([0, 1, 1, 0, 1])


def classifier(name: str, transform: str = "32 pixels", *, num_classes: int = 2) -> ClassifierRecord:
    return ClassifierRecord(
        name=name,
        address=None,
        architecture="none",
        num_classes=num_classes,
        weights=f"digest of {name}",
        transform=transform,
        mean="0",
        std="1",
    )


def fill(records: Records) -> None:
    """Enters a classifier."""
    records.add_classifier(classifier("a"), is_admitted=True)


def value(path: Path, question: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchone()[0]


def rewrite(path: Path, statement: str) -> None:
    """Changes a table of text as someone would who knows of the checksums."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
        seal(connection, *SEALED)


def save_clean(records: Records, classifier: str, shard: int, predictions: Array, logits: Array) -> None:
    """Writes the clean predictions and logits of one shard."""
    records.save(
        [
            ArrayRow(kind="clean", subject=classifier, part=shard, values=predictions.astype(np.int32)),
            ArrayRow(kind="logits", subject=classifier, part=shard, values=logits.astype(np.float16)),
        ]
    )


def save_transfers(
    records: Records, source: str, shard: int, predictions: Mapping[str, Array], controls: Mapping[tuple[str, str], Array]
) -> None:
    """Writes one unit: predictions by target, and controls by (transform, target)."""
    transfers = [("transfer", source, target, values) for target, values in predictions.items()]
    unattacked = [("control", transform, target, values) for (transform, target), values in controls.items()]
    records.save(
        ArrayRow(kind=kind, subject=subject, object=target, part=shard, values=values.astype(np.int32))
        for kind, subject, target, values in transfers + unattacked
    )
