"""What zooscope uses of Ray, in this process: calls end in any order, and workers die when they are told to."""

# ruff: noqa: ANN401  (Ray gives handles and takes values of any type)

import pickle
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import cloudpickle  # type: ignore[import-untyped]


class RayError(Exception):
    """As Ray's, the base of all."""


class RayTaskError(RayError):
    """A call raised something."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class ActorDiedError(RayError):
    """A process died."""


@dataclass(kw_only=True, eq=False)
class _Call:
    """A call of a worker's method; it is made when its result is asked for."""

    number: int
    name: str
    worker: Any
    given: tuple[Any, ...]


class FakeRay:
    """A cluster whose workers live here. `doom` is asked before each call of a task whether its worker dies of it."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)
    cloudpickle = cloudpickle

    def __init__(
        self,
        *,
        processors: int = 2,
        gpus: int = 0,
        seed: int = 0,
        doom: Callable[[Any], bool] = lambda _: False,
        can_start: bool = True,
    ) -> None:
        self.resources: dict[str, float] = {"CPU": processors, "GPU": gpus}
        self.chance, self.doom, self.can_start = random.Random(seed), doom, can_start  # noqa: S311  (no secret)
        self.is_up, self.started, self.alive, self.options_given = False, 0, set[int](), dict[str, Any]()
        self.given, self.workers = list[Any](), list[Any]()

    def is_initialized(self) -> bool:
        return self.is_up

    def init(self, **_: object) -> None:
        self.is_up = True

    def shutdown(self) -> None:
        self.is_up = False

    def cluster_resources(self) -> dict[str, float]:
        return self.resources

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": self.resources}, {"Alive": False, "Resources": {"CPU": 1000, "GPU": 1000}}]

    def put(self, value: object) -> object:
        return value

    def remote(self, kind: type) -> Any:
        def start(*arguments: object) -> Any:
            self.started += 1
            number = self.started
            self.alive.add(number)
            assert len(self.alive) <= self.resources["CPU"], "more workers than places would wait for ever"
            worker = kind(*arguments)
            self.workers.append(worker)

            def call(name: str) -> Any:
                return SimpleNamespace(remote=lambda *given: _Call(number=number, name=name, worker=worker, given=given))

            return SimpleNamespace(number=number, describe=call("describe"), measure=call("measure"))

        def options(**given: object) -> Any:
            self.options_given = given
            return SimpleNamespace(remote=start)

        return SimpleNamespace(options=options)

    def wait(self, calls: Sequence[Any], *, num_returns: int, timeout: float) -> tuple[list[Any], list[Any]]:
        del timeout
        ready = self.chance.sample(list(calls), self.chance.randint(1, num_returns))
        return ready, [call for call in calls if call not in ready]

    def get(self, call: Any) -> Any:
        if call.number not in self.alive or not self.can_start:
            msg = "The actor died unexpectedly.\nWith a second line."
            raise ActorDiedError(msg)
        if call.name == "measure":
            self.given.append(call.given)
            if self.doom(call.given[0]):
                self.alive.discard(call.number)
                msg = "The actor died unexpectedly before finishing this task.\nMore."
                raise ActorDiedError(msg)
        try:
            return _send(getattr(call.worker, call.name)(*_send(call.given)))
        except Exception as error:
            raise RayTaskError(error) from error

    def kill(self, actor: Any, *, no_restart: bool) -> None:
        assert no_restart
        self.alive.discard(actor.number)


def _send(value: Any) -> Any:
    """As it arrives in another process."""
    return pickle.loads(cloudpickle.dumps(value))  # noqa: S301  (our own bytes)
