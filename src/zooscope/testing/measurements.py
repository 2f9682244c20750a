"""What every measurement promises: tasks for what a record lacks, and equal arrays for equal tasks."""

import pickle
from pathlib import Path

import pytest
import torch

from zooscope.attacks import LinfPGD
from zooscope.measurements import Measurement, Result, Task
from zooscope.records.entries import DATABASE
from zooscope.records.records import Records
from zooscope.study.study import Study
from zooscope.testing.specimens import StoppedError, family


class MeasurementContract:
    """Tests of a measurement that `Study.run(also=...)` is asked for; derive from it and give the measurement as a fixture.

    Example:
        >>> import pytest
        >>> from zooscope.measurements import Features
        >>> from zooscope.testing import MeasurementContract
        >>> class TestMine(MeasurementContract):
        ...     @pytest.fixture
        ...     def measurement(self):
        ...         return Features()
    """

    @pytest.fixture
    def measurement(self) -> Measurement:
        """The measurement."""
        raise NotImplementedError

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """Of a study of three small networks of two sizes, 20 images in three shards, with clean images and transfer measured."""
        with _make(tmp_path / "study") as study:
            study.run(device="cpu", allow_chance=True)
        return tmp_path / "study"

    def test_a_measurement_and_its_tasks_travel_between_processes(self, measurement: Measurement, folder: Path) -> None:
        with Records.open(folder / DATABASE) as records:
            tasks = measurement.missing(records, sources=records.names)
        assert tasks
        for task in tasks:
            again: Task = pickle.loads(pickle.dumps(task))  # noqa: S301  (our own bytes)
            assert again.measurement == measurement
            assert (again.subject, again.shard, again.objects) == (task.subject, task.shard, task.objects)

    def test_equal_tasks_give_equal_arrays_and_change_nothing_else(self, measurement: Measurement, folder: Path) -> None:
        with Records.open(folder / DATABASE) as records:
            tasks = measurement.missing(records, sources=records.names)
        with _make(folder) as study:
            shelf = study.shelf(device="cpu")
            before = torch.random.get_rng_state()
            forth = [measurement.measure(task, shelf) for task in tasks]
            back = [measurement.measure(task, shelf) for task in reversed(tasks)][::-1]
            assert torch.equal(torch.random.get_rng_state(), before)
        for first, second in zip(forth, back, strict=True):
            assert _get_bytes(first) == _get_bytes(second)

    def test_arrays_say_what_they_are_of(self, measurement: Measurement, folder: Path) -> None:
        with Records.open(folder / DATABASE) as records:
            tasks = measurement.missing(records, sources=records.names)
        with _make(folder) as study:
            shelf = study.shelf(device="cpu")
            for task in tasks:
                rows = measurement.measure(task, shelf).arrays
                assert {row.digest for row in rows if row.kind == measurement.kind} == {measurement.digest}
                assert {row.part for row in rows} == {task.shard}
                assert all(row.values.dtype.kind in "biuf" for row in rows)

    def test_nothing_is_missing_once_it_is_measured(self, measurement: Measurement, folder: Path) -> None:
        with _make(folder) as study:
            study.run(device="cpu", allow_chance=True, also=[measurement])
        with Records.open(folder / DATABASE) as records:
            assert measurement.missing(records, sources=records.names) == ()

    def test_stopped_and_run_again_equals_uninterrupted(self, measurement: Measurement, tmp_path: Path) -> None:
        def stop(_: object) -> None:
            told.append(1)
            if len(told) in {1, 11, 20}:
                raise StoppedError

        told: list[int] = []
        with _make(tmp_path / "whole") as study:
            study.run(device="cpu", allow_chance=True, also=[measurement])
        for _ in range(4):
            with _make(tmp_path / "stopped") as study:
                try:
                    study.run(device="cpu", allow_chance=True, also=[measurement], listen=stop)
                except StoppedError:
                    continue
        kept = [_read_arrays(tmp_path / name, measurement) for name in ("whole", "stopped")]
        assert kept[0]
        assert kept[0] == kept[1]


def _make(path: Path) -> Study:
    """The study, or the same one again."""
    classifiers, images = family(3, num_images=20, sizes=((6, 6), (9, 9)))
    if Study.exists(path):
        return Study.open(path, classifiers=classifiers, images=images)
    attack = LinfPGD(epsilon=0.03, step_size=0.01, iterations=2)
    return Study.create(path, classifiers=classifiers, images=images, attack=attack, shard_size=8)


def _get_bytes(result: Result) -> list[tuple[str, str, str, int, bytes]]:
    return [(row.kind, row.subject, row.object, row.part, row.values.tobytes()) for row in result.arrays]


def _read_arrays(path: Path, measurement: Measurement) -> dict[tuple[str, str, int], bytes]:
    with Records.open(path / DATABASE) as records:
        rows = records.arrays(measurement.kind, measurement.digest)
        return {(row.subject, row.object, row.part): row.values.tobytes() for row in rows}
