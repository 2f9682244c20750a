"""How much SAT varies from one set of images to another, and how many images are enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.stats import norm

from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.inline.results import ShownInline
from zooscope.scores.outcomes import PERCENT, Outcomes, PairCells
from zooscope.statistics.bootstrap import require_confidence

NUM_SETS: Final = 10
SMALLEST: Final = 10
CELLS_AT_ONCE: Final = 2**22  # pairs times images


@dataclass(frozen=True, kw_only=True, eq=False)
class Stability(ShownInline):
    """The spread of SAT, in percent without the logarithm, by the number of images.

    Attributes:
        by_size: a row per number of images, index `images`: `std` (standard deviation over the sets, mean over the pairs),
            `expected` (predicted from the spread over all images; falls as 1 / sqrt(images)), `disjoint` (whether
            the sets share no image; otherwise each is drawn with replacement).
        pairs: a row per pair: `a`, `b`, `percent`, `std_per_image` (of one image; divided by sqrt(images) it is the standard error
            of the percentage), `needed` (images for an interval of the requested width).
        needed: images for the requested width, mean over the pairs, rounded up.
        needed_most: images for the pair that needs the most.
        width: the requested width of the interval, percent points from end to end.
        confidence: of that interval.
        num_sets: number of sets of each size.
        num_images: number of images in the study.
    """

    by_size: pd.DataFrame
    pairs: pd.DataFrame
    needed: int
    needed_most: int
    width: float
    confidence: float
    num_sets: int
    num_images: int


@check_arguments
def measure_stability(
    outcomes: Outcomes,
    *,
    pair: tuple[str, str] | None = None,
    sizes: Sequence[int] | None = None,
    num_sets: int = NUM_SETS,
    width: float = 2.0,
    confidence: float = 0.95,
    seed: int = 0,
) -> Stability:
    """Standard deviation of SAT over several sets of images, from the record alone.

    The sets of a size are disjoint if the study has enough images, otherwise drawn with replacement. The number of images needed
    for a width is extrapolated: the spread of a share over n images is assumed to fall as 1 / sqrt(n), with the spread per image
    estimated over all images of the study.

    Source: Hwang et al., ECCV 2024, Table 1: ten sets, in percent without the logarithm.

    Example:
        >>> import numpy as np
        >>> import zooscope.analyses
        >>> from zooscope.scores.outcomes import Outcomes
        >>> rate = np.array([[1, 0.8, 0.2], [0.8, 1, 0.2], [0.2, 0.2, 1]])
        >>> fooled = np.random.default_rng(0).random((3, 3, 100)) < rate[..., None]
        >>> outcomes = Outcomes.from_flags(("cnn 1", "cnn 2", "vit"), counted=np.ones((3, 3, 100), dtype=bool), fooled=fooled)
        >>> found = zooscope.analyses.measure_stability(outcomes, width=10)
        >>> found.by_size.index.tolist(), found.needed
        ([10, 20, 50, 100], 125)

    Args:
        outcomes: of attacked images; a set's size counts all of its images, also those that a pair gets wrong.
        pair: two classifiers; all pairs by default.
        sizes: numbers of images; by default 10, 20, 50, 100, ... up to all.
        num_sets: number of sets of each size.
        width: the requested width of an interval, percent points from end to end.
        confidence: of that interval.
        seed: of the sets.

    Raises:
        InvalidValueError: there is no pair with a score, a size is not between 1 and the number of images, or a setting is out of
            range.
        UnknownNameError: a classifier of the pair is unknown.
    """
    require_confidence(confidence)
    if num_sets < 2 or not width > 0:  # noqa: PLR2004
        msg = f"a spread needs at least 2 sets, a width must be positive: got {num_sets} sets and a width of {width:g}."
        raise InvalidValueError(msg)
    a, b = _find_pairs(outcomes, pair)
    num_images = outcomes.predicted.shape[-1]
    chosen = _choose_sizes(num_images) if sizes is None else sorted(set(sizes))
    if not chosen or chosen[0] < 1 or chosen[-1] > num_images:
        msg = f"sizes must be between 1 and the {num_images} images of the study: got {chosen}."
        raise InvalidValueError(msg)
    generator, disjoint = np.random.default_rng(seed), {size: num_sets * size <= num_images for size in chosen}
    sets = {
        size: draw_image_sets(num_images, size, num_sets, disjoint=disjoint[size], generator=generator).astype(np.float32)
        for size in chosen
    }
    usable, share, per_image, std = _look_at_pairs(outcomes, a, b, sets)
    if not usable.any():
        msg = "no pair of classifiers has a score yet; measure at least two classifiers on an image that both classify correctly."
        raise InvalidValueError(msg)
    a, b = a[usable], b[usable]
    needed = (2 * norm.ppf((1 + confidence) / 2) * per_image / width) ** 2
    rows = {
        size: {
            "std": float(np.nanmean(std[size])) if np.isfinite(std[size]).any() else float("nan"),
            "expected": float(per_image.mean() / np.sqrt(size)),
            "disjoint": disjoint[size],
        }
        for size in chosen
    }
    names = np.array(outcomes.names, dtype=object)
    return Stability(
        by_size=pd.DataFrame.from_dict(rows, orient="index").rename_axis("images"),
        pairs=pd.DataFrame(
            {"a": names[a], "b": names[b], "percent": PERCENT * share, "std_per_image": per_image, "needed": np.ceil(needed)}
        ).astype({"needed": int}),
        needed=ceil(needed.mean()),
        needed_most=ceil(needed.max()),
        width=width,
        confidence=confidence,
        num_sets=num_sets,
        num_images=num_images,
    )


def _find_pairs(outcomes: Outcomes, pair: tuple[str, str] | None) -> tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]]:
    """Positions of the pairs' classifiers."""
    if pair is None:
        rows, columns = np.triu_indices(len(outcomes.attacked), 1)
        return outcomes.attacked[rows], outcomes.attacked[columns]
    for name in pair:
        if name not in outcomes.names:
            kind, advice = "classifier", "`zooscope show` lists those of the study."
            raise UnknownNameError(kind, name, outcomes.names, advice)
    if pair[0] == pair[1]:
        msg = f"a pair is two classifiers: got {pair[0]} twice."
        raise InvalidValueError(msg)
    return tuple(np.array([outcomes.names.index(name)]) for name in pair)  # type: ignore[return-value]


