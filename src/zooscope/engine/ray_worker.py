"""What runs in every process of Ray: a shelf of its own, and tasks measured with it."""

import pickle
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from typing import NamedTuple, final

import torch

from zooscope.allocator import keeping_memory
from zooscope.engine.device import describe_device
from zooscope.engine.executor import measure
from zooscope.engine.shelf import Shelf
from zooscope.errors import ZooscopeError
from zooscope.kept.carried import CarriedAttacks
from zooscope.kept.entries import Entry
from zooscope.measurements.base import Result, Task


class Machine(NamedTuple):
    """Where a worker runs, as far as it decides on results.

    Attributes:
        zooscope: its version there.
        torch: its version there.
        device: the kind of processor.
    """

    zooscope: str
    torch: str
    device: str


class Answer(NamedTuple):
    """What comes back of a task.

    Attributes:
        result: None where it failed.
        error: why it failed, in words of zooscope's own.
        warnings: that were given, as (class, text).
        held: the classifiers that the worker has on its device.
        made: attacked images, to be kept.
    """

    result: Result | None
    error: ZooscopeError | None
    warnings: tuple[tuple[type[Warning], str], ...]
    held: tuple[str, ...]
    made: tuple[Entry, ...] = ()


@final
class Worker:
    """Holds the classifiers that fit into its device's memory, and the pixels of one shard. It knows of no record."""

    def __init__(self, shelf: bytes, device: str) -> None:
        """Takes a shelf as bytes; it is unpacked with the first task, so that its errors come back like those of tasks."""
        torch.set_num_threads(1)
        self._packed, self._device = shelf, device
        self._shelf: Shelf | None = None
        self._kept = CarriedAttacks()
        self._open = ExitStack()
        self._open.enter_context(keeping_memory())

    def describe(self) -> Machine:
        """Where this is."""
        return Machine(version("zooscope"), torch.__version__, describe_device(torch.device(self._device)))

    def measure(self, task: Task, kept: Sequence[Entry] | None) -> Answer:
        """A task's result, or what is wrong.

        Args:
            task: what to measure.
            kept: attacked images that it may ask for; None where nothing is kept.
        """
        error = result = None
        self._kept.load(kept)
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            try:
                result = measure(task, self._unpack())
            except ZooscopeError as problem:
                error = problem
        told = tuple((one.category, str(one.message)) for one in given)
        return Answer(result, error, told, () if self._shelf is None else self._shelf.on_device, self._kept.unload())

    def close(self) -> None:
        """Stops its threads and gives memory back, as the end of its process does."""
        self._open.close()

    def _unpack(self) -> Shelf:
        if self._shelf is None:
            made = pickle.loads(self._packed)  # noqa: S301  (the driver's own bytes)
            own = {"images": made["images"].unpack(), "device": torch.device(self._device), "kept": self._kept}
            self._shelf = Shelf(**{**made, **own})
            self._open.enter_context(self._shelf.decoding_ahead(()))  # keeps those of one shard, for all classifiers
        return self._shelf
