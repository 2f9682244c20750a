from collections.abc import Iterator

import numpy as np
import pytest

from tests.records.written import DEFINITION, classifier
from zooscope.engine.admission import Admission
from zooscope.engine.chance import SIGNIFICANCE
from zooscope.measurements.base import Result, Task
from zooscope.measurements.clean import Clean
from zooscope.records.records import Records
from zooscope.records.rows import ArrayRow

NUM_CLASSES, SIZE, NUM_SHARDS = 10, 2, 20
LABELS = np.arange(SIZE * NUM_SHARDS) % NUM_CLASSES


@pytest.fixture
def records() -> Records:
    """A record of two classifiers that wait, and one of which something is measured."""
    ids = tuple(f"{number}.png" for number in range(len(LABELS)))
    records = Records.in_memory(DEFINITION, ids, LABELS)
    for name in ("new", "other"):
        records.add_classifier(classifier(name, num_classes=NUM_CLASSES))
    records.add_classifier(classifier("old", num_classes=NUM_CLASSES), is_admitted=True)
    return records


def results(name: str, said: np.ndarray) -> Iterator[tuple[Task, Result]]:
    for shard in range(NUM_SHARDS):
        values = said[shard * SIZE : (shard + 1) * SIZE].astype(np.int32)
        row = ArrayRow(kind="clean", subject=name, part=shard, values=values)
        yield Task(measurement=Clean(), subject=name, shard=shard), Result((row,))


def written(admission: Admission, name: str, said: np.ndarray) -> list[list[int]]:
    """The shards that can be written after each result."""
    return [[one.arrays[0].part for one in admission.admit(*given)] for given in results(name, said)]


def test_a_classifier_enters_with_the_first_shards_that_show_that_it_knows_the_images(records: Records) -> None:
    # All right answers to n images have the chance 10^-n; it must be 0.01 / 20 shards or less, so n = 4 is the first.
    assert pytest.approx(5e-4) == SIGNIFICANCE / NUM_SHARDS
    admission = Admission(records, allow_chance=False)
    assert written(admission, "new", LABELS) == [[], [0, 1], *([shard] for shard in range(2, NUM_SHARDS))]
    assert not admission.guessers


def test_of_a_guesser_nothing_can_be_written(records: Records) -> None:
    admission = Admission(records, allow_chance=False)
    assert written(admission, "new", LABELS[::-1]) == [[]] * NUM_SHARDS
    assert written(admission, "other", LABELS)[-1] == [NUM_SHARDS - 1]
    num_right = (LABELS[::-1] == LABELS).sum()
    assert list(admission.guessers) == ["new"]
    assert admission.guessers["new"].startswith(f"new gets {num_right} of 40 clean images right: chance level")


def test_where_chance_is_allowed_and_of_classifiers_of_the_record_every_result_is_written_at_once(records: Records) -> None:
    everything = [[shard] for shard in range(NUM_SHARDS)]
    assert written(Admission(records, allow_chance=True), "new", LABELS[::-1]) == everything
    assert written(Admission(records, allow_chance=False), "old", LABELS[::-1]) == everything


def test_the_many_tests_of_a_classifier_let_guessers_in_as_seldom_as_one_test_would(records: Records) -> None:
    generator, num_guessers, admitted = np.random.default_rng(0), 300, 0
    for _ in range(num_guessers):
        admission = Admission(records, allow_chance=False)
        admitted += any(written(admission, "new", generator.integers(0, NUM_CLASSES, len(LABELS))))
    # Each shard's test and the last over all images: at most twice the significance; seen more than 5 % of times once in a million.
    assert admitted / num_guessers < 0.05
