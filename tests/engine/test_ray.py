"""Measured by Ray itself, on a cluster of several nodes on this machine: nodes and processes die, and the record is the same."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calling import ROOT, SMALL
from tests.engine.mortal import make_mortal
from tests.specimens import family
from zooscope.attacks import LinfPGD
from zooscope.classifiers.classifier import Classifier
from zooscope.engine.ray_cluster import RayCluster
from zooscope.images.image_set import ImageSet
from zooscope.study.study import Study
from zooscope.testing.executors import Arrays, read_arrays

cluster_utils = pytest.importorskip("ray.cluster_utils", reason="Ray is not installed: pip install 'zooscope[ray]'")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")]

ATTACK = LinfPGD(epsilon=0.03, step_size=0.01, iterations=60, random_start=True)
NODE = {"num_cpus": 1, "object_store_memory": 100 * 2**20}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head that computes nothing; tests add nodes."""
    made = cluster_utils.Cluster(initialize_head=True, head_node_args={**NODE, "num_cpus": 0, "include_dashboard": False})
    yield made
    made.shutdown()


@pytest.fixture
def nodes(cluster: Any) -> Iterator[list[Any]]:  # noqa: ANN401  (Ray's)
    """Two nodes of one processor."""
    made = [cluster.add_node(**NODE) for _ in range(2)]
    cluster.wait_for_nodes()
    yield made
    for node in made:
        with suppress(Exception):
            cluster.remove_node(node)


def make_classifiers(orders: Path) -> tuple[list[Classifier], ImageSet]:
    orders.mkdir(exist_ok=True)
    relatives, images = family(3, num_images=40, sizes=((6, 6), (9, 9)))
    return [make_mortal(one, orders) for one in relatives], images


def make(folder: Path, orders: Path) -> Study:
    classifiers, images = make_classifiers(orders)
    return Study.create(folder, classifiers=classifiers, images=images, attack=ATTACK, shard_size=8)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Arrays:
    folder = tmp_path_factory.mktemp("serial")
    with make(folder / "study", folder / "orders") as study:
        study.run(device="cpu", allow_chance=True)
    return read_arrays(folder / "study")


@pytest.mark.parametrize("seed", range(2))
def test_nodes_and_processes_killed_at_random_moments_change_nothing(
    seed: int,
    cluster: Any,  # noqa: ANN401  (Ray's)
    nodes: list[Any],
    expected: Arrays,
    tmp_path: Path,
) -> None:
    chance, told = random.Random(seed), list[object]()  # noqa: S311  (no secret)
    kills_node, kills_process = chance.sample(range(3, 25), 2)

    def listen(progress: object) -> None:
        told.append(progress)
        if len(told) == kills_node:
            cluster.remove_node(nodes.pop(chance.randrange(2)), allow_graceful=False)
            nodes.append(cluster.add_node(**NODE))
        if len(told) == kills_process:
            (tmp_path / "orders" / "kill-one").touch()

    with make(tmp_path / "study", tmp_path / "orders") as study, RayCluster(cluster.address) as ray:
        study.run(device="cpu", allow_chance=True, executor=ray, listen=listen)
    assert read_arrays(tmp_path / "study") == expected
    assert len(told) == 2 * 3 * 5
    workers = list((tmp_path / "orders").glob("worker-*"))
    assert len(workers) >= 2
    assert not list((tmp_path / "orders").glob("kill-*"))


def test_every_worker_has_a_gpu_of_its_own(cluster: Any, expected: Arrays, tmp_path: Path) -> None:  # noqa: ANN401  (Ray's)
    node = cluster.add_node(**{**NODE, "num_cpus": 2, "num_gpus": 2})
    cluster.wait_for_nodes()
    with make(tmp_path / "study", tmp_path / "orders") as study, RayCluster(cluster.address, device="cpu", gpus=1) as ray:
        study.run(device="cpu", allow_chance=True, executor=ray)
    cluster.remove_node(node)
    assert read_arrays(tmp_path / "study") == expected
    assert sorted(file.read_text() for file in (tmp_path / "orders").glob("worker-*")) == ["0", "1"]


@pytest.mark.usefixtures("nodes")
def test_workers_use_what_one_process_keeps_and_it_keeps_what_they_make(
    cluster: Any,  # noqa: ANN401  (Ray's)
    expected: Arrays,
    tmp_path: Path,
) -> None:
    classifiers, images = make_classifiers(tmp_path / "orders")
    path = tmp_path / "study"
    with Study.create(path, classifiers=classifiers[:-1], images=images, attack=ATTACK, shard_size=8) as study:
        study.run(device="cpu", allow_chance=True)
        kept = {file.name: file.read_bytes() for file in (path / "cache").iterdir()}
        study.add(classifiers[-1:])
        with RayCluster(cluster.address) as ray:
            study.run(device="cpu", allow_chance=True, executor=ray)
    assert read_arrays(path) == expected
    passes = {file.name: len(file.read_text()) for file in (tmp_path / "orders").glob("attacked-*")}
    looks = 4  # each worker looks once at what it prepares
    assert [name for name, count in passes.items() if count > looks] == ["attacked-relative 2"]
    after = {file.name: file.read_bytes() for file in (path / "cache").iterdir()}
    assert (len(kept), len(after), after.items() > kept.items()) == (2 * 5, 3 * 5, True)


def count_units(folder: Path) -> int:
    if not (folder / "study.db").exists():
        return 0
    with closing(sqlite3.connect(folder / "study.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM arrays").fetchone()[0])


def test_a_driver_that_is_killed_leaves_a_record_to_go_on_with(tmp_path: Path) -> None:
    words = [*SMALL, "--shard-size", "4", "--device", "cpu"]
    program = [sys.executable, "-m", "zooscope", "measure"]
    options: dict[str, Any] = {"cwd": ROOT, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    driver = subprocess.Popen([*program, tmp_path / "study", *words, "--executor", "ray", "--workers", "2"], **options)
    while count_units(tmp_path / "study") == 0 and driver.poll() is None:
        time.sleep(0.01)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    assert 0 < count_units(tmp_path / "study") < 2 * 2 * 5 + 2 * 2 * 5
    for folder in ("study", "serial"):
        subprocess.run([*program, tmp_path / folder, *words], check=True, **options)
    assert read_arrays(tmp_path / "study") == read_arrays(tmp_path / "serial")
