"""The recipe of CONTRIBUTING.md: an executor, added from outside the package."""

from collections.abc import Iterator, Sequence

import numpy as np

from tests.specimens import family
from zooscope.attacks import LinfPGD
from zooscope.engine.executor import measure
from zooscope.engine.shelf import Shelf
from zooscope.measurements import Result, Task
from zooscope.study.study import Study


class OddsFirst:
    """Every other task first, then the rest."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def results(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Result]]:
        for task in (*tasks[1::2], *tasks[::2]):
            yield task, measure(task, self.shelf)


def test_an_executor_from_outside_measures_a_study() -> None:
    classifiers, images = family(3, num_images=20, sizes=((6, 6), (9, 9)))
    attack = LinfPGD(epsilon=0.03, iterations=2)
    with (
        Study.in_memory(classifiers=classifiers, images=images, attack=attack, shard_size=8) as theirs,
        Study.in_memory(classifiers=classifiers, images=images, attack=attack, shard_size=8) as ours,
    ):
        theirs.run(device="cpu", allow_chance=True, executor=OddsFirst)
        ours.run(device="cpu", allow_chance=True)
        np.testing.assert_array_equal(theirs.predictions.transfer, ours.predictions.transfer)
