"""Some pairs of a study measured, both ways, without attacking all classifiers on all others."""

from collections.abc import Iterable
from pathlib import Path

import torch

from zooscope.arguments import check_arguments
from zooscope.engine.executor import Serial
from zooscope.engine.progress import ProgressListener
from zooscope.engine.shelf import BATCH_SIZE
from zooscope.engine.tally import Tally
from zooscope.errors import StudyError
from zooscope.measurements.base import Task
from zooscope.measurements.clean import find_right
from zooscope.measurements.transfer import CONTROL, TRANSFER, Transfer
from zooscope.records.entries import DATABASE
from zooscope.records.lock import held
from zooscope.records.records import Records
from zooscope.study.study import Study


@check_arguments
def measure_pairs(
    path: str | Path,
    pairs: Iterable[tuple[str, str]],
    *,
    images: object = None,
    trust: bool = False,
    device: str | torch.device = "auto",
    batch_size: int = BATCH_SIZE,
    listen: ProgressListener = lambda _: None,
) -> None:
    """Attacks both classifiers of every pair, and tests the other; what is measured already is not measured again.

    The answers go into the study's record, where `sat` finds them. Who is a source of the study stays as it is.

    Args:
        path: the folder of a study whose clean images are measured.
        pairs: names of two classifiers each.
        images: of the study, if they are not found at its address; see `Study.open`.
        trust: see `Study.open`.
        device: where to compute; "auto" takes a GPU where there is one.
        batch_size: images that go through a network at once.
        listen: called after every shard of every source with a `Progress`.

    Raises:
        StudyError: a classifier or the images are not at hand, or a clean image is not measured.
        UnknownNameError: the study has no classifier of such a name.
        ClassifierError: a classifier can't be attacked.
    """
    folder = Path(path)
    partners: dict[str, set[str]] = {}
    for a, b in pairs:
        partners.setdefault(a, set()).add(b)
        partners.setdefault(b, set()).add(a)
    with (
        Study.open(folder, images=images, trust=trust) as study,
        Records.open(folder / DATABASE, write=True) as records,
        held(folder),
    ):
        for name in partners:
            study.snapshot().require_known(name)
        transfer = Transfer(attack=study.attack, seed=study.definition.seed)
        tasks = _list_tasks(records, transfer, partners)
        shelf = study.shelf(device=device, batch_size=batch_size)
        for source in dict.fromkeys(task.subject for task in tasks):
            study.attack.require(shelf.classifier(source))
        sizes = [len(shard) for shard in records.shards]
        tally = Tally(transfer, tasks, shard_sizes=sizes, has_kept=shelf.has_kept)
        for task, result in Serial(shelf).results(tasks):
            records.save(result.arrays, result.facts)
            listen(tally.count(task, result.arrays))


def _list_tasks(records: Records, transfer: Transfer, partners: dict[str, set[str]]) -> list[Task]:
    """One task per source and shard, for the targets that are missing."""
    done, known, right = records.present(TRANSFER), records.present(CONTROL), find_right(records)
    transforms = {one.name: one.transform for one in records.classifiers}
    clean = records.present("clean")
    tasks = []
    for source in (name for name in records.names if name in partners):
        mine = transforms[source]
        for shard, here in enumerate(records.shards):
            if any((name, "", shard) not in clean for name in (source, *partners[source])):
                msg = f"the clean images of {source} and its partners are not all measured; run `zooscope measure` first."
                raise StudyError(msg)
            targets = tuple(name for name in records.names if name in partners[source] and (source, name, shard) not in done)
            controls = tuple(name for name in targets if transforms[name] != mine and (mine, name, shard) not in known)
            known |= {(mine, name, shard) for name in controls}
            if targets:
                right_here = {name: values[here.start : here.stop] for name, values in right.items()}
                tasks.append(transfer.task(source, shard, targets, controls=controls, right=right_here))
    return tasks
