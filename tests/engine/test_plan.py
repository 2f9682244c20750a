from collections.abc import Iterator

import numpy as np
import pytest

from zooscope.engine.plan import AttackUnit, CleanUnit, missing_attacks, missing_clean
from zooscope.records.entries import ClassifierRecord, Definition
from zooscope.records.records import Records

IDS = ("1", "2", "3", "4", "5")
PREDICTIONS = {0: np.zeros(3, dtype=np.int32), 1: np.zeros(2, dtype=np.int32)}


def classifier(name: str, transform: str = "small") -> ClassifierRecord:
    return ClassifierRecord(
        name=name, address=None, architecture="", num_classes=2, weights=name, transform=transform, mean="", std=""
    )


def done(records: Records, source: str, shard: int, *targets: str) -> None:
    records.save_transfers(source, shard, dict.fromkeys(targets, PREDICTIONS[shard]), {})


@pytest.fixture
def records() -> Iterator[Records]:
    """Two classifiers alike in size; five images in two shards."""
    definition = Definition(images="", image_digest="", class_names="x\ny", attack="{}", seed=0, shard_size=3)
    with Records.in_memory(definition, IDS, np.zeros(5, dtype=np.int64)) as opened:
        opened.add_classifier(classifier("a"))
        opened.add_classifier(classifier("b"))
        yield opened


def test_at_first_every_classifier_is_missing_on_every_shard(records: Records) -> None:
    assert missing_clean(records) == tuple(CleanUnit(classifier=name, shard=shard) for shard in (0, 1) for name in ("a", "b"))
    assert missing_attacks(records) == tuple(
        AttackUnit(source=name, shard=shard, targets=("a", "b"), controls=()) for shard in (0, 1) for name in ("a", "b")
    )


def test_what_is_in_the_record_is_not_planned_again(records: Records) -> None:
    records.save_clean("a", 1, PREDICTIONS[1], np.zeros((2, 2), dtype=np.float16))
    assert CleanUnit(classifier="a", shard=1) not in missing_clean(records)
    assert len(missing_clean(records)) == 3
    done(records, "a", 0, "a", "b")
    assert [(unit.source, unit.shard) for unit in missing_attacks(records)] == [("b", 0), ("a", 1), ("b", 1)]


def test_a_new_classifier_is_tested_on_the_old_and_attacked_for_all(records: Records) -> None:
    for shard in (0, 1):
        for source in ("a", "b"):
            done(records, source, shard, "a", "b")
    assert missing_attacks(records) == ()
    records.add_classifier(classifier("c"))
    assert [(unit.source, unit.targets) for unit in missing_attacks(records) if unit.shard == 0] == [
        ("a", ("c",)),
        ("b", ("c",)),
        ("c", ("a", "b", "c")),
    ]


def test_a_control_is_planned_once_per_way_target_and_shard(records: Records) -> None:
    records.add_classifier(classifier("c", "large"))
    planned = [(unit.shard, unit.source, unit.controls) for unit in missing_attacks(records)]
    assert planned == [
        (0, "a", ("c",)),
        (0, "b", ()),
        (0, "c", ("a", "b")),
        (1, "a", ("c",)),
        (1, "b", ()),
        (1, "c", ("a", "b")),
    ]


def test_a_control_in_the_record_is_not_planned_again(records: Records) -> None:
    records.add_classifier(classifier("c", "large"))
    records.save_transfers("a", 0, dict.fromkeys(("a", "b", "c"), PREDICTIONS[0]), {("small", "c"): PREDICTIONS[0]})
    assert [unit.controls for unit in missing_attacks(records) if unit.shard == 0] == [(), ("a", "b")]
