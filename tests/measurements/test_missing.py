"""What a record lacks, as tasks."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.records.written import save_clean, save_transfers
from zooscope.attacks import LinfPGD
from zooscope.measurements.clean import Clean
from zooscope.measurements.transfer import Transfer
from zooscope.records.entries import ClassifierRecord, Definition
from zooscope.records.records import Records

IDS = ("1", "2", "3", "4", "5")
PREDICTIONS = {0: np.zeros(3, dtype=np.int32), 1: np.zeros(2, dtype=np.int32)}
TRANSFER = Transfer(attack=LinfPGD(), seed=0)


def classifier(name: str, transform: str = "small") -> ClassifierRecord:
    return ClassifierRecord(
        name=name, address=None, architecture="", num_classes=2, weights=name, transform=transform, mean="", std=""
    )


def done(records: Records, source: str, shard: int, *targets: str) -> None:
    save_transfers(records, source, shard, dict.fromkeys(targets, PREDICTIONS[shard]), {})


def classify(records: Records, name: str, shard: int) -> None:
    save_clean(records, name, shard, PREDICTIONS[shard], np.zeros((len(PREDICTIONS[shard]), 2)))


def missing_clean(records: Records) -> list[tuple[str, int]]:
    return [(task.subject, task.shard) for task in Clean().missing(records, sources=records.names)]


def missing_attacks(records: Records, *sources: str) -> list[tuple[str, int, tuple[str, ...], tuple[str, ...]]]:
    tasks = TRANSFER.missing(records, sources=sources or records.names)
    return [(task.subject, task.shard, task.objects, task.controls) for task in tasks]


@pytest.fixture
def records() -> Iterator[Records]:
    """Two classifiers of one transform; five images in two shards."""
    definition = Definition(images="", image_digest="", class_names="x\ny", attack="{}", seed=0, shard_size=3)
    with Records.in_memory(definition, IDS, np.zeros(5, dtype=np.int64)) as opened:
        opened.add_classifier(classifier("a"), is_admitted=True)
        opened.add_classifier(classifier("b"), is_admitted=True)
        yield opened


def test_at_first_every_classifier_is_missing_on_every_shard(records: Records) -> None:
    assert missing_clean(records) == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]
    assert missing_attacks(records) == [(name, shard, ("a", "b"), ()) for shard in (0, 1) for name in ("a", "b")]


def test_what_is_in_the_record_is_not_measured_again(records: Records) -> None:
    classify(records, "a", 1)
    assert missing_clean(records) == [("a", 0), ("b", 0), ("b", 1)]
    done(records, "a", 0, "a", "b")
    assert [task[:2] for task in missing_attacks(records)] == [("b", 0), ("a", 1), ("b", 1)]


def test_only_sources_are_attacked(records: Records) -> None:
    assert missing_attacks(records, "b") == [("b", 0, ("a", "b"), ()), ("b", 1, ("a", "b"), ())]


def test_a_new_classifier_is_tested_on_the_old_and_attacked_for_all(records: Records) -> None:
    for shard in (0, 1):
        for source in ("a", "b"):
            done(records, source, shard, "a", "b")
    assert missing_attacks(records) == []
    records.add_classifier(classifier("c"), is_admitted=True)
    assert [(task[0], task[2]) for task in missing_attacks(records) if task[1] == 0] == [
        ("a", ("c",)),
        ("b", ("c",)),
        ("c", ("a", "b", "c")),
    ]


def test_a_control_is_measured_once_per_source_transform_target_and_shard(records: Records) -> None:
    records.add_classifier(classifier("c", "large"), is_admitted=True)
    assert [(shard, source, controls) for source, shard, _, controls in missing_attacks(records)] == [
        (0, "a", ("c",)),
        (0, "b", ()),
        (0, "c", ("a", "b")),
        (1, "a", ("c",)),
        (1, "b", ()),
        (1, "c", ("a", "b")),
    ]


def test_a_control_in_the_record_is_not_measured_again(records: Records) -> None:
    records.add_classifier(classifier("c", "large"), is_admitted=True)
    save_transfers(records, "a", 0, dict.fromkeys("abc", PREDICTIONS[0]), {("small", "c"): PREDICTIONS[0]})
    assert [controls for _, shard, _, controls in missing_attacks(records) if shard == 0] == [(), ("a", "b")]


def test_logits_and_controls_that_were_forgotten_are_measured_again(records: Records) -> None:
    records.add_classifier(classifier("c", "large"), is_admitted=True)
    for shard in (0, 1):
        for name in "abc":
            classify(records, name, shard)
            controls = [("small", "c")] if name != "c" else [("large", "a"), ("large", "b")]
            here = PREDICTIONS[shard]
            save_transfers(records, name, shard, dict.fromkeys("abc", here), dict.fromkeys(controls, here))
    assert (missing_clean(records), missing_attacks(records)) == ([], [])
    damage = "UPDATE arrays SET bytes = x'00' WHERE part = 1 AND series_id IN (SELECT id FROM series WHERE kind IN (?, ?))"
    records._connection.execute(damage, ("logits", "control"))  # noqa: SLF001  (what else damages a record in memory?)
    assert len(records.check()) == 6
    assert records.forget(records.check()) == []
    assert missing_clean(records) == [("a", 1), ("b", 1), ("c", 1)]
    assert missing_attacks(records) == [("a", 1, (), ("c",)), ("c", 1, (), ("a", "b"))]
