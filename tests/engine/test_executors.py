"""What every executor promises; a new one is a row in `EXECUTORS`."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tests.specimens import family
from zooscope.attacks import LinfPGD
from zooscope.engine.executor import Executor, Serial, measure
from zooscope.engine.ray_cluster import RayCluster
from zooscope.engine.shelf import Shelf
from zooscope.measurements import Clean, Result, Task
from zooscope.records.records import Records
from zooscope.study.study import Study

ATTACK = LinfPGD(epsilon=0.03, step_size=0.01, iterations=4, random_start=True)
Arrays = dict[tuple[str, str, str, int], bytes]


class Reversed:
    """From outside the package: the last task first."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def results(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Result]]:
        for task in reversed(tasks):
            yield task, measure(task, self.shelf)


class Remote:
    """From outside the package: tasks and results travel as bytes, as between machines; another thread computes."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def results(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Result]]:
        with ThreadPoolExecutor(1) as pool:
            for task, result in zip(tasks, pool.map(self._measure, map(pickle.dumps, tasks)), strict=True):
                yield task, pickle.loads(result)  # noqa: S301  (our own bytes)

    def _measure(self, task: bytes) -> bytes:
        return pickle.dumps(measure(pickle.loads(task), self.shelf))  # noqa: S301  (our own bytes)


@cache
def connect() -> RayCluster:
    """A real Ray of two workers, started once."""
    return RayCluster(workers=2)


def measure_by_ray(shelf: Shelf) -> Executor:
    return connect()(shelf)


EXECUTORS: dict[str, Callable[[Shelf], Executor]] = {
    "serial": Serial,
    "reversed": Reversed,
    "remote": Remote,
    "ray": measure_by_ray,
}
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'zooscope[ray]'")
every_executor = pytest.mark.parametrize(
    "executor",
    [pytest.param(one, id=name, marks=[needs_ray, pytest.mark.slow] if name == "ray" else []) for name, one in EXECUTORS.items()],
)


@pytest.fixture(scope="module", autouse=True)
def _end_ray() -> Iterator[None]:
    yield
    if connect.cache_info().currsize:
        connect().close()
        connect.cache_clear()


def make(path: Path) -> Study:
    classifiers, images = family(3, num_images=20, sizes=((6, 6), (9, 9)))
    return Study.create(path, classifiers=classifiers, images=images, attack=ATTACK, shard_size=8)


def arrays(path: Path) -> Arrays:
    with Records.open(path / "study.db") as records:
        return {
            (row.kind, row.subject, row.object, row.part): row.values.tobytes()
            for kind in ("clean", "logits", "transfer", "control")
            for row in records.arrays(kind)
        }


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Arrays:
    path = tmp_path_factory.mktemp("serial")
    with make(path) as study:
        study.run(device="cpu", allow_chance=True)
    return arrays(path)


@every_executor
def test_every_executor_gives_the_same_bytes(executor: Callable[[Shelf], Executor], expected: Arrays, tmp_path: Path) -> None:
    with make(tmp_path) as study:
        study.run(device="cpu", allow_chance=True, executor=executor)
    assert arrays(tmp_path) == expected


class StoppedError(Exception):
    """A run ends here."""


@every_executor
@pytest.mark.parametrize("after", [1, 7, 12])
def test_stopped_and_run_again_equals_uninterrupted(
    executor: Callable[[Shelf], Executor], after: int, expected: Arrays, tmp_path: Path
) -> None:
    told = []

    def stop(progress: object) -> None:
        told.append(progress)
        if len(told) == after:
            raise StoppedError

    with make(tmp_path) as study:
        with pytest.raises(StoppedError):
            study.run(device="cpu", allow_chance=True, executor=executor, listen=stop)
        kept = arrays(tmp_path)
        assert kept.items() < expected.items()
        study.run(device="cpu", allow_chance=True, executor=executor, listen=told.append)
    assert arrays(tmp_path) == expected
    assert len(told) == 18, "what was kept is not measured again"


@every_executor
def test_a_task_may_be_measured_twice(executor: Callable[[Shelf], Executor], tmp_path: Path) -> None:
    with make(tmp_path) as study:
        task = Task(measurement=Clean(), subject="relative 0", shard=1)
        (_, first), (_, second) = executor(study.shelf(device="cpu")).results([task, task])
    for one, other in zip(first.arrays, second.arrays, strict=True):
        np.testing.assert_array_equal(one.values, other.values)


@every_executor
def test_without_tasks_there_are_no_results(executor: Callable[[Shelf], Executor], tmp_path: Path) -> None:
    with make(tmp_path) as study:
        assert list(executor(study.shelf(device="cpu")).results([])) == []
