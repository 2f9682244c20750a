"""Reading and scoring a large study: time compared with only reading its file, and memory per source-target-image cell.

    python benchmarks/reading.py
    python benchmarks/reading.py --classifiers 69 --images 5000 --classes 1000

The study is written without a network: predictions are drawn at random. Each method runs in its own process, in turn, several
rounds:

floor      every array is fetched from the database, and nothing is done with it.
snapshot   `read_snapshot`: checksums verified, predictions put together.
scores     the same, then SAT of all pairs with intervals, transfer and control.

What is printed is the ratio of times to the floor of the same round (medians), and how much memory each method adds to that of a
process that has imported the same and read nothing, in bytes per cell. The last line is the same as JSON.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from zooscope.records.entries import DATABASE, ClassifierRecord, Definition
from zooscope.records.records import Records
from zooscope.records.rows import ArrayRow
from zooscope.study.snapshot import read_snapshot

WAYS: Final = ("nothing", "floor", "snapshot", "scores")
SHARD_SIZE: Final = 100
ATTACK: Final = '{"attack": "LinfPGD", "epsilon": 0.03137254901960784, "step_size": 0.1, "iterations": 50, "random_start": false}'


def write(folder: Path, *, num_classifiers: int, num_images: int, num_classes: int) -> None:
    """Writes a study of classifiers that get 80 % right and fool each other on 30 %."""
    generator = np.random.default_rng(0)
    labels = generator.integers(num_classes, size=num_images)
    names = [f"classifier {number}" for number in range(num_classifiers)]
    definition = Definition(
        images="synthetic",
        image_digest="none",
        class_names="\n".join(map(str, range(num_classes))),
        attack=ATTACK,
        seed=0,
        shard_size=SHARD_SIZE,
    )
    ids = tuple(f"image {number}" for number in range(num_images))
    right = generator.random((num_classifiers, num_images)) < 0.8
    wrong = ((labels + 1) % num_classes).astype(np.int32)
    with Records.create(folder / DATABASE, definition, ids, labels) as records:
        for name in names:
            records.add_classifier(make_classifier(name, num_classes))
        for shard, positions in enumerate(records.shards):
            here = slice(positions.start, positions.stop)
            rows = []
            for source, name in enumerate(names):
                clean = np.where(right[source, here], labels[here], wrong[here]).astype(np.int32)
                rows.append(ArrayRow(kind="clean", digest="", subject=name, object="", part=shard, values=clean))
                fooled = generator.random((num_classifiers, len(positions))) < 0.3
                said = np.where(right[source, here] & right[:, here], np.where(fooled, wrong[here], labels[here]), -1).astype(
                    np.int32
                )
                rows += [
                    ArrayRow(kind="transfer", digest="", subject=name, object=target, part=shard, values=values)
                    for target, values in zip(names, said, strict=True)
                ]
            records.save(rows)


def run(way: str, folder: Path) -> None:
    """One method, in this process; prints seconds and the peak of memory in bytes."""
    began = time.perf_counter()
    if way == "floor":
        import sqlite3  # noqa: PLC0415  (for this way alone)

        connection = sqlite3.connect(folder / DATABASE)
        for _ in connection.execute("SELECT bytes FROM arrays"):
            pass
    elif way != "nothing":
        snapshot = read_snapshot(folder)
        if way == "scores":
            snapshot.sat()
            snapshot.transfer()
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))


def make_classifier(name: str, num_classes: int) -> ClassifierRecord:
    """A classifier of a record, with no network behind it."""
    return ClassifierRecord(
        name=name,
        address=None,
        architecture="synthetic",
        num_classes=num_classes,
        weights=name,
        transform='{"height": 224, "width": 224}',
        mean="[0, 0, 0]",
        std="[1, 1, 1]",
    )


def main() -> None:
    """Writes the study, runs all methods, prints ratios and bytes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classifiers", type=int, default=100)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--run", nargs=2, metavar=("WAY", "FOLDER"), help="one way, in this process")
    arguments = parser.parse_args()
    if arguments.run:
        run(arguments.run[0], Path(arguments.run[1]))
        return
    cells = arguments.classifiers**2 * arguments.images
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "study"
        write(folder, num_classifiers=arguments.classifiers, num_images=arguments.images, num_classes=arguments.classes)
        size = (folder / DATABASE).stat().st_size
        print(f"{arguments.classifiers} classifiers, {arguments.images} images, {cells:,} cells, {size / 2**20:.0f} MiB on disk")
        for _ in range(arguments.rounds):
            for way in WAYS:
                done = subprocess.run(  # noqa: S603  (this very script)
                    [sys.executable, __file__, "--run", way, str(folder)],
                    check=True,
                    capture_output=True,
                    text=True,
                )
                found[way].append(json.loads(done.stdout))
    results = {}
    for way in WAYS[1:]:
        ratio = median(one["seconds"] / floor["seconds"] for one, floor in zip(found[way], found["floor"], strict=True))
        added = median(one["peak"] - none["peak"] for one, none in zip(found[way], found["nothing"], strict=True)) / cells
        seconds = median(one["seconds"] for one in found[way])
        results[way] = {"ratio": ratio, "bytes_per_cell": added, "seconds": seconds}
        print(f"{way:9} {seconds:6.2f} s, {ratio:6.1f} times the floor, {added:5.2f} bytes a cell")
    print(json.dumps({"benchmark": "reading", "cells": cells, "rounds": arguments.rounds, "results": results}))


if __name__ == "__main__":
    main()
