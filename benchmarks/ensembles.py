"""All ensembles of two of a zoo, from stored logits: zooscope compared with the naive method.

    python benchmarks/ensembles.py
    python benchmarks/ensembles.py --classifiers 20 --images 1000 --rounds 3

Two methods for the top-1 error of every pair, in one process, in turn, in another order each round, after a warm-up:

naive      For every pair: both classifiers' logits as float32 (converted beforehand, which takes twice the memory and isn't timed),
           added, argmax, compared with the labels.
zooscope   `zooscope.analyses.averaging.find_right_ensembles`, from the float16 logits as the record holds them.

Logits are synthetic: noise, eight classes per image that are mistaken for the true one (alike within families of classifiers),
and the true class, so that classifiers get about three quarters of the images right. What is compared is the ratio within a round;
its median is printed. Both must agree on every image of every pair. The last line is the same as JSON.
"""

import argparse
import json
import resource
import time
from itertools import cycle, islice, permutations
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from zooscope.analyses.averaging import CleanLogits, find_right_ensembles

if TYPE_CHECKING:
    from collections.abc import Callable

FAMILIES: Final = 10
RIVALS: Final = 8

Array = np.ndarray[Any, Any]


def make_logits(num_classifiers: int, num_images: int, num_classes: int) -> CleanLogits:
    """Logits in which a few classes per image compete."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, num_classes, num_images)
    rivals = generator.integers(0, num_classes, (num_images, RIVALS))
    likeness, clear = generator.normal(4, 1.5, rivals.shape), generator.normal(10, 3.2, num_images)
    families = generator.normal(0, 1.2, (FAMILIES, *rivals.shape))
    values = []
    for number in range(num_classifiers):
        logits = generator.standard_normal((num_images, num_classes), dtype=np.float32)
        logits[np.arange(num_images)[:, None], rivals] += (
            likeness + families[number % FAMILIES] + generator.normal(size=rivals.shape)
        ).astype(np.float32)
        logits[np.arange(num_images), labels] += (clear + generator.normal(0, 1.5, num_images)).astype(np.float32)
        values.append(logits.astype(np.float16))
    return CleanLogits(names=tuple(map(str, range(num_classifiers))), values=tuple(values), labels=labels)


def measure_peak_memory() -> float:
    """The peak memory of this process so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    """Runs both methods and prints the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classifiers", type=int, default=69)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    console = Console()

    logits = make_logits(arguments.classifiers, arguments.images, arguments.classes)
    pairs = np.stack(np.triu_indices(arguments.classifiers, 1), axis=1)

    def run_zooscope() -> Array:
        return find_right_ensembles(logits, [pairs])[0]

    begin = time.perf_counter()
    ours = run_zooscope()
    first, memory = time.perf_counter() - begin, measure_peak_memory()
    wide = [values.astype(np.float32) for values in logits.values]

    def run_naive() -> Array:
        return np.array([(wide[a] + wide[b]).argmax(1) == logits.labels for a, b in pairs])

    different = int((run_naive() != ours).sum())
    ways: dict[str, Callable[[], Array]] = {"naive": run_naive, "zooscope": run_zooscope}
    rounds: list[dict[str, float]] = []
    for order in islice(cycle(permutations(ways)), arguments.rounds):
        seconds = {}
        for name in order:
            begin = time.perf_counter()
            ways[name]()
            seconds[name] = time.perf_counter() - begin
        rounds.append(seconds)
        console.print(f"round {len(rounds)}: " + ", ".join(f"{name} {seconds[name]:.2f} s" for name in order))

    ratios = [seconds["naive"] / seconds["zooscope"] for seconds in rounds]
    console.print(
        f"{len(pairs)} pairs, {arguments.images} images, {arguments.classes} classes, accuracy {100 * logits.right.mean():.0f} %; "
        f"{different} outcomes differ."
    )
    console.print(
        f"The first pass of zooscope took {first:.2f} s; until then this process had held at most {memory:.1f} GB, with the naive "
        f"way's float32 {measure_peak_memory():.1f} GB."
    )
    table = Table("way", "seconds")
    for name in ways:
        table.add_row(name, f"{median(seconds[name] for seconds in rounds):.2f}")
    console.print(table)
    console.print(f"naive / zooscope: {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    settings = {"classifiers": arguments.classifiers, "images": arguments.images, "classes": arguments.classes}
    results = {name: median(seconds[name] for seconds in rounds) for name in ways}
    print(json.dumps({"benchmark": "ensembles", **settings, "seconds": results, "ratio": median(ratios), "different": different}))


if __name__ == "__main__":
    main()
