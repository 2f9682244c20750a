"""How often intervals of other similarities than SAT hold the truth: simulated pairs of classifiers, as a Markdown table.

    python benchmarks/interval_coverage_rivals.py --times 400

Each pair is measured on images (triplets, for the agreement of decision regions) that are drawn anew. The true score is that of
very many images; of CKA, whose cost grows with the square, it is computed from the covariances. The scores are those of the
registry, so that their own intervals are checked. The table of docs/intervals.md is what it prints.
"""

import argparse
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from interval_coverage import CONFIDENCE, Tally
from jaxtyping import Float

from zooscope.scores.registry import SIMILARITIES
from zooscope.scores.similarity import Measured
from zooscope.statistics.bootstrap import Interval

NUM_CLASSES: Final = 5
MANY: Final = 40_000
NUM_PAIRS: Final = 10  # measured at once
NAMES: Final = tuple(f"{side} {pair}" for pair in range(NUM_PAIRS) for side in "ab")
Simulate = Callable[[int, np.random.Generator], Measured]


def simulate_logits(ease: float, common: float) -> Simulate:
    """Two classifiers whose margins of the true class have a part in common."""

    def simulate(num_images: int, generator: np.random.Generator) -> Measured:
        labels = generator.integers(0, NUM_CLASSES, num_images)
        image, own = _draw(num_images, NUM_CLASSES, generator)
        logits = np.sqrt(common) * image + np.sqrt(1 - common) * own
        logits[:, np.arange(num_images), labels] += ease
        part = dict(zip(NAMES, logits.astype(np.float32), strict=True))
        return _describe(labels, logits.argmax(axis=2), part)

    return simulate


def simulate_gradients(common: float) -> Simulate:
    """Gradients of 20 pixels with a part in common; each classifier errs on one image in five."""

    def simulate(num_images: int, generator: np.random.Generator) -> Measured:
        image, own = _draw(num_images, 20, generator)
        part = dict(zip(NAMES, common * image + (1 - common) * own, strict=True))
        clean = (generator.random((len(NAMES), num_images)) < 0.2).astype(np.int64)
        return _describe(np.zeros(num_images, dtype=np.int64), clean, part)

    return simulate


def simulate_features(common: float) -> Simulate:
    """Features of both classifiers: their own, and those of the image, of unequal variance."""

    def simulate(num_images: int, generator: np.random.Generator) -> Measured:
        image, own = (values * SPREADS for values in _draw(num_images, len(SPREADS), generator))
        part = dict(zip(NAMES, np.sqrt(common) * image + np.sqrt(1 - common) * own, strict=True))
        return _describe(np.zeros(num_images, dtype=np.int64), np.zeros((len(NAMES), num_images), dtype=np.int64), part)

    return simulate


SPREADS: Final = np.array([3.0, 2.0, 1.0, 1.0, 0.5, 0.5, 0.2, 0.2])


def simulate_planes(concentration: float) -> Simulate:
    """Predicted classes on the 50 points of each triplet, of which a part of its own is the same for both."""

    def simulate(num_triplets: int, generator: np.random.Generator) -> Measured:
        share = generator.beta(0.8 * concentration, 0.2 * concentration, (NUM_PAIRS, num_triplets, 1))
        apart = (generator.random((NUM_PAIRS, num_triplets, 50)) > share).astype(np.int64)
        both = np.stack([np.zeros_like(apart), apart], axis=1).reshape(len(NAMES), num_triplets, 50)
        clean = np.zeros((len(NAMES), 1), dtype=np.int64)
        return _describe(np.zeros(1, dtype=np.int64), clean, dict(zip(NAMES, both, strict=True)))

    return simulate


def _draw(num_images: int, length: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """What both classifiers of a pair have in common, and what each has for itself."""
    common = generator.standard_normal((NUM_PAIRS, num_images, length)).repeat(2, axis=0)
    return common, generator.standard_normal(common.shape)


def _describe(labels: np.ndarray, clean: np.ndarray, part: Mapping[str, np.ndarray]) -> Measured:
    return Measured(names=NAMES, labels=labels, clean=clean, num_parts=1, read_part=lambda _: part)


OF_LOGITS: Final = ("error_consistency", "capa", "disagreement", "double_fault", "q_statistic", "positive_flips")
CASES: Final[tuple[tuple[str, str, Simulate, float | None], ...]] = (
    *(
        (name, words, simulate_logits(ease, common), None)
        for name in OF_LOGITS
        for words, ease, common in (("accurate", 3.5, 0.5), ("average", 2.0, 0.5), ("average, alike", 2.0, 0.9))
    ),
    ("gradient_cosine", "unlike", simulate_gradients(0.2), None),
    ("gradient_cosine", "alike", simulate_gradients(0.7), None),
    ("cka", "unlike", simulate_features(0.2), 0.2**2),
    ("cka", "alike", simulate_features(0.8), 0.8**2),
    ("agreement", "triplets alike", simulate_planes(20), 0.8),
    ("agreement", "triplets unlike", simulate_planes(1), 0.8),
)


def main() -> None:
    """Simulates and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=400, help="simulated pairs per number")
    parser.add_argument("--scores", nargs="+", choices=sorted(SIMILARITIES), default=sorted(SIMILARITIES), metavar="SCORE")
    parser.add_argument("--sizes", nargs="+", type=int, default=[30, 100, 300])
    arguments = parser.parse_args()
    heads = ["score", "classifiers", "truth", *(f"{size} images" for size in arguments.sizes)]
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    generator = np.random.default_rng(0)
    for name, words, simulate, truth in CASES:
        if name not in arguments.scores:
            continue
        compute = SIMILARITIES[name].compute
        true = truth if truth is not None else float(_take(compute(simulate(MANY, generator), None).score).mean())
        tallies = [Tally() for _ in arguments.sizes]
        for size, tally in zip(arguments.sizes, tallies, strict=True):
            for _ in range(arguments.times // NUM_PAIRS):
                found = compute(simulate(size, generator), CONFIDENCE)
                known = np.isfinite(_take(found.low))
                tally.add(Interval(_take(found.low)[known], _take(found.high)[known]), true)
        print(f"| {name} | {words} | {true:.3f} | " + " | ".join(map(str, tallies)) + " |", flush=True)


def _take(matrix: Float[np.ndarray, "a b"]) -> Float[np.ndarray, " cell"]:
    return matrix[::2, 1::2].diagonal()


if __name__ == "__main__":
    main()
