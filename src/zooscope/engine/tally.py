"""Counts tasks that are done, for those who listen."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, final

from zooscope.engine.progress import Progress
from zooscope.measurements.base import Measurement, Task
from zooscope.records.rows import ArrayRow


class _Size(NamedTuple):
    images: int
    passes: int


@final
class Tally:
    """The tasks of one measurement in one run: how many images and passes each takes, and how many are done."""

    def __init__(
        self,
        measurement: Measurement,
        tasks: Sequence[Task],
        *,
        shard_sizes: Sequence[int],
        has_kept: Callable[[Task], bool] = lambda _: False,
    ) -> None:
        """Counts what is to be done.

        Args:
            measurement: of all tasks.
            tasks: all that are to be done.
            shard_sizes: images of every shard.
            has_kept: whether the attacked images that a task asks for are kept; asked now, before any are made.
        """
        self._measurement = measurement
        self._sizes = dict[tuple[str, int, tuple[str, ...]], _Size]()
        for task in tasks:
            size = shard_sizes[task.shard] if measurement.is_by_shard else 0
            self._sizes[_name(task)] = _Size(
                measurement.num_images(task, shard_size=size),
                measurement.num_passes(task, shard_size=size, is_kept=has_kept(task)),
            )
        self._total = _add(self._sizes.values())
        self._done = _Size(0, 0)

    def count(self, task: Task, rows: tuple[ArrayRow, ...] = ()) -> Progress:
        """One task more is done; gives how far the run is.

        Args:
            task: one of those that were to be done.
            rows: what was written of it.
        """
        self._done = _add([self._done, self._sizes[_name(task)]])
        unit = "shard" if self._measurement.is_by_shard else "part"
        return Progress(
            phase=self._measurement.phase,
            done=self._done.images,
            total=self._total.images,
            item=f"{task.subject}, {unit} {task.shard + 1}",
            rows=rows,
            passes_done=self._done.passes,
            passes=self._total.passes,
        )


def _name(task: Task) -> tuple[str, int, tuple[str, ...]]:
    """A task among those of a measurement, also when it has travelled."""
    return task.subject, task.shard, task.objects


def _add(sizes: Iterable[_Size]) -> _Size:
    known = list(sizes)
    return _Size(sum(size.images for size in known), sum(size.passes for size in known))
