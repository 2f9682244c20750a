"""How much scores move when the same study is computed in another way: rounding, pair by pair.

    python benchmarks/numerics.py
    python benchmarks/numerics.py --classifiers resnet vit --count 40 --ways fast bf16 fp16   # half precision is slow on a CPU

The paper's attack steps further than its ball is wide, so that a gradient's sign decides where a pixel ends, and one that is nearly
zero may fall either way. What differs in the last bit then grows along the attack. The study is measured plainly in batches of 100;
then in other batches, which nobody would call another measurement; then prepared for speed; then in half precision. Printed
are, over all pairs, the differences in percentage points of the images that fool (the percent of SAT), and how many pairs differ
significantly: paired over images, a 95 % interval of the difference that leaves out 0. The interval of the mean over all pairs
comes from drawing images for all pairs at once.
"""

import argparse
import json
from typing import Any, Final

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import zooscope

CLASSIFIERS: Final = ("resnet", "convnext", "vit", "mixer", "efficientnet", "swin")
WAYS: Final[dict[str, dict[str, Any]]] = {
    "batches of 100": {"exact": True},
    "batches of 37": {"exact": True, "batch_size": 37},
    "batches of 25": {"exact": True, "batch_size": 25},
    "fast": {},
    "bf16": {"precision": "bf16"},
    "fp16": {"precision": "fp16"},
}
DRAWS: Final = 2000

Array = np.ndarray[Any, Any]


def measure(addresses: list[str], count: int, *, batch_size: int = 100, **how: Any) -> Array:  # noqa: ANN401  (of Study.in_memory)
    """Whether each image fools, by source and target; NaN where it doesn't count."""
    images = zooscope.load_images("bundled:cifar10").sample(count, seed=0)
    with zooscope.Study.in_memory(classifiers=addresses, images=images, **how) as study:
        study.run(device="cpu", batch_size=batch_size)
        predictions, labels = study.predictions, images.labels
    right = predictions.clean == labels
    counted = right[:, None] & right[None]
    fooled: Array = np.where(counted, predictions.transfer != labels, np.nan)
    return fooled


def compare(fooled: Array, reference: Array, generator: np.random.Generator) -> dict[str, float]:
    """Differences of two measurements over all pairs of classifiers; `low` to `high` is the 95 % interval of their mean."""
    num_images, rows, columns = fooled.shape[-1], *np.triu_indices(len(fooled), 1)
    changes = 100 * np.nanmean([(fooled - reference)[rows, columns], (fooled - reference)[columns, rows]], axis=0)  # pair, image
    draws = np.stack([np.nanmean(changes[:, generator.integers(0, num_images, num_images)], axis=1) for _ in range(DRAWS)])
    differences, (lows, highs) = np.nanmean(changes, axis=1), np.nanquantile(draws, [0.025, 0.975], axis=0)
    low, high = np.nanquantile(draws.mean(1), [0.025, 0.975])
    outcomes = ~np.isnan(reference) & ~np.isnan(fooled)
    return {
        "pairs": len(differences),
        "images": num_images,
        "outcomes_changed": float(100 * (fooled != reference)[outcomes].mean()),
        "mean": float(np.mean(differences)),
        "low": float(low),
        "high": float(high),
        "mean_absolute": float(np.abs(differences).mean()),
        "largest": float(np.abs(differences).max()),
        "significant": int(((lows > 0) | (highs < 0)).sum()),
    }


def main() -> None:
    """Measures in every way and prints the differences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classifiers", nargs="+", default=CLASSIFIERS, help="names of bundled classifiers")
    parser.add_argument("--count", type=int, default=160, help="images")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS)[1:], default=list(WAYS)[1:4])
    arguments = parser.parse_args()
    addresses = [f"bundled:{name}" for name in arguments.classifiers]
    table = Table(title=f"Against batches of 100: {len(addresses)} classifiers, {arguments.count} images; percentage points")
    for heading in ("way", "outcomes changed, %", "mean", "95 % interval", "mean absolute", "largest", "pairs that differ"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    measured, results = dict[str, Array](), dict[str, dict[str, float]]()
    measured["batches of 100"] = measure(addresses, arguments.count, **WAYS["batches of 100"])
    for way in arguments.ways:
        measured[way] = measure(addresses, arguments.count, **WAYS[way])
        found = results[way] = compare(measured[way], measured["batches of 100"], np.random.default_rng(0))
        changed, mean, low, high, size, largest = (
            f"{found[key]:.2f}" for key in ("outcomes_changed", "mean", "low", "high", "mean_absolute", "largest")
        )
        table.add_row(way, changed, mean, f"{low} to {high}", size, largest, f"{found['significant']} of {found['pairs']}")
        Console(stderr=True).print(way, found)
    Console().print(table)
    print(json.dumps({"benchmark": "numerics", "torch": torch.__version__, "results": results}))


if __name__ == "__main__":
    main()
