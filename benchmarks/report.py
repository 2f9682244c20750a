"""What the report costs: to write it, its size, and in headless Chromium the time until it can be used, memory, and hovering.

    python benchmarks/report.py
    python benchmarks/report.py --classifiers 69 --images 5000

The studies are synthetic and in memory: families of ten classifiers that fool each other more often than they fool others.
Nothing is attacked, so the page has no gallery; all other sections are in it as far as a page of so many classifiers has them.

`usable` is the time from the start of loading until the matrix is drawn and everything can be clicked; `hover` the mean and the
longest time that the page's script and layout take for one of 300 moves of the pointer over the matrix. Memory is the resident set
of the page's process beyond that of an empty page. The last line is the same as JSON.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
from jaxtyping import Float16
from playwright.sync_api import sync_playwright

from zooscope.records.entries import ClassifierRecord, Definition
from zooscope.records.predictions import NOT_COUNTED, Predictions, choose_integers
from zooscope.records.records import Records
from zooscope.report import write_report
from zooscope.study.snapshot import Snapshot

FAMILY: Final = 10
ACCURACY: Final = 0.8
WITHIN, BETWEEN, ITSELF = 0.6, 0.25, 0.98  # how often an attacked image fools
SIZES: Final = {12: 1000, 69: 5000, 300: 1000, 1000: 50}  # images by classifiers
BASES: Final = ("CNN", "Transformer", "MLP-Mixer", "Hybrid")
NORMALIZATIONS: Final = ("BN", "LN", "GN")
FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--enable-precise-memory-info")
HOVER: Final = """() => {
  const count = matrix.shown.length, times = [];
  for (let move = 0; move < 300; move++) {
    const start = performance.now();
    pointAt((move * 7) % count, (move * 13) % count);
    matrix.tip.getBoundingClientRect();
    times.push(performance.now() - start);
  }
  return times;
}"""


def make_snapshot(num_classifiers: int, num_images: int, *, num_classes: int = 10, seed: int = 0) -> Snapshot:
    """A study in memory of which every image is measured, with logits and components."""
    generator = np.random.default_rng(seed)
    names = tuple(f"family{number // FAMILY}-{number}" for number in range(num_classifiers))
    labels = generator.integers(num_classes, size=num_images).astype(np.int64)
    integers = choose_integers(num_classes)
    wrong = (labels[None] + generator.integers(1, num_classes, size=(num_classifiers, num_images))) % num_classes
    right = generator.random((num_classifiers, num_images)) < ACCURACY
    clean = np.where(right, labels, wrong).astype(integers)
    family = np.arange(num_classifiers) // FAMILY
    transfer = np.empty((num_classifiers, num_classifiers, num_images), dtype=integers)
    for source in range(num_classifiers):
        chance = np.where(family == family[source], WITHIN, BETWEEN) * generator.uniform(0.8, 1.2, size=num_classifiers)
        chance[source] = ITSELF
        fooled = generator.random((num_classifiers, num_images), dtype=np.float32) < chance[:, None]
        transfer[source] = np.where(right[source] & right, np.where(fooled, wrong[source], labels), NOT_COUNTED)
    definition = Definition(
        images="synthetic",
        image_digest="none",
        class_names="\n".join(f"class {number}" for number in range(num_classes)),
        attack='{"attack": "LinfPGD", "epsilon": 0.03137254901960784, "step_size": 0.1, "iterations": 50, "random_start": false}',
        seed=0,
        shard_size=100,
    )
    ids = tuple(f"image-{number}" for number in range(num_images))
    records = Records.in_memory(definition, ids, labels)
    snapshot = Snapshot.read(records, path=None)
    transform = '{"height": 32, "width": 32}'

    def read_logits(name: str) -> Float16[np.ndarray, "image cls"]:
        place = names.index(name)
        drawn = np.random.default_rng(place).normal(size=(num_images, num_classes)).astype(np.float16)
        drawn[np.arange(num_images), clean[place]] += 3
        return drawn

    return replace(
        snapshot,
        classifier_records=tuple(_describe(name, num_classes, transform) for name in names),
        sources=names,
        waiting=(),
        refused={},
        component_values={
            name: {
                "base architecture": BASES[place // FAMILY % len(BASES)],
                "normalization": NORMALIZATIONS[place % len(NORMALIZATIONS)],
            }
            for place, name in enumerate(names)
        },
        guesses={},
        measured=Predictions(
            names=names,
            image_ids=ids,
            labels=labels,
            clean=clean,
            sources=names,
            transfer=transfer,
            transforms=(transform,) * num_classifiers,
        ),
        read_logits=read_logits,
    )


def _describe(name: str, num_classes: int, transform: str) -> ClassifierRecord:
    return ClassifierRecord(
        name=name,
        address=None,
        architecture=name.partition("-")[0],
        num_classes=num_classes,
        weights=name,
        transform=transform,
        mean="[0, 0, 0]",
        std="[1, 1, 1]",
    )


def measure_page(file: Path) -> dict[str, float]:
    """Opens a page in headless Chromium, and measures it."""
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    if browser_path is None:
        sys.exit("no Chromium is installed to open the page in")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        empty = _find_memory()
        page.goto(file.as_uri())
        page.wait_for_selector("html[data-report=ready]", timeout=120_000)
        usable = page.evaluate("performance.getEntriesByName('report-ready')[0].startTime")
        page.wait_for_timeout(1000)
        memory = _find_memory() - empty
        page.evaluate("document.getElementById('matrix').scrollIntoView()")
        times = page.evaluate(HOVER)
        heap = page.evaluate("performance.memory.usedJSHeapSize")
        browser.close()
    return {"usable_ms": usable, "memory": memory, "heap": heap, "hover_ms": float(np.mean(times)), "hover_longest_ms": max(times)}


def _find_memory() -> int:
    """The resident set of the largest process that shows a page."""
    found = [0]
    for process in psutil.Process().children(recursive=True):
        try:
            if "--type=renderer" in process.cmdline():
                found.append(process.memory_info().rss)
        except psutil.Error:  # it has just ended
            continue
    return max(found)


def main() -> None:
    """Writes the pages, opens them, prints a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classifiers", type=int, action="append", help=f"may be given several times; {list(SIZES)} by default")
    parser.add_argument("--images", type=int, help="by default as many as fit the number of classifiers")
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    print("classifiers  images  written in      size   usable   memory  JS heap   hover (longest)")
    for count in asked.classifiers or SIZES:
        num_images = asked.images or SIZES.get(count, 100)
        with tempfile.TemporaryDirectory() as folder:
            study = make_snapshot(count, num_images)
            began, processor = time.perf_counter(), time.process_time()
            file = write_report(study, Path(folder) / "report.html")
            row: dict[str, Any] = {
                "classifiers": count,
                "images": num_images,
                "seconds": time.perf_counter() - began,
                "processor_seconds": time.process_time() - processor,
                "bytes": file.stat().st_size,
            }
            row |= measure_page(file)
        rows.append(row)
        print(
            f"{count:11d} {num_images:7d} {row['processor_seconds']:9.1f} s {row['bytes'] / 1e6:6.2f} MB "
            f"{row['usable_ms']:5.0f} ms {row['memory'] / 1e6:5.0f} MB {row['heap'] / 1e6:5.0f} MB "
            f"{row['hover_ms']:5.2f} ms ({row['hover_longest_ms']:.1f})",
            flush=True,
        )
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
