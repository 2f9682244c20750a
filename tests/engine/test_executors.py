"""What every executor promises; a new one is a row in `EXECUTORS`."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec

import pytest

from zooscope.engine.executor import Executor, Serial, measure
from zooscope.engine.ray_cluster import RayCluster
from zooscope.engine.shelf import Shelf
from zooscope.measurements import Result, Task
from zooscope.testing import ExecutorContract


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
ROWS = [pytest.param(one, id=name, marks=[needs_ray, pytest.mark.slow] if name == "ray" else []) for name, one in EXECUTORS.items()]


@pytest.fixture(scope="module", autouse=True)
def _end_ray() -> Iterator[None]:
    yield
    if connect.cache_info().currsize:
        connect().close()
        connect.cache_clear()


class TestEveryExecutor(ExecutorContract):
    @pytest.fixture(params=ROWS)
    def executor(self, request: pytest.FixtureRequest) -> Callable[[Shelf], Executor]:
        executor: Callable[[Shelf], Executor] = request.param
        return executor
