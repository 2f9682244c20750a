"""What every executor promises: the record of one process, byte for byte, whatever happens on the way."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from zooscope.attacks import LinfPGD
from zooscope.classifiers.classifier import Classifier
from zooscope.engine.executor import Executor
from zooscope.engine.shelf import Shelf
from zooscope.images.image_set import ImageSet
from zooscope.measurements import Clean, Task
from zooscope.records.entries import DATABASE
from zooscope.records.records import Records
from zooscope.study.study import Study
from zooscope.testing.specimens import StoppedError, family

Arrays = dict[tuple[str, str, str, int], bytes]
ATTACK: Final = LinfPGD(epsilon=0.03, step_size=0.01, iterations=4, random_start=True)
NUM_TASKS: Final = 18  # of the study below


class ExecutorContract:
    """Tests of an executor; derive from it and give what makes the executor as a fixture.

    Example:
        >>> import pytest
        >>> from zooscope.engine.executor import Serial
        >>> from zooscope.testing import ExecutorContract
        >>> class TestMine(ExecutorContract):
        ...     @pytest.fixture
        ...     def executor(self):
        ...         return Serial
    """

    @pytest.fixture
    def executor(self) -> Callable[[Shelf], Executor]:
        """What `Study.run(executor=...)` takes."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def expected(cls, tmp_path_factory: pytest.TempPathFactory) -> Arrays:
        """What one process measures."""
        path = tmp_path_factory.mktemp("serial")
        with make_study(path) as study:
            study.run(device="cpu", allow_chance=True)
        return read_arrays(path)

    def test_every_executor_gives_the_same_bytes(
        self, executor: Callable[[Shelf], Executor], expected: Arrays, tmp_path: Path
    ) -> None:
        with make_study(tmp_path) as study:
            study.run(device="cpu", allow_chance=True, executor=executor)
        assert read_arrays(tmp_path) == expected

    def test_a_classifier_that_is_added_is_tested_on_kept_attacks_and_the_bytes_are_the_same(
        self, executor: Callable[[Shelf], Executor], expected: Arrays, tmp_path: Path
    ) -> None:
        with make_study(tmp_path, without_last=True) as study:
            study.run(device="cpu", allow_chance=True, executor=executor)
            study.add(_make_family()[0][-1:])
            study.run(device="cpu", allow_chance=True, executor=executor)
        assert read_arrays(tmp_path) == expected

    @pytest.mark.parametrize("after", [1, 7, 12])
    def test_stopped_and_run_again_equals_uninterrupted(
        self, executor: Callable[[Shelf], Executor], after: int, expected: Arrays, tmp_path: Path
    ) -> None:
        told = []

        def stop(progress: object) -> None:
            told.append(progress)
            if len(told) == after:
                raise StoppedError

        with make_study(tmp_path) as study:
            with pytest.raises(StoppedError):
                study.run(device="cpu", allow_chance=True, executor=executor, listen=stop)
            kept = read_arrays(tmp_path)
            assert kept.items() < expected.items()
            study.run(device="cpu", allow_chance=True, executor=executor, listen=told.append)
        assert read_arrays(tmp_path) == expected
        assert len(told) == NUM_TASKS, "what was kept is not measured again"

    def test_a_task_may_be_measured_twice(self, executor: Callable[[Shelf], Executor], tmp_path: Path) -> None:
        with make_study(tmp_path) as study:
            task = Task(measurement=Clean(), subject="relative 0", shard=1)
            (_, first), (_, second) = executor(study.shelf(device="cpu")).results([task, task])
        for one, other in zip(first.arrays, second.arrays, strict=True):
            np.testing.assert_array_equal(one.values, other.values)

    def test_without_tasks_there_are_no_results(self, executor: Callable[[Shelf], Executor], tmp_path: Path) -> None:
        with make_study(tmp_path) as study:
            assert list(executor(study.shelf(device="cpu")).results([])) == []


def make_study(path: Path, *, without_last: bool = False) -> Study:
    """A study of three small networks of two sizes, 20 images in three shards; nothing is measured.

    Args:
        path: its folder.
        without_last: whether the third network is left out.
    """
    classifiers, images = _make_family()
    chosen = classifiers[:-1] if without_last else classifiers
    return Study.create(path, classifiers=chosen, images=images, attack=ATTACK, shard_size=8)


def _make_family() -> tuple[list[Classifier], ImageSet]:
    return family(3, num_images=20, sizes=((6, 6), (9, 9)))


def read_arrays(path: Path) -> Arrays:
    """What a study measured, by kind, subject, object and shard."""
    with Records.open(path / DATABASE) as records:
        return {
            (row.kind, row.subject, row.object, row.part): row.values.tobytes()
            for kind in ("clean", "logits", "transfer", "control")
            for row in records.arrays(kind)
        }
