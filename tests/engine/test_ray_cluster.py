"""Measured by a Ray that lives in this process: what dies is done again, and the record is that of one process.

`tests/engine/test_ray.py` has the real one.
"""

import random
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.engine.fake_ray import FakeRay
from tests.specimens import classifier_of, family
from zooscope.attacks import Attacked, LinfPGD
from zooscope.classifiers.classifier import Classifier
from zooscope.engine import executor, ray_cluster, ray_worker
from zooscope.engine.executor import Serial
from zooscope.engine.ray_cluster import RayCluster, count_places
from zooscope.engine.ray_worker import Machine
from zooscope.engine.shelf import Shelf
from zooscope.errors import (
    ClassifierError,
    DamagedAttackWarning,
    ImagesError,
    InvalidValueError,
    LeftOutWarning,
    MissingExtraError,
    NotFiniteError,
    StudyError,
    ZooscopeWarning,
)
from zooscope.images.load import load_images
from zooscope.images.sending import SentImages
from zooscope.measurements import Result, Task
from zooscope.study.study import Study
from zooscope.testing.executors import ATTACK, Arrays, make_study, read_arrays

UseRay = Callable[..., FakeRay]


@pytest.fixture
def use_ray(monkeypatch: pytest.MonkeyPatch) -> Iterator[UseRay]:
    """Puts a Ray of this process in place of the library; its workers leave the process as they found it."""
    fakes, threads = list[FakeRay](), torch.get_num_threads()

    def use(**options: Any) -> FakeRay:  # noqa: ANN401  (its options)
        fakes.append(FakeRay(**options))
        monkeypatch.setattr(ray_cluster, "import_module", lambda _: fakes[-1])
        return fakes[-1]

    yield use
    for worker in (worker for fake in fakes for worker in fake.workers):
        worker.close()
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Arrays:
    path = tmp_path_factory.mktemp("serial")
    with make_study(path) as study:
        study.run(device="cpu", allow_chance=True)
    return read_arrays(path)


def measure(folder: Path, **options: Any) -> None:  # noqa: ANN401  (of a cluster)
    with make_study(folder) as study, RayCluster(**options) as cluster:
        study.run(device="cpu", allow_chance=True, executor=cluster)


@pytest.mark.parametrize("seed", range(2))
def test_results_in_any_order_are_those_of_one_process(seed: int, use_ray: UseRay, expected: Arrays, tmp_path: Path) -> None:
    fake = use_ray(processors=3, seed=seed)
    measure(tmp_path)
    assert read_arrays(tmp_path) == expected
    assert (fake.started, fake.alive, fake.is_up) == (3, set(), False)
    assert {name: fake.options_given[name] for name in ("num_cpus", "num_gpus", "max_restarts")} == {
        "num_cpus": 1,
        "num_gpus": 0,
        "max_restarts": 0,
    }


@pytest.mark.parametrize("seed", range(2))
def test_whoever_dies_when_the_record_is_that_of_one_process(seed: int, use_ray: UseRay, expected: Arrays, tmp_path: Path) -> None:
    chance, losses = random.Random(seed), dict[tuple[str, str, int], int]()  # noqa: S311  (no secret)

    def doom(task: Task) -> bool:
        key = (task.measurement.kind, task.subject, task.shard)
        dies = losses.get(key, 0) < 2 and chance.random() < 0.3
        losses[key] = losses.get(key, 0) + dies
        return dies

    fake = use_ray(processors=3, seed=seed, doom=doom)
    measure(tmp_path)
    assert read_arrays(tmp_path) == expected
    assert fake.started == 3 + sum(losses.values()) > 5, "each that died was replaced"
    assert len(fake.given) == 18 + sum(losses.values())


