"""Deals tasks to workers that may die: to whom each goes, what is done, and what was lost too often."""

from collections.abc import Collection, Sequence
from itertools import takewhile
from typing import Final, final

from zooscope.errors import StudyError
from zooscope.measurements.base import Task

MOST_TRIES: Final = 3
SHARDS_AHEAD: Final = 1  # beyond the first that isn't done, within which tasks are chosen


@final
class Dealer:
    """The tasks that are still to be done. No worker waits while there are some.

    A worker gets a task of a classifier that it holds already, if there is one; else one of a classifier that no worker holds;
    else the first. Only tasks of the first shard that waits and of the next are looked at, so that a half-measured study is a study
    of fewer images, and dealing takes the same time however many tasks there are.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        """Takes the tasks in the order in which they are wanted, shard by shard."""
        self._tasks = tasks
        self._waiting = dict.fromkeys(range(len(tasks)))  # in order
        self._open = set(range(len(tasks)))
        self._lost = [0] * len(tasks)

    @property
    def is_done(self) -> bool:
        """Whether every task has its result."""
        return not self._open

    def deal(self, held: Collection[str], held_somewhere: Collection[str]) -> int | None:
        """The index of the task that a worker gets; None where all are done or given.

        Args:
            held: the classifiers that the worker holds.
            held_somewhere: those that any worker holds.
        """
        if not self._waiting:
            return None
        last = self._tasks[next(iter(self._waiting))].shard + SHARDS_AHEAD
        near = list(takewhile(lambda index: self._tasks[index].shard <= last, self._waiting))
        own = (index for index in near if self._tasks[index].subject in held)
        new = (index for index in near if self._tasks[index].subject not in held_somewhere)
        chosen = next(own, next(new, near[0]))
        del self._waiting[chosen]
        return chosen

    def finish(self, index: int) -> bool:
        """Notes a result; False where the task has one already, so that this one is to be ignored."""
        is_first = index in self._open
        self._open.discard(index)
        self._waiting.pop(index, None)
        return is_first

    def put_back(self, index: int, reason: str) -> None:
        """Takes back a task whose worker is gone; it is dealt next.

        Args:
            index: of the task.
            reason: what became of the worker.

        Raises:
            StudyError: it was lost three times.
        """
        if index not in self._open:
            return
        self._lost[index] += 1
        task = self._tasks[index]
        if self._lost[index] >= MOST_TRIES:
            what = "shard" if task.measurement.is_by_shard else "part"
            msg = (
                f"{task.measurement.phase} of {task.subject}, {what} {task.shard + 1}, was given to {MOST_TRIES} workers, and each "
                f"was gone before it was done ({reason}); it may take more memory than a worker has: use a smaller batch size or "
                "larger machines, or leave the classifier out. What is measured is kept."
            )
            raise StudyError(msg)
        self._waiting = {index: None, **self._waiting}
