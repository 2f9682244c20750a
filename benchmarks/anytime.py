"""Looking while measuring: how often intervals are wrong at any look, and how many images `measure --until-...` takes.

    python benchmarks/anytime.py
    python benchmarks/anytime.py --parts coverage records --times 500

The tables of docs/intervals.md are taken from what it prints with --times 500.

coverage   of simulated pairs, looked at after every 100 of 5,000 images: percent that the interval ever doesn't hold the truth.
images     how many images a pair takes until its interval is narrow enough, and how good the ordinary interval of `show` is there.
order      of simulated studies: how often a nearest neighbour is ever found certain, and how often wrongly.
records    the studies in docs/studies: where they would have stopped, and where studies of 5,000 such images would.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int

from zooscope.scores.anytime import VALUES, bound_percent_anytime, find_certain_nearest
from zooscope.scores.outcomes import Outcomes
from zooscope.statistics.anytime import bound_anytime
from zooscope.statistics.bootstrap import Interval
from zooscope.statistics.shares import bound_shares
from zooscope.study.snapshot import read_snapshot

STUDIES: Final = Path(__file__).parents[1] / "docs" / "studies"
NUM_IMAGES: Final = 5000
SHARD_SIZE: Final = 100
NUM_LOOKS: Final = NUM_IMAGES // SHARD_SIZE
CORRELATION: Final = 0.4  # of both directions
NUM_CLASSES: Final = 10
Counts = Int[np.ndarray, "study look level"]


def main() -> None:
    """Simulates and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=sorted(PARTS), default=list(PARTS), metavar="PART")
    parser.add_argument("--times", type=int, default=100, help="simulated studies per row")
    arguments = parser.parse_args()
    for part in arguments.parts:
        print(f"\n## {part}\n", flush=True)
        PARTS[part](arguments.times)


def print_row(*cells: object, is_head: bool = False) -> None:
    """A row of a Markdown table."""
    print("| " + " | ".join(map(str, cells)) + " |" + ("\n|" + "---|" * len(cells) if is_head else ""), flush=True)


def simulate(share: float, times: int, generator: np.random.Generator, *, is_stratified: bool = False) -> Counts:
    """How many images of every shard are fooled in 0, 1, 2 directions; stratified: of classes that differ as much as they can."""
    shares = np.full(NUM_CLASSES, share)
    if is_stratified:
        spread = min(share, 1 - share)
        shares += np.where(np.arange(NUM_CLASSES) % 2, spread, -spread)
    size = SHARD_SIZE // NUM_CLASSES
    counts = np.zeros((times, NUM_LOOKS, 3), dtype=np.int64)
    for one in shares:
        both = one**2 + CORRELATION * one * (1 - one)
        counts += generator.multinomial(size, [1 - 2 * one + both, 2 * (one - both), both], (times, NUM_LOOKS))
    return counts


def bound_ordinary(counts: Counts, look: int) -> Interval:
    """The interval that `show` gives after so many shards, as if one looked only then."""
    images = np.array([np.repeat([0, 1, 2], numbers) for numbers in counts[:, :look].sum(axis=1)], dtype=np.int8)
    return bound_shares(images, np.full_like(images, 2))


def misses(interval: Interval, share: float) -> Bool[np.ndarray, " study"]:
    """Which intervals don't hold the truth."""
    return np.asarray((interval.low > share + 1e-9) | (interval.high < share - 1e-9))


def check_coverage(times: int) -> None:
    """How often the truth is ever outside."""
    generator = np.random.default_rng(0)
    print_row(
        "fooled",
        "images",
        "aimed at 5 points",
        "at 10",
        "at 20",
        "ordinary, at each look",
        "ordinary, only at the end",
        is_head=True,
    )
    for share in (0.01, 0.03, 0.1, 0.3, 0.5, 0.9):
        for is_stratified in (False, True):
            counts = simulate(share, times, generator, is_stratified=is_stratified)
            ever = [misses(bound_anytime(counts, VALUES, aim=points / 200), share).mean() for points in (5, 10, 20)]
            ordinary = np.array([misses(bound_ordinary(counts, look), share) for look in range(1, NUM_LOOKS + 1)])
            found = [*ever, ordinary.any(axis=0).mean(), ordinary[-1].mean()]
            kind = "stratified" if is_stratified else "at random"
            print_row(f"{100 * share:g} %", kind, *(f"{100 * each:.1f} %" for each in found))


def check_images(times: int) -> None:
    """How many images a pair takes, all of which count."""
    generator = np.random.default_rng(1)
    print_row(
        "fooled",
        "points",
        "images",
        "of a number fixed beforehand",
        "width at the stop",
        "ordinary there: width",
        "doesn't hold the truth",
        is_head=True,
    )
    for points in (5, 10):
        for share in (0.03, 0.1, 0.3, 0.5, 0.9):
            counts = simulate(share, times, generator)
            stops, widths, others, wrong = np.zeros(times, dtype=int), np.zeros(times), np.zeros(times), np.zeros(times, dtype=bool)
            fixed = 0
            for look in range(1, NUM_LOOKS + 1):
                left = np.flatnonzero(stops == 0)
                low, high = bound_anytime(counts[left, :look], VALUES, aim=points / 200)
                ordinary = bound_ordinary(counts, look)
                if not fixed and np.median(ordinary.high - ordinary.low) <= points / 100:
                    fixed = look
                done = left[(high - low <= points / 100) | (look == NUM_LOOKS)]
                stops[done], widths[left] = look, high - low
                others[done], wrong[done] = (ordinary.high - ordinary.low)[done], misses(ordinary, share)[done]
            images = np.percentile(SHARD_SIZE * stops, [10, 50, 90])
            print_row(
                f"{100 * share:g} %",
                points,
                f"{images[1]:.0f} ({images[0]:.0f} to {images[2]:.0f})",
                SHARD_SIZE * fixed,
                f"{100 * np.median(widths):.1f}",
                f"{100 * np.median(others):.1f}",
                f"{100 * wrong.mean():.1f} %",
            )