def test_a_unit_that_kills_every_worker_is_named_and_the_rest_is_kept(use_ray: UseRay, expected: Arrays, tmp_path: Path) -> None:
    use_ray(doom=lambda task: task.measurement.kind == "transfer" and task.subject == "relative 1" and task.shard == 1)
    with pytest.raises(
        StudyError,
        match=r"^attack of relative 1, shard 2, was given to 3 workers, and each was gone before it was done "
        r"\(ActorDiedError: The actor died unexpectedly before finishing this task\); .* What is measured is kept\.$",
    ):
        measure(tmp_path)
    kept = read_arrays(tmp_path)
    assert len(kept) > 3 * 3 * 2
    use_ray()
    measure_again = RayCluster()
    classifiers, images = family(3, num_images=20, sizes=((6, 6), (9, 9)))
    with Study.open(tmp_path, classifiers=classifiers, images=images) as study:
        study.run(device="cpu", allow_chance=True, executor=measure_again)
    assert read_arrays(tmp_path) == expected


def test_workers_that_can_not_start_are_said(use_ray: UseRay, tmp_path: Path) -> None:
    use_ray(can_start=False)
    with pytest.raises(
        StudyError, match=r"workers of Ray can't be started \(ActorDiedError: .*\); is zooscope installed on all nodes"
    ):
        measure(tmp_path)


def test_where_no_worker_is_left_it_ends_after_a_while(use_ray: UseRay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = use_ray()
    monkeypatch.setattr(fake, "wait", lambda calls, **_: ([], calls))
    monkeypatch.setattr(ray_cluster, "PATIENCE", 0.0)
    with pytest.raises(StudyError, match="no worker of Ray is left, and none could be started for 0 seconds; start nodes and run"):
        measure(tmp_path)
    assert not fake.alive


class _Faulty(nn.Module):
    """Gives NaN where the clean images are bright."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.network(pixels)
        return torch.where(pixels.mean((1, 2, 3))[:, None] > 0.53, torch.nan, logits)


def test_an_error_of_a_classifier_is_that_of_one_process(use_ray: UseRay) -> None:
    use_ray()
    relatives, images = family(2, num_images=20)
    faulty = classifier_of("faulty", _Faulty(relatives[1].network), num_classes=3, size=(6, 6))
    told = []
    for chosen in (Serial, RayCluster()):
        with Study.in_memory(classifiers=[relatives[0], faulty], images=images, attack=ATTACK, shard_size=8) as study:
            with pytest.raises(ClassifierError, match="faulty gives NaN or infinite logits on clean image") as caught:
                study.run(device="cpu", executor=chosen)
            told.append((type(caught.value), str(caught.value), caught.value.refused, study.refused))
    assert told[0] == told[1]
    assert told[0][0] is NotFiniteError


def test_an_error_that_is_not_zooscopes_own_comes_through_as_it_is(
    use_ray: UseRay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_ray()

    def fail(*_: object) -> None:
        msg = "an illegal memory access was encountered"
        raise RuntimeError(msg)

    monkeypatch.setattr(ray_worker, "measure", fail)
    with pytest.raises(RuntimeError, match="an illegal memory access"):
        measure(tmp_path)


def test_a_warning_comes_through(use_ray: UseRay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_ray()

    def warn(task: Task, shelf: Shelf) -> Result:
        warnings.warn("it has no final layer.", LeftOutWarning, stacklevel=1)
        return executor.measure(task, shelf)

    monkeypatch.setattr(ray_worker, "measure", warn)
    with pytest.warns(LeftOutWarning, match="it has no final layer"):
        measure(tmp_path)


# Attacked images that are kept


@pytest.fixture
def attacks(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many images are attacked through each source; workers are in this process."""
    count, perturb = Counter[str](), LinfPGD.perturb

    def spy(attack: LinfPGD, classifier: Classifier, pixels: Tensor, *arguments: Any) -> Attacked:  # noqa: ANN401  (passed on)
        count[classifier.name] += len(pixels)
        return perturb(attack, classifier, pixels, *arguments)

    monkeypatch.setattr(LinfPGD, "perturb", spy)
    return count


def measure_in_steps(folder: Path, *, first: Any, then: Any, **how: Any) -> None:  # noqa: ANN401  (executors, settings)
    """Measures a study without its last classifier, then with it."""
    classifiers, images = family(3, num_images=20, sizes=((6, 6), (9, 9)))
    with Study.create(folder, classifiers=classifiers[:-1], images=images, attack=ATTACK, shard_size=8) as study:
        study.run(device="cpu", allow_chance=True, executor=first, **how)
        study.add(classifiers[-1:])
        study.run(device="cpu", allow_chance=True, executor=then, **how)


def name_files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (folder / "cache").iterdir()}


