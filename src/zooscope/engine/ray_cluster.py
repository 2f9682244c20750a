"""Tasks measured by Ray: on all GPUs or processors of a machine, or of many. Needs the extra `ray`."""

import os
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final, final

from zooscope.engine.dealing import MOST_TRIES, Dealer
from zooscope.engine.ray_worker import Answer, Machine, Worker
from zooscope.engine.shelf import Shelf
from zooscope.errors import InvalidValueError, MissingExtraError, StudyError, ZooscopeWarning, first_line
from zooscope.images.sending import SentImages
from zooscope.kept.entries import Entry
from zooscope.kept.kept_attacks import KeptAttacks
from zooscope.measurements.base import Result, Task

PATIENCE: Final = 300.0  # seconds to wait for a worker when none is left
QUIET: Final = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}


@final
class RayCluster:
    """Where `Study.run(executor=...)` measures by Ray: here, or on a cluster that was started with `ray start`.

    One worker per GPU, or per processor where there are no GPUs, each with one thread. A worker loads classifiers and images
    itself, from their addresses: files must have the same paths on all machines. Classifiers and images made by hand are sent. Only
    this process writes. A context manager: leaving it ends the workers, and a Ray that it started.

    Example:
        study.run(executor=RayCluster(workers=2))
    """

    def __init__(
        self, address: str | None = None, *, workers: int | None = None, device: str = "auto", gpus: float | None = None
    ) -> None:
        """Connects to nothing yet.

        Args:
            address: of a cluster, as `ray.init` takes it; "auto" is the one that this machine belongs to. If left out, Ray is
                started on this machine alone, unless the variable RAY_ADDRESS is set.
            workers: how many; as many as there are GPUs, or processors.
            device: "cpu", "cuda", or "auto": GPUs where the cluster has some.
            gpus: of a worker; 1 where the device is a GPU, else 0.

        Raises:
            MissingExtraError: Ray is not installed.
            InvalidValueError: a number or the device can't be used.
        """
        if workers is not None and workers < 1:
            msg = f"workers must be at least 1: got {workers}."
            raise InvalidValueError(msg)
        if device not in {"auto", "cpu", "cuda"}:
            msg = f"Ray gives each worker its GPU; name the device auto, cpu or cuda: got {device!r}."
            raise InvalidValueError(msg)
        self._ray = _import_ray()
        self._address, self._workers, self._device, self._gpus = address, workers, device, gpus
        self._executor: _RayExecutor | None = None
        self._started = False

    def __enter__(self) -> "RayCluster":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the workers."""
        self.close()

    def __call__(self, shelf: Shelf) -> "_RayExecutor":
        """What measures with such shelves; ends the workers of the one before.

        Raises:
            StudyError: there is no cluster at the address, or it is too small.
        """
        self._connect()
        self._end_workers()
        device, gpus = self._choose_device()
        available = count_places(self._ray.nodes(), gpus=gpus)
        what = "GPUs" if gpus else "processors"
        if available < (self._workers or 1):
            msg = (
                f"{self._workers or 1} workers take {self._workers or 1} {what} with a processor each, and the cluster has "
                f"{available}; ask for fewer, or start more nodes first."
            )
            raise StudyError(msg)
        self._executor = _RayExecutor(self._ray, shelf, workers=self._workers or available, device=device, gpus=gpus)
        return self._executor

    def close(self) -> None:
        """Ends the workers, and Ray where it was started here."""
        self._end_workers()
        if self._started:
            self._ray.shutdown()
            self._started = False

    def _connect(self) -> None:
        if self._ray.is_initialized():
            return
        address = self._address or os.environ.get("RAY_ADDRESS") or "local"
        size = {"num_cpus": max(self._workers or 0, os.cpu_count() or 1)} if address == "local" else {}
        try:
            self._ray.init(address=address, **size, **QUIET)
        except (ConnectionError, ValueError, RuntimeError) as error:
            msg = f"there is no Ray cluster at {address} ({first_line(error)}); start one (`ray start --head`), or leave it out."
            raise StudyError(msg) from error
        self._started = True

    def _choose_device(self) -> tuple[str, float]:
        """What workers compute on, and their GPUs."""
        has_gpus = self._ray.cluster_resources().get("GPU", 0) > 0
        device = ("cuda" if has_gpus else "cpu") if self._device == "auto" else self._device
        return device, (1.0 if device == "cuda" else 0.0) if self._gpus is None else self._gpus

    def _end_workers(self) -> None:
        if self._executor is not None:
            self._executor.end()
            self._executor = None


@dataclass(kw_only=True, eq=False)
class _Member:
    """A worker, seen from the driver.

    Attributes:
        actor: Ray's handle.
        is_there: whether it has said where it runs.
        held: the classifiers on its device.
        index: of the task that it has.
    """

    actor: Any
    is_there: bool = False
    held: tuple[str, ...] = ()
    index: int | None = None


@final
class _RayExecutor:
    """Gives every worker one task at a time; a worker that is gone is replaced, and its task dealt again.

    Attacked images that are kept travel with the task that may ask for them; those that a worker makes come back with the result.
    """

    def __init__(self, ray: Any, shelf: Shelf, *, workers: int, device: str, gpus: float) -> None:  # noqa: ANN401  (the module)
        self._ray, self._device, self._bench = ray, device, shelf
        self._kept = shelf.kept if isinstance(shelf.kept, KeptAttacks) and shelf.kept.limit > 0 else None
        self._made = list[Entry]()
        packed = ray.cloudpickle.dumps({**shelf.ingredients, "images": SentImages.pack(shelf.images)})
        self._shelf = ray.put(packed)
        self._kind = ray.remote(Worker).options(num_cpus=1, num_gpus=gpus, max_restarts=0, scheduling_strategy="SPREAD")
        self._members = [self._start() for _ in range(workers)]
        self._calls: dict[Any, _Member] = {member.actor.describe.remote(): member for member in self._members}
        self._machines: set[Machine] = set()
        self._last_seen, self._stillborn = time.monotonic(), 0

    def results(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Result]]:
        """See `Executor.results`.

        Raises:
            StudyError: a task was lost three times, no worker is left, or none can be started.
        """
        dealer = Dealer(tasks)
        try:
            while not dealer.is_done:
                self._deal(dealer, tasks)
                done = list(self._collect(dealer))
                self._deal(dealer, tasks)  # no worker waits while these are written
                self._keep()
                for index, result in done:
                    yield tasks[index], result
        except BaseException:  # also where nobody asks for more: the next run needs the places
            self.end()
            self._keep()
            raise

    def end(self) -> None:
        """Ends all workers, whatever they do."""
        for member in self._members:
            self._kill(member)
        self._members, self._calls = [], {}

    def _start(self) -> _Member:
        return _Member(actor=self._kind.remote(self._shelf, self._device))

    def _deal(self, dealer: Dealer, tasks: Sequence[Task]) -> None:
        idle = [member for member in self._members if member.is_there and member.index is None]
        held = {name for member in self._members for name in member.held} if idle else set()
        held |= {tasks[member.index].subject for member in self._members if member.index is not None}
        for member in idle:
            member.index = dealer.deal(member.held, held)
            if member.index is not None:
                held.add(tasks[member.index].subject)
                task = tasks[member.index]
                self._calls[member.actor.measure.remote(task, self._find_kept(task))] = member

    def _find_kept(self, task: Task) -> tuple[Entry, ...] | None:
        """Attacked images that a task may ask for; Ray moves what is large through its object store, and drops it with the call."""
        return None if self._kept is None else self._kept.find_entries(task.measurement.name_kept(task, self._bench))

    def _keep(self) -> None:
        """Writes the attacked images that have come."""
        made, self._made = self._made, []
        for entry in made:
            if self._kept is not None:
                self._kept.keep_entry(entry)

    def _collect(self, dealer: Dealer) -> Iterator[tuple[int, Result]]:
        """The results that have come, each for the first time."""
        for call in self._wait():
            member = self._calls.pop(call)
            answer = self._take(call, member, dealer)
            if answer is None:
                continue
            index, member.index, member.held = member.index, None, answer.held
            self._made.extend(answer.made)
            for kind, text in answer.warnings:
                warnings.warn(text, kind, stacklevel=2)
            if answer.error is not None:
                raise answer.error
            if index is not None and answer.result is not None and dealer.finish(index):
                yield index, answer.result

    def _wait(self) -> list[Any]:
        """The calls that have ended; one at least, if one does within a second."""
        calls = list(self._calls)
        ready, _ = self._ray.wait(calls, num_returns=1, timeout=1.0)
        if ready:
            ready, _ = self._ray.wait(calls, num_returns=len(calls), timeout=0.0)
        if any(member.is_there for member in self._members):
            self._last_seen = time.monotonic()
        elif time.monotonic() - self._last_seen > PATIENCE:
            msg = f"no worker of Ray is left, and none could be started for {PATIENCE:.0f} seconds; start nodes and run again."
            raise StudyError(msg)
        return list(ready)

    def _take(self, call: Any, member: _Member, dealer: Dealer) -> Answer | None:  # noqa: ANN401  (Ray's reference)
        """What a call gave; None where it was no task, or the worker is gone."""
        errors = self._ray.exceptions
        try:
            given = self._ray.get(call)
        except errors.RayTaskError as error:  # a fault of ours or of a library, as in this process
            raise error.cause from error
        except errors.RayError as error:
            self._replace(member, dealer, reason=f"{type(error).__name__}: {first_line(error)}")
            return None
        if isinstance(given, Machine):
            self._welcome(member, given)
            return None
        return Answer(*given)

    def _welcome(self, member: _Member, machine: Machine) -> None:
        """A worker is there."""
        if machine.zooscope != version("zooscope"):
            msg = f"a worker of Ray has zooscope {machine.zooscope}, and this is {version('zooscope')}; install one version."
            raise StudyError(msg)
        member.is_there, self._stillborn = True, 0
        self._machines.add(machine)
        if len(self._machines) == 2:  # noqa: PLR2004  (said once)
            kinds = "; ".join(sorted(f"torch {one.torch}, {one.device}" for one in self._machines))
            msg = f"workers differ ({kinds}), so the last bits of numbers depend on which of them measured what."
            warnings.warn(msg, ZooscopeWarning, stacklevel=2)

    def _replace(self, member: _Member, dealer: Dealer, *, reason: str) -> None:
        """A worker is gone: its task is dealt again, and another one is asked for."""
        self._kill(member)
        self._members.remove(member)
        self._stillborn += not member.is_there
        if self._stillborn >= MOST_TRIES * (len(self._members) + 1):
            msg = f"workers of Ray can't be started ({reason}); is zooscope installed on all nodes, in this version?"
            raise StudyError(msg)
        if member.index is not None:
            dealer.put_back(member.index, reason)
        new = self._start()
        self._members.append(new)
        self._calls[new.actor.describe.remote()] = new

    def _kill(self, member: _Member) -> None:
        with suppress(self._ray.exceptions.RayError, ValueError):
            self._ray.kill(member.actor, no_restart=True)


def count_places(nodes: Sequence[dict[str, Any]], *, gpus: float) -> int:
    """How many workers a cluster has room for, each with a processor and so many GPUs of one node.

    >>> nodes = [{"Alive": True, "Resources": {"CPU": 16.0, "GPU": 8.0}}, {"Alive": True, "Resources": {"CPU": 4.0}}]
    >>> count_places(nodes, gpus=1), count_places(nodes, gpus=0)
    (8, 20)
    """
    places = 0
    for node in nodes:
        if node["Alive"]:
            here = int(node["Resources"].get("CPU", 0))
            places += min(here, int(node["Resources"].get("GPU", 0) / gpus)) if gpus else here
    return places


def _import_ray() -> Any:  # noqa: ANN401  (a module)
    """Ray.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module("ray")
    except ImportError as error:
        what = "the executor `ray`"
        raise MissingExtraError(what, "ray") from error
