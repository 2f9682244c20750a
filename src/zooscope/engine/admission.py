"""Lets classifiers into the record that know the images, and keeps those out that guess."""

from collections.abc import Iterator
from typing import final

import numpy as np

from zooscope.engine.chance import SIGNIFICANCE, is_above_chance, is_at_chance
from zooscope.engine.plausible import describe_guesser
from zooscope.measurements.base import Result, Task
from zooscope.measurements.clean import CLEAN
from zooscope.records.predictions import NOT_MEASURED
from zooscope.records.records import Records


@final
class Admission:
    """Holds the results on clean images of classifiers that wait, until they have shown that they know the images.

    A classifier is let in as soon as it is above chance on the shards that are done, tested at `SIGNIFICANCE` over the number of
    shards, so that the many tests of one classifier together keep to `SIGNIFICANCE`. Mostly the first shard will do, so that a
    killed run loses no more than that. The results of a guesser are held to the end, and nothing of them is written.
    """

    def __init__(self, records: Records, *, allow_chance: bool) -> None:
        """Takes the record as it is before clean images are measured."""
        self._labels, self._shards, self._allow_chance = records.labels, records.shards, allow_chance
        waiting = [entry.classifier for entry in records.entries if not entry.is_admitted]
        self._classifiers = {classifier.name: classifier for classifier in waiting}
        self._held = dict[str, list[Result]]()
        self._said = {classifier.name: np.full(len(self._labels), NOT_MEASURED, dtype=np.int32) for classifier in waiting}

    def admit(self, task: Task, result: Result) -> Iterator[Result]:
        """Takes a result on clean images, and gives those that can be written now."""
        name = task.subject
        if name not in self._said:
            yield result
            return
        self._held.setdefault(name, []).append(result)
        (values,) = (row.values for row in result.arrays if row.kind == CLEAN)
        self._said[name][np.asarray(self._shards[task.shard])] = values
        if self._may_enter(name):
            del self._said[name]
            yield from self._held.pop(name)

    @property
    def guessers(self) -> dict[str, str]:
        """Of the classifiers that were measured and not let in: what is wrong with them, by name."""
        return {name: f"{describe_guesser(self._classifiers[name], self._said[name], self._labels)}." for name in self._held}

    def _may_enter(self, name: str) -> bool:
        said, num_classes = self._said[name], self._classifiers[name].num_classes
        known = said != NOT_MEASURED
        if known.all():
            return self._allow_chance or not is_at_chance(said, self._labels, num_classes=num_classes)
        return self._allow_chance or is_above_chance(
            said[known], self._labels[known], num_classes=num_classes, significance=SIGNIFICANCE / len(self._shards)
        )