@pytest.mark.parametrize("order", ["Ray keeps for one process", "one process keeps for Ray", "Ray keeps for Ray"])
def test_what_is_kept_is_used_and_nothing_is_attacked_twice(
    order: str, use_ray: UseRay, expected: Arrays, attacks: Counter[str], tmp_path: Path
) -> None:
    use_ray(seed=1)
    measure_in_steps(tmp_path / "one process", first=Serial, then=Serial)
    once = attacks.copy()
    attacks.clear()
    kinds = {"Ray": RayCluster(), "one process": Serial}
    first, then = order.split(" keeps for ")
    measure_in_steps(tmp_path / "study", first=kinds[first], then=kinds[then])
    assert read_arrays(tmp_path / "study") == expected
    assert attacks == once
    assert len(once) == 3
    assert name_files(tmp_path / "study") == name_files(tmp_path / "one process")


def test_nothing_travels_where_nothing_is_kept(use_ray: UseRay, expected: Arrays, attacks: Counter[str], tmp_path: Path) -> None:
    fake = use_ray()
    measure(tmp_path / "once")
    once, given = attacks.copy(), len(fake.given)
    cluster = RayCluster()
    measure_in_steps(tmp_path / "study", first=cluster, then=cluster, cache_limit=0)
    assert read_arrays(tmp_path / "study") == expected
    assert attacks - once == {name: count * (1 if name == "relative 2" else 2) for name, count in once.items()}
    assert not (tmp_path / "study" / "cache").exists()
    assert {kept for _, kept in fake.given[given:]} == {None}


def test_damaged_ones_are_made_again_where_the_task_is(
    use_ray: UseRay, expected: Arrays, attacks: Counter[str], tmp_path: Path
) -> None:
    use_ray()
    classifiers, images = family(3, num_images=20, sizes=((6, 6), (9, 9)))
    with Study.create(tmp_path, classifiers=classifiers[:-1], images=images, attack=ATTACK, shard_size=8) as study:
        cluster = RayCluster()
        study.run(device="cpu", allow_chance=True, executor=cluster)
        files, before = name_files(tmp_path), attacks.copy()
        name = min(files)
        (tmp_path / "cache" / name).write_bytes(files[name][:-1] + bytes([files[name][-1] ^ 1]))
        study.add(classifiers[-1:])
        with pytest.warns(DamagedAttackWarning, match="is damaged: its images are attacked again"):
            study.run(device="cpu", allow_chance=True, executor=cluster)
    assert read_arrays(tmp_path) == expected
    assert name_files(tmp_path).items() > files.items()
    again = attacks - before
    assert len(again) == 2, "the new classifier, and the one whose images were damaged"


def test_what_is_made_is_kept_although_another_task_fails(use_ray: UseRay, tmp_path: Path) -> None:
    use_ray(processors=1, doom=lambda task: task.measurement.kind == "transfer" and task.shard == 1)
    with pytest.raises(StudyError, match="was given to 3 workers"):
        measure(tmp_path)
    assert len(list((tmp_path / "cache").iterdir())) == 3


# Who gets a worker


