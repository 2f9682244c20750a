"""How much a similarity score varies from one set of images to another, by what the set costs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from zooscope.analyses.stability import NUM_SETS, draw_image_sets
from zooscope.inline.results import ShownInline

NUM_SMALLER: Final = 3  # sizes below the largest with disjoint sets, each half of the next
FLAT: Final = 1e-9
LEAST_COMPLETE: Final = 0.9  # of the pairs; those that lack a score on small sets are not like the others


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoreStability(ShownInline):
    """The spread of a score by the size of the sets that it is computed from.

    Attributes:
        by_size: a row per size, index `units` (images or triplets in a set): `passes` (cost of a set per classifier, in forward
            passes), `std` (standard deviation over the sets, mean over the pairs, in hundredths of the score), `relative` (`std`
            over `spread`), `num_pairs` (that have a score on every set; the others are left out), `disjoint` (whether the sets
            share no image; otherwise each is drawn with replacement). Sizes of which more than a tenth of the pairs lack a score on
            some set are left out; empty where there are too few images.
        spread: standard deviation over the pairs of the score on all images, in hundredths: what a score has to tell apart.
        num_units: images (or triplets) that there are.
    """

    by_size: pd.DataFrame
    spread: float
    num_units: int


def measure_score_stability(
    score: Callable[[Int[np.ndarray, " unit"]], Float[np.ndarray, "a b"]],
    *,
    num_units: int,
    passes_per_unit: float,
    may_repeat: bool = True,
    scale: float = 100.0,
    num_sets: int = NUM_SETS,
    seed: int = 0,
) -> ScoreStability:
    """Standard deviation of a score over several sets of images (or triplets), by the cost of a set.

    Sets are disjoint as far as there are enough images; larger ones are drawn with replacement, if the score allows that.

    Source: Hwang et al., ECCV 2024, Table 1: ten sets of each size, in percent.

    Example:
        >>> values = np.random.default_rng(0).normal(size=1000)
        >>> found = measure_score_stability(
        ...     lambda images: np.full((2, 2), values[images].mean()), num_units=1000, passes_per_unit=3
        ... )
        >>> found.by_size["passes"].tolist()
        [36.0, 75.0, 150.0, 300.0, 600.0, 1200.0, 2400.0]

    Args:
        score: gives the score of all pairs on the images of these positions; symmetric, NaN where it is undefined.
        num_units: how many images there are.
        passes_per_unit: what an image costs per classifier, in forward passes.
        may_repeat: whether a set may hold an image several times.
        scale: of the score; 100 gives percent.
        num_sets: number of sets of each size.
        seed: of the sets.
    """
    generator = np.random.default_rng(seed)
    whole = scale * _take_pairs(score(np.arange(num_units)))
    known = whole[np.isfinite(whole)]
    spread = float(known.std(ddof=1)) if len(known) > 1 else float("nan")
    rows = {}
    for size in _choose_sizes(num_units, num_sets, may_repeat=may_repeat):
        disjoint = num_sets * size <= num_units
        sets = draw_image_sets(num_units, size, num_sets, disjoint=disjoint, generator=generator).astype(np.int64)
        values = scale * np.stack([_take_pairs(score(np.repeat(np.arange(num_units), times))) for times in sets])
        complete = np.isfinite(values).all(axis=0)
        if complete.sum() >= max(1, LEAST_COMPLETE * len(known)):
            std = float(values[:, complete].std(axis=0, ddof=1).mean())
            rows[size] = {
                "passes": size * float(passes_per_unit),
                "std": std,
                "relative": std / spread if spread > FLAT else float("nan"),
                "num_pairs": int(complete.sum()),
                "disjoint": disjoint,
            }
    columns = ["passes", "std", "relative", "num_pairs", "disjoint"]
    return ScoreStability(
        by_size=pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("units"),
        spread=spread,
        num_units=num_units,
    )


def _take_pairs(matrix: Float[np.ndarray, "a b"]) -> Float[np.ndarray, " pair"]:
    """Mean of both directions of every pair."""
    return np.asarray(((matrix + matrix.T) / 2)[np.triu_indices(len(matrix), 1)])


def _choose_sizes(num_units: int, num_sets: int, *, may_repeat: bool) -> list[int]:
    """The largest size that leaves the sets disjoint, its halves, and its doubles up to all images."""
    largest = num_units // num_sets
    smaller = {largest // 2**step for step in range(NUM_SMALLER + 1)} - {0}
    larger = {largest * 2**step for step in range(1, num_units.bit_length())} if may_repeat and largest else set[int]()
    return sorted(smaller | {size for size in larger if size <= num_units})
