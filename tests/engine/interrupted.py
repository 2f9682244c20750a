"""A measurement that kills itself, to be run in a process of its own."""

import os
import signal
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from tests.specimens import family
from zooscope.attacks import LinfPGD
from zooscope.classifiers.classifier import Classifier
from zooscope.study.merge import merge_studies
from zooscope.study.study import Study


class Fuse:
    """Kills its process, as `kill -9` does, when a chosen number of moments has passed."""

    def __init__(self, moments: int | None) -> None:
        self.burnt, self.moments = 0, moments

    def burn(self, *_: object) -> None:
        self.burnt += 1
        if self.burnt == self.moments:
            os.kill(os.getpid(), signal.SIGKILL)


class _Watched(nn.Module):
    """A network of which every pass burns the fuse."""

    def __init__(self, network: nn.Module, fuse: Fuse) -> None:
        super().__init__()
        self.network, self.fuse = network, fuse

    def forward(self, pixels: Tensor) -> Tensor:
        self.fuse.burn()
        logits: Tensor = self.network(pixels)
        return logits


def watch_files(fuse: Fuse) -> None:
    """Makes every SQL statement and every renamed file of this process a moment, for as long as it lives."""
    connect, rename = sqlite3.connect, Path.rename

    def connect_watched(database: Any, **options: Any) -> sqlite3.Connection:  # noqa: ANN401  (what sqlite3.connect takes)
        connection: sqlite3.Connection = connect(database, **options)
        connection.set_trace_callback(fuse.burn)
        return connection

    def rename_watched(path: Path, target: Path) -> Path:
        fuse.burn()
        result = rename(path, target)
        fuse.burn()
        return result

    sqlite3.connect, Path.rename = connect_watched, rename_watched  # type: ignore[assignment, method-assign]


def merge(out: Path, parts: Sequence[Path], log: Path, moments: int | None) -> None:
    """Merges; moments are those of `watch_files`, their number is written to the log at the end."""
    fuse = Fuse(moments)
    watch_files(fuse)
    merge_studies(out, parts)
    log.write_text(str(fuse.burnt))


def measure(folder: Path, log: Path, moments: int | None) -> None:
    """Makes the study or goes on with it.

    Every SQL statement, forward pass, renamed file and finished unit is a moment at which the process may kill itself.

    Args:
        folder: of the study.
        log: gets a line per finished unit, and the number of moments at the end.
        moments: the moment of death; None to live.
    """
    fuse = Fuse(moments)
    folder.parent.mkdir(exist_ok=True)
    watch_files(fuse)
    relatives, images = family(3, num_images=20, sizes=((6, 6), (9, 9)))
    classifiers = [
        Classifier(name=one.name, network=_Watched(one.network, fuse).eval(), num_classes=3, transform=one.transform)
        for one in relatives
    ]
    if Study.exists(folder):
        study = Study.open(folder, classifiers=classifiers, images=images)
        study.add(classifiers)
    else:
        attack = LinfPGD(epsilon=0.03, step_size=0.01, iterations=4, random_start=True)
        study = Study.create(folder, classifiers=classifiers, images=images, attack=attack, shard_size=8)
    with study, log.open("a") as lines:

        def note(progress: object) -> None:
            fuse.burn()
            print(progress, file=lines, flush=True)

        study.run(device="cpu", allow_chance=True, listen=note)
        print(fuse.burnt, file=lines)
