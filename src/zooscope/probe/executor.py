"""Measures tasks with a pack: the attacked images come out of it, in place of an attack on the landmark."""

from collections.abc import Iterator, Sequence
from typing import final

import torch

from zooscope.classifiers.prepared import computing_in
from zooscope.engine.executor import measure
from zooscope.engine.shelf import Shelf
from zooscope.measurements.attacked import classify_attacked, classify_controls
from zooscope.measurements.base import Result, Task
from zooscope.measurements.transfer import CONTROL, TRANSFER, Transfer, require_finite_predictions
from zooscope.probe.pack import Pack
from zooscope.records.rows import ArrayRow


@final
class FromPack:
    """An executor, one task after the other in this process; landmarks are neither loaded nor attacked."""

    def __init__(self, shelf: Shelf, pack: Pack, *, device: torch.device) -> None:
        """Takes what holds the classifiers and clean images, and the pack."""
        self._shelf, self._pack, self._device = shelf, pack, device

    def results(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Result]]:
        """See `Executor.results`."""
        others = [task for task in tasks if not isinstance(task.measurement, Transfer)]
        with self._shelf.decoding_ahead(others):
            for task in tasks:
                if isinstance(task.measurement, Transfer):
                    with computing_in(self._shelf.precision):
                        yield task, self._test(task)
                else:
                    yield task, measure(task, self._shelf)

    def _test(self, task: Task) -> Result:
        """Every missing target, and every missing control, as `Transfer.measure` gives them."""
        own, pack, shelf = task.right[task.subject], self._pack, self._shelf
        transform = next(one.record.transform for one in pack.landmarks if one.record.name == task.subject)
        said, controls = {}, {}
        if task.objects:
            attacked = pack.read_attacked(task.subject, task.shard, own).to(self._device)
            said = classify_attacked(attacked, own, {name: task.right[name] for name in task.objects}, shelf)
        if task.controls:
            controls = classify_controls(pack.read_clean(transform, task.shard), task.controls, shelf)
        if not shelf.allow_nonfinite:
            require_finite_predictions(task, said, "attacked through", shelf)
            require_finite_predictions(task, controls, "clean, preprocessed for", shelf)
        rows = [
            ArrayRow(kind=TRANSFER, subject=task.subject, object=name, part=task.shard, values=values)
            for name, values in said.items()
        ]
        rows += [
            ArrayRow(kind=CONTROL, subject=transform, object=name, part=task.shard, values=values)
            for name, values in controls.items()
        ]
        return Result(tuple(rows))
