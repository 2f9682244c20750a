"""The recipe of the table of rounding in docs/attack-settings.md: how far scores differ when only rounding errors do.

    python recipes/rounding.py --out attacks
    python recipes/rounding.py --out attacks --steps step-0.1 --ways batch-20 float64
    python recipes/rounding.py --out large --ways last-bit --classifiers timm:resnet18 timm:mobilenetv2_100 --images folder:PHOTOS

The same study, of the same classifiers, images and attack, computed in other ways, each compared with batches of 100:

batch-7, batch-20   Other batches: sums inside a network may be taken in another order.
last-bit            Pixels are normalised by a multiplication and an addition in place of a subtraction and a division, which
                    changes the last bits of what a network takes, and so of everything after.
float64             Networks compute in float64, where rounding errors are too small to turn the sign of a gradient; four of the
                    bundled classifiers, as it is slow.

Each study is in a folder of its own below `--out`, shared with attack_settings.py; killed and started again, it goes on where it
was. Prints a Markdown table with a row per step size and way, and then on what share of the images attacked through each source
some target is fooled in one study only.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import zooscope.images.torchvision_operators

import numpy as np
import torch
from attack_settings import BATCH_SIZE, CLASSIFIERS, COUNT, IMAGES, ROWS, measure
from jaxtyping import Bool, Float
from scipy.stats import spearmanr
from torch import Tensor, nn

import zooscope
from zooscope.classifiers.classifier import Classifier

STEPS: Final = ("step-0.1", "step-8", "step-2", "step-1")
BATCH_SIZES: Final = {"batch-7": 7, "batch-20": 20}
WAYS: Final = (*BATCH_SIZES, "last-bit", "float64")
FEW: Final = ("bundled:convnext", "bundled:efficientnet", "bundled:resnet", "bundled:vit")


class _Double(nn.Module):
    """A network that computes in float64, from pixels in float32."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.double()

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.network(pixels.double())
        return logits


class _Normalised(nn.Module):
    """A network that takes pixels in [0, 1], and normalises them as factor * pixels + offset."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.network = classifier.network
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (classifier.mean, classifier.std))
        self.factor, self.offset = nn.Buffer(1 / std), nn.Buffer(-mean / std)

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.network(self.factor * pixels + self.offset)
        return logits


def load_changed(name: str, way: str) -> Classifier:
    """A bundled classifier that computes in another way."""
    classifier = zooscope.load_classifier(name)
    if way == "float64":
        return replace(classifier, network=_Double(classifier.network).eval(), address=None)
    network = _Normalised(classifier).eval()
    return replace(classifier, network=network, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), address=None)


def measure_way(
    out: Path, step: str, way: str, *, classifiers: Sequence[str], images: str = IMAGES, count: int = COUNT
) -> zooscope.Snapshot:
    """The study of a step size, computed in another way."""
    names = FEW if way == "float64" and images == IMAGES else classifiers
    chosen = [name if way in BATCH_SIZES else load_changed(name, way) for name in names]
    size = BATCH_SIZES.get(way, BATCH_SIZE)
    return measure(out / f"{step}-{way}", ROWS[step].attack, classifiers=chosen, images=images, count=count, batch_size=size)


class Scores(NamedTuple):
    """Outcomes and scores of a study, for all pairs of different classifiers.

    Attributes:
        counted: images that source and target get right, by (source, target).
        fooled: those that the attack then fools.
        sat: SAT by pair.
        low: of its 95 % interval.
        high: likewise.
    """

    counted: Bool[np.ndarray, "cell image"]
    fooled: Bool[np.ndarray, "cell image"]
    sat: Float[np.ndarray, " pair"]
    low: Float[np.ndarray, " pair"]
    high: Float[np.ndarray, " pair"]

    @classmethod
    def of(cls, snapshot: zooscope.Snapshot) -> "Scores":
        """The outcomes and scores of a study."""
        size = len(snapshot.names)
        rows, columns = np.triu_indices(size, 1)
        cells = snapshot.outcomes.take_cells(*np.nonzero(~np.eye(size, dtype=bool)))
        sat = snapshot.sat()
        ends = (values.to_numpy()[rows, columns] for values in (sat, sat.low, sat.high))
        return cls(cells.counted, cells.fooled, *ends)


def describe(reference: Scores, other: Scores) -> str:
    """How far two studies differ, beside the intervals of the first."""
    both = reference.counted & other.counted
    differing = 100 * (reference.fooled != other.fooled)[both].mean()
    points = np.exp(other.sat) - np.exp(reference.sat)
    half = (np.exp(reference.high) - np.exp(reference.low)) / 2
    outside = ((other.sat < reference.low) | (other.sat > reference.high)).sum()
    return (
        f"{differing:.1f} | {np.sqrt((points**2).mean()):.1f} | {np.abs(points).max():.1f} | "
        f"{np.abs(other.sat - reference.sat).max():.2f} | {np.median(half):.1f} | {outside} of {len(points)} | "
        f"{spearmanr(reference.sat, other.sat).statistic:.3f}"
    )


def describe_sources(reference: zooscope.Snapshot, other: zooscope.Snapshot) -> str:
    """By source, images of which some outcome differs, in percent of the images attacked."""
    found = []
    for place, name in enumerate(reference.names):
        everyone = np.arange(len(reference.names))
        cells = [snapshot.outcomes.take_cells(np.full_like(everyone, place), everyone) for snapshot in (reference, other)]
        counted = cells[0].counted & cells[1].counted
        differs = (cells[0].fooled != cells[1].fooled) & counted
        found.append(f"{name} {100 * differs.any(0).sum() / counted.any(0).sum():.1f}")
    return ", ".join(found)


def main() -> None:
    """Measures every step size in every way, and prints a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--classifiers", nargs="+", default=CLASSIFIERS)
    parser.add_argument("--images", default=IMAGES)
    parser.add_argument("--count", type=int, default=COUNT)
    args = parser.parse_args()
    print(
        "| step size | computed | outcomes that differ, % | difference, points | largest | largest, SAT | half an interval, points "
        "| outside the interval | rank correlation |\n|---|---|---|---|---|---|---|---|---|"
    )
    sources = []
    for step in args.steps:
        zoo = {"classifiers": args.classifiers, "images": args.images, "count": args.count}
        reference = measure(args.out / step, ROWS[step].attack, **zoo)
        for way in args.ways:
            other = measure_way(args.out, step, way, **zoo)
            first = reference if len(other.names) == len(reference.names) else reference.take(other.names)
            print(f"| {step} | {way} | {describe(Scores.of(first), Scores.of(other))} |", flush=True)
            sources.append(f"{step}, {way}: {describe_sources(first, other)}")
    print("", *sources, sep="\n")


if __name__ == "__main__":
    main()
