"""The simulation of many GPUs gives what can be computed otherwise."""

import runpy
from pathlib import Path
from typing import Any

import pytest

BENCHMARK: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks/scaling.py"))
FREE = {"start": 0.0, "write": 0.0, "notice": 0.0, "replace": 0.0}


def make_job(costs: dict[str, float], **options: Any) -> Any:  # noqa: ANN401  (a benchmark has no types here)
    return BENCHMARK["Job"](forward=costs, num_bytes=dict.fromkeys(costs, 8.0), num_images=80, shard_size=10, **{**FREE, **options})


def test_one_gpu_takes_the_time_of_all_passes_and_of_reading_each_network_once() -> None:
    costs = {"a": 1.0, "b": 2.0}
    seconds, lost = BENCHMARK["simulate"](make_job(costs, iterations=2, read=4.0, copy=8.0), gpus=1)
    clean, attacks = 80 * 3.0, 80 * 0.8 * 2 * 3 * 3.0
    tests = 2 * 80 * 0.8 * 0.8 * 3.0
    assert (seconds, lost) == (pytest.approx(clean + attacks + tests + 2 * (8 / 4 + 8 / 8)), 0)


def test_equal_units_are_shared_evenly() -> None:
    job = make_job(dict.fromkeys("abcd", 1.0), read=1e12, copy=1e12)
    one, four = (BENCHMARK["simulate"](job, gpus=gpus)[0] for gpus in (1, 4))
    assert four == pytest.approx(one / 4)
    assert BENCHMARK["simulate_parts"](job, parts=4) == pytest.approx(one / 4)


def test_the_driver_writes_one_unit_after_the_other() -> None:
    job = make_job(dict.fromkeys("abcd", 1e-9), write=0.5)
    assert BENCHMARK["simulate"](job, gpus=32)[0] == pytest.approx(2 * 4 * 8 * 0.5, rel=0.02)


def test_units_of_nodes_that_die_are_done_elsewhere() -> None:
    job = make_job(dict.fromkeys("abcd", 1.0))
    (alive, _), (dying, lost) = (BENCHMARK["simulate"](job, gpus=16, dead_nodes=share) for share in (0, 0.5))
    assert 0 < lost <= 8
    assert alive < dying < 2 * alive