def _choose_sizes(num_images: int) -> list[int]:
    """10, 20, 50, 100, ... and all images."""
    series = [step * 10**power for power in range(1, 9) for step in (1, 2, 5)]
    return [size for size in series if SMALLEST <= size < num_images] + [num_images]


class _Pairs(NamedTuple):
    """Which of some pairs have a score, and of those the share, its spread per image, and that over the sets of every size."""

    usable: Bool[np.ndarray, " pair"]
    share: Float[np.ndarray, " usable"]
    per_image: Float[np.ndarray, " usable"]
    std: Mapping[int, Float[np.ndarray, " usable"]]


def _look_at_pairs(
    outcomes: Outcomes,
    a: Int[np.ndarray, " pair"],
    b: Int[np.ndarray, " pair"],
    sets: Mapping[int, Float[np.ndarray, "set image"]],
) -> _Pairs:
    """Looks at the images of some pairs at a time: those of all pairs together would take more memory than the study itself."""
    at_once = max(1, CELLS_AT_ONCE // outcomes.predicted.shape[-1])
    starts = range(0, max(len(a), 1), at_once)
    parts = [_look(outcomes.take_pairs(a[start : start + at_once], b[start : start + at_once]), sets) for start in starts]
    usable, share, per_image = (np.concatenate([part[place] for part in parts]) for place in range(3))
    return _Pairs(usable, share, per_image, {size: np.concatenate([part.std[size] for part in parts]) for size in sets})


def _look(cells: PairCells, sets: Mapping[int, Float[np.ndarray, "set image"]]) -> _Pairs:
    usable = np.asarray(cells.counted.any(1))
    fooled, counted = cells.fooled[usable], cells.counted[usable]
    share = fooled.sum(1, dtype=np.int64) / counted.sum(1, dtype=np.int64)
    columns = fooled.T.astype(np.float32), counted.T.astype(np.float32)
    std = {size: _find_std(*(weights @ values for values in columns)) for size, weights in sets.items()}
    return _Pairs(usable, share, PERCENT * _find_std_per_image(fooled, counted, share), std)


def _find_std(numerator: Float[np.ndarray, "set pair"], denominator: Float[np.ndarray, "set pair"]) -> Float[np.ndarray, " pair"]:
    """Standard deviation of the percentage over the sets; NaN for pairs that have one in fewer than two sets."""
    percent = np.divide(PERCENT * numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0)
    known = np.isfinite(percent).sum(0) >= 2  # noqa: PLR2004
    std = np.full(numerator.shape[1], np.nan)
    std[known] = np.nanstd(percent[:, known], axis=0, ddof=1)
    return std


def _find_std_per_image(
    fooled: Int[np.ndarray, "pair image"], counted: Int[np.ndarray, "pair image"], share: Float[np.ndarray, " pair"]
) -> Float[np.ndarray, " pair"]:
    """Standard deviation of a ratio of sums, per image drawn, by the delta method."""
    linear = (fooled - share[:, None] * counted) / counted.mean(1)[:, None]
    return np.asarray(np.sqrt((linear**2).mean(1)))


def draw_image_sets(
    num_images: int, size: int, count: int, *, disjoint: bool, generator: np.random.Generator
) -> Float[np.ndarray, "set image"]:
    """How often each image is in each set."""
    result = np.zeros((count, num_images))
    if disjoint:
        chosen = generator.permutation(num_images)[: count * size].reshape(count, size)
        np.put_along_axis(result, chosen, 1.0, axis=1)
    else:
        result += generator.multinomial(size, np.full(num_images, 1 / num_images), size=count)
    return result