def test_a_worker_has_a_gpu_where_there_are_some(use_ray: UseRay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = use_ray(processors=8, gpus=2)
    seen = []
    monkeypatch.setattr(ray_cluster, "_RayExecutor", lambda _ray, _shelf, **given: seen.append(given))
    with make_study(tmp_path) as study:
        for device in ("auto", "cuda", "cpu"):
            RayCluster(device=device)(study.shelf(device="cpu"))
        fake.resources = {"CPU": 8}
        RayCluster()(study.shelf(device="cpu"))
    gpus, processors = {"workers": 2, "device": "cuda", "gpus": 1.0}, {"workers": 8, "device": "cpu", "gpus": 0.0}
    assert seen == [gpus, gpus, processors, processors]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"workers": 3}, "3 workers take 3 processors with a processor each, and the cluster has 2; ask for fewer, or start more"),
        ({"device": "cuda"}, "1 workers take 1 GPUs with a processor each, and the cluster has 0"),
    ],
)
def test_a_cluster_that_is_too_small_is_refused_before_anything_starts(
    options: dict[str, Any], sentence: str, use_ray: UseRay, tmp_path: Path
) -> None:
    fake = use_ray()
    with pytest.raises(StudyError, match=sentence):
        measure(tmp_path, **options)
    assert fake.started == 0


def test_places_are_counted_node_by_node() -> None:
    nodes = [
        {"Alive": True, "Resources": {"CPU": 1.0, "GPU": 8.0}},
        {"Alive": True, "Resources": {"CPU": 8.0}},
        {"Alive": False, "Resources": {"CPU": 8.0, "GPU": 8.0}},
    ]
    assert (count_places(nodes, gpus=1), count_places(nodes, gpus=0), count_places(nodes, gpus=0.5)) == (1, 9, 1)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"workers": 0}, "workers must be at least 1: got 0"),
        ({"device": "cuda:1"}, "name the device auto, cpu or cuda: got 'cuda:1'"),
    ],
)
def test_options_that_can_not_be_used_are_refused(options: dict[str, Any], sentence: str, use_ray: UseRay) -> None:
    use_ray()
    with pytest.raises(InvalidValueError, match=sentence):
        RayCluster(**options)


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise ImportError

    monkeypatch.setattr(ray_cluster, "import_module", fail)
    with pytest.raises(
        MissingExtraError, match=r"the executor `ray` needs libraries that are not installed: `pip install 'zooscope\[ray\]'`"
    ):
        RayCluster()


def test_where_there_is_no_cluster_it_is_said(use_ray: UseRay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = use_ray()

    def fail(**_: object) -> None:
        msg = "Could not find any running Ray instance. Please specify one."
        raise ConnectionError(msg)

    monkeypatch.setattr(fake, "init", fail)
    with pytest.raises(StudyError, match=r"there is no Ray cluster at 10\.0\.0\.1:6379 \(Could not find any running Ray instance"):
        measure(tmp_path, address="10.0.0.1:6379")


def test_workers_of_another_version_are_refused_and_of_several_kinds_told(
    use_ray: UseRay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machines = iter([Machine("0.1.0", "2.13.0", "cpu with AVX2"), Machine("0.1.0", "2.13.0", "cpu with AVX512")])
    use_ray()
    monkeypatch.setattr(ray_worker.Worker, "describe", lambda _: next(machines))
    with pytest.warns(ZooscopeWarning, match=r"workers differ \(torch 2\.13\.0, cpu with AVX2; torch 2\.13\.0, cpu with AVX512\)"):
        measure(tmp_path / "one")
    monkeypatch.setattr(ray_worker.Worker, "describe", lambda _: Machine("9.9.9", "2.13.0", "cpu"))
    with pytest.raises(StudyError, match=r"a worker of Ray has zooscope 9\.9\.9, and this is .*; install one version"):
        measure(tmp_path / "other")


# What is sent


def test_images_are_sent_by_address_or_whole() -> None:
    images = load_images("bundled:cifar10").sample(20)
    sent = SentImages.pack(images)
    assert sent.whole is None
    assert sent.unpack().digest == images.digest
    _, by_hand = family(1)
    assert SentImages.pack(by_hand).unpack() is by_hand


def test_images_that_differ_where_they_arrive_are_refused(image_folder: Path) -> None:
    sent = SentImages.pack(load_images(f"folder:{image_folder}"))
    (image_folder / "cat" / "0.png").write_bytes((image_folder / "dog" / "0.png").read_bytes())
    with pytest.raises(ImagesError, match="are not the same on every machine; put the same files there, or share the folder"):
        sent.unpack()
