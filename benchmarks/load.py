"""What a large record costs to look at: time and memory of the commands that read it.

    python benchmarks/load.py
    python benchmarks/load.py --classifiers 300 --images 5000 --classes 10

The study is written without a network, with the engine's own records: families of ten classifiers that fool each other more often
than they fool others, in shards of 100 images or as `--shard-size` says. With `--sources` only so many
are attacked, as in a study of a probe pack.
Each command runs as a process of its own, one after the other. Memory is the peak of the resident set, and beside it the same in
bytes per cell (classifier x classifier x image). A command that takes longer than `--limit` seconds is stopped, which is said.

The last line is the same as JSON.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from reading import make_classifier

from zooscope.records.entries import DATABASE, Definition
from zooscope.records.records import Records
from zooscope.records.rows import ArrayRow

FAMILY: Final = 10
ACCURACY: Final = 0.8
WITHIN, BETWEEN, ITSELF = 0.6, 0.25, 0.98  # how often an attacked image fools
ATTACK: Final = '{"attack": "LinfPGD", "epsilon": 0.03137254901960784, "step_size": 0.1, "iterations": 50, "random_start": false}'
COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "show": ("show", "STUDY"),
    "show --json": ("show", "STUDY", "--json"),
    "clusters": ("clusters", "STUDY", "--json"),
    "export": ("export", "STUDY", "--out", "OUT/tables"),
    "report": ("report", "STUDY", "--out", "OUT/report.html"),
}


def write(folder: Path, *, num_classifiers: int, num_sources: int, num_images: int, num_classes: int, shard_size: int) -> None:
    """Writes a study of families of classifiers, of which the first are attacked."""
    generator = np.random.default_rng(0)
    labels = generator.integers(num_classes, size=num_images)
    wrong = ((labels + 1) % num_classes).astype(np.int32)
    names = [f"classifier-{number}" for number in range(num_classifiers)]
    definition = Definition(
        images="synthetic",
        image_digest="none",
        class_names="\n".join(f"class {number}" for number in range(num_classes)),
        attack=ATTACK,
        seed=0,
        shard_size=shard_size,
    )
    family = np.arange(num_classifiers) // FAMILY
    right = generator.random((num_classifiers, num_images)) < ACCURACY
    with Records.create(folder / DATABASE, definition, tuple(f"image-{number}" for number in range(num_images)), labels) as records:
        for name in names:
            records.add_classifier(make_classifier(name, num_classes), is_admitted=True)
        for source, name in enumerate(names):
            chance = np.where(family == family[source], WITHIN, BETWEEN) * generator.uniform(0.8, 1.2, size=num_classifiers)
            chance[source] = ITSELF
            rows = []
            for shard, positions in enumerate(records.shards):
                here = slice(positions.start, positions.stop)
                clean = np.where(right[source, here], labels[here], wrong[here]).astype(np.int32)
                rows.append(ArrayRow(kind="clean", subject=name, part=shard, values=clean))
                if source >= num_sources:
                    continue
                fooled = generator.random((num_classifiers, len(positions)), dtype=np.float32) < chance[:, None]
                said = np.where(right[source, here] & right[:, here], np.where(fooled, wrong[here], labels[here]), -1)
                rows += [
                    ArrayRow(kind="transfer", subject=name, object=target, part=shard, values=values)
                    for target, values in zip(names, said.astype(np.int32), strict=True)
                ]
            records.save(rows)
        records.set_roles({name: place < num_sources for place, name in enumerate(names)})


def measure(command: str, study: Path, out: Path, *, limit: float) -> dict[str, float]:
    """Runs a command as a process: seconds, processor seconds, bytes; `failed` is 1 where it was stopped or failed."""
    words = [word.replace("STUDY", str(study)).replace("OUT", str(out)) for word in COMMANDS[command]]
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603  (our own command)
        [sys.executable, "-m", "zooscope", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    previous = signal.signal(signal.SIGALRM, lambda *_: process.kill())
    signal.setitimer(signal.ITIMER_REAL, limit)
    _, status, usage = os.wait4(process.pid, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)
    process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "seconds": time.perf_counter() - began,
        "processor": usage.ru_utime + usage.ru_stime,
        "peak": 1024 * usage.ru_maxrss,
        "failed": float(process.returncode != 0),
    }


def main() -> None:
    """Writes the study, runs the commands, prints a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classifiers", type=int, default=40)
    parser.add_argument("--sources", type=int, help="all classifiers if left out")
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--shard-size", type=int, default=100)
    parser.add_argument("--commands", nargs="+", choices=list(COMMANDS), default=list(COMMANDS))
    parser.add_argument("--limit", type=float, default=600, help="seconds that a command may take")
    parser.add_argument("--study", type=Path, help="keeps the study in this folder, or takes the one that is there")
    arguments = parser.parse_args()
    cells = arguments.classifiers**2 * arguments.images
    sources = arguments.classifiers if arguments.sources is None else arguments.sources
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        study = arguments.study or Path(place) / "study"
        if not (study / DATABASE).exists():
            study.mkdir(parents=True, exist_ok=True)
            began = time.perf_counter()
            write(
                study,
                num_classifiers=arguments.classifiers,
                num_sources=sources,
                num_images=arguments.images,
                num_classes=arguments.classes,
                shard_size=arguments.shard_size,
            )
            print(f"written in {time.perf_counter() - began:.0f} s")
        size = (study / DATABASE).stat().st_size
        sizes = f"{arguments.classifiers} classifiers, {sources} sources, {arguments.images} images, {cells:,} cells"
        print(f"{sizes}, {size / 2**20:,.0f} MiB on disk", flush=True)
        print(f"{'command':12} {'seconds':>8} {'processor':>9} {'MiB':>7} {'bytes a cell':>12}")
        for command in arguments.commands:
            found = measure(command, study, Path(place), limit=arguments.limit)
            results[command] = found
            print(
                f"{command:12} {found['seconds']:8.1f} {found['processor']:9.1f} {found['peak'] / 2**20:7.0f} "
                f"{found['peak'] / cells:12.2f}{'  failed, or stopped at the limit' if found['failed'] else ''}",
                flush=True,
            )
    shape = {"sources": sources} | {key: getattr(arguments, key) for key in ("classifiers", "images", "classes", "shard_size")}
    print(json.dumps({"benchmark": "load", **shape, "disk": size, "results": results}))


if __name__ == "__main__":
    main()