def simulate_study(rates: Float[np.ndarray, "a b"], right: float, generator: np.random.Generator) -> Outcomes:
    """Classifiers that fool each other at these rates, on images that are right and fooled together."""
    size = len(rates)
    easy = generator.random(NUM_IMAGES)
    fooled = np.where(generator.random((size, size, NUM_IMAGES)) < CORRELATION, easy, generator.random((size, size, NUM_IMAGES)))
    correct = generator.random((size, NUM_IMAGES)) < right
    counted = correct[:, None] & correct[None]
    return Outcomes.from_flags(tuple(map(str, range(size))), counted=counted, fooled=counted & (fooled < rates[..., None]))


def find_looks(outcomes: Outcomes, shards: list[range]) -> tuple[Int[np.ndarray, " classifier"], Int[np.ndarray, " classifier"]]:
    """After how many shards each classifier's nearest is first certain, 0 for never; and which classifier that is."""
    looks, nearest = np.zeros((2, len(outcomes.names)), dtype=int)
    for look in range(1, len(shards) + 1):
        pairs = [
            outcomes.take_images(np.arange(shards[look - 1].stop)).take_pairs(np.full(len(looks), a), np.arange(len(looks)))
            for a in range(len(looks))
        ]
        new = find_certain_nearest(outcomes, shards[:look]) & (looks == 0)
        looks[new] = look
        for a in np.flatnonzero(new):
            scores = pairs[a].fooled.sum(axis=1) / np.maximum(pairs[a].counted.sum(axis=1), 1)
            scores[a] = -1
            nearest[a] = int(np.argmax(scores))
    return looks, nearest


def check_order(times: int) -> None:
    """How often a nearest is certain, and wrong, for classifier 0 of six: one is nearer by so many points, or equally near."""
    generator = np.random.default_rng(2)
    shards = [range(start, start + 5 * SHARD_SIZE) for start in range(0, NUM_IMAGES, 5 * SHARD_SIZE)]
    print_row("fooled by the nearest", "others", "right when clean", "ever certain", "wrongly", "images", is_head=True)
    for near, far, right in (
        (0.4, 0.4, 0.8),
        (0.1, 0.1, 0.8),
        (0.43, 0.4, 0.8),
        (0.45, 0.4, 0.8),
        (0.5, 0.4, 0.8),
        (0.6, 0.4, 0.5),
    ):
        rates = np.full((6, 6), far)
        rates[0, 1] = rates[1, 0] = near
        found = [find_looks(simulate_study(rates, right, generator), shards) for _ in range(times // 5)]
        looks, nearest = np.array([each[0][0] for each in found]), np.array([each[1][0] for each in found])
        certain = looks > 0
        wrong = certain if near == far else certain & (nearest != 1)
        images = f"{5 * SHARD_SIZE * np.median(looks[certain]):.0f}" if certain.any() else "-"
        print_row(
            f"{100 * near:g} %",
            f"{100 * far:g} %",
            f"{100 * right:g} %",
            f"{100 * certain.mean():.0f} %",
            f"{100 * wrong.mean():.1f} %",
            images,
        )


def check_records(times: int) -> None:
    """Where recorded studies would have stopped; and studies of 5,000 images that are drawn from theirs."""
    print_row("study", "classifiers", "images", "shards of", "25 points", "20", "15", "10", "5", "nearest certain", is_head=True)
    generator = np.random.default_rng(3)
    for name in ("cifar10", "fashion", "resnet-one-seed"):
        recorded = read_snapshot(STUDIES / name).outcomes
        count = len(recorded.labels)
        drawn = recorded.take_images(generator.integers(count, size=NUM_IMAGES))
        for outcomes, kind, size in ((recorded, "recorded", 100), (recorded, "recorded", 25), (drawn, "drawn", 100)):
            total = len(outcomes.labels)
            shards = [range(start, min(start + size, total)) for start in range(0, total, size)]
            stops = [find_stop(outcomes, shards, points) for points in (25, 20, 15, 10, 5)]
            certain = find_certain_nearest(outcomes, shards).sum()
            print_row(name, len(outcomes.names), f"{total} {kind}", size, *stops, f"{certain} of {len(outcomes.names)}")
    del times


def find_stop(outcomes: Outcomes, shards: list[range], points: float) -> str:
    """How many images it takes until the widest interval is narrow enough."""
    upper = np.triu_indices(len(outcomes.names), 1)
    for look in range(1, len(shards) + 1):
        low, high = bound_percent_anytime(outcomes, shards[:look], points=points)
        if (high - low)[upper].max() <= points:
            return str(shards[look - 1].stop)
    return "more"


PARTS: Final[dict[str, Callable[[int], None]]] = {
    "coverage": check_coverage,
    "images": check_images,
    "order": check_order,
    "records": check_records,
}

if __name__ == "__main__":
    main()
