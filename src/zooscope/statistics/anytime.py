"""Intervals and tests that stay valid although one looks again and again: confidence sequences by betting.

An ordinary interval of 95 % holds the truth in 95 % of studies if the number of images is fixed beforehand. Whoever looks after
every shard, and stops when the interval pleases, has another chance to be wrong at each look. A confidence sequence holds the
truth at all looks at once, in at least 95 % of studies.

Against each candidate m for the mean, capital is bet that the mean is another one: an image with value x in [0, 1] multiplies the
capital by x q / m + (1 - x) (1 - q) / (1 - m). If m is the mean, this is 1 on average, whatever q is, and by Ville's inequality the
capital ever reaches 2 / alpha with a probability of at most alpha / 2. One bet says that the mean is larger (q > m), one that it is
smaller; the interval has all m against which neither has reached 2 / alpha so far. This is the hedged capital of Waudby-Smith and
Ramdas, with bets of our own: q lies `aim` from m, divided by how much the values vary, compared with values of 0 and 1 alone, in
the blocks before. Such an interval is narrowest when it is twice `aim` wide. Images that don't count leave the capital.

**Order of the images.** All images of a block (a shard) get the same bet, and one looks between blocks. So images in random order
are covered, and a stratified sample, too: if a block holds each class in its share of all images, the expected capital is a
product over its images, at most the power of their mean (inequality of arithmetic and geometric means), which is 1. Where shares
have to be rounded, this holds but for the rounding. Images that come sorted are not covered.

Source: Waudby-Smith and Ramdas, Estimating Means of Bounded Random Variables by Betting, JRSS-B 86 (2024), Theorem 3 and Section 4.
Ville, Etude critique de la notion de collectif (1939).
"""

from typing import Final

import numpy as np
from jaxtyping import Float, Int, Real

from zooscope.errors import InvalidValueError
from zooscope.statistics.bootstrap import Interval, require_confidence

LEAST: Final = 0.05  # of the capital, that a bet leaves
PRIOR_IMAGES: Final = 1.0  # of variance 1/4 and value 1/2, before any is known
NUM_STEPS: Final = 40  # of bisection
BETS: Final = (0.05, 0.1, 0.2, 0.4, 0.8)  # of a test; effects of some 1 to 30 points are found nearly as fast as by the best bet


def bound_anytime(
    counts: Int[np.ndarray, "cell block level"], values: Float[np.ndarray, " level"], *, aim: float, confidence: float = 0.95
) -> Interval:
    """Confidence sequences of means, at the last block: the intersection of the intervals after all blocks.

    Example:
        >>> counts = np.full((1, 10, 2), 50)  # ten blocks, each of 50 zeros and 50 ones
        >>> low, high = bound_anytime(counts, np.array([0.0, 1.0]), aim=0.05)
        >>> low.round(2), high.round(2)
        (array([0.46]), array([0.54]))

    Args:
        counts: how many counted images of each block have each value.
        values: in [0, 1].
        aim: half the width at which the interval is to be narrowest, in (0, 1/2); chosen before one looks.
        confidence: probability that the mean is inside at all times, at least, in (0, 1).

    Returns:
        Ends in [0, 1]; 0 and 1 where nothing is counted.

    Raises:
        InvalidValueError: confidence, aim or values are out of range.
    """
    require_confidence(confidence)
    if not 0 < aim < 1 / 2 or values.min() < 0 or values.max() > 1:
        msg = f"values must be in [0, 1], and aim in (0, 1/2): got {values.min():g} to {values.max():g}, and {aim:g}."
        raise InvalidValueError(msg)
    distance = aim / _find_variation(counts, values)
    threshold = np.log(2 / (1 - confidence))
    low = _bisect(counts, values, distance, threshold)
    return Interval(low, 1 - _bisect(counts, 1 - values, distance, threshold))


def _find_variation(
    counts: Int[np.ndarray, "cell block level"], values: Float[np.ndarray, " level"]
) -> Float[np.ndarray, "cell block"]:
    """Variance of the values before each block, compared with that of zeros and ones of the same mean: in (0, 1]."""
    before = np.cumsum(counts, axis=1) - counts
    number = before.sum(axis=2) + PRIOR_IMAGES
    mean = (before @ values + PRIOR_IMAGES / 2) / number
    squares = (before * (values - mean[..., None]) ** 2).sum(axis=2) + PRIOR_IMAGES / 4
    return np.asarray(np.minimum(squares / (number * mean * (1 - mean)), 1))


def _bisect(
    counts: Int[np.ndarray, "cell block level"],
    values: Float[np.ndarray, " level"],
    distance: Float[np.ndarray, "cell block"],
    threshold: float,
) -> Float[np.ndarray, " cell"]:
    """The least m against which the bet that the mean is larger has not reached the threshold: its capital falls with m."""
    low, high = np.zeros((2, len(counts)))
    high += 1
    for _ in range(NUM_STEPS):
        middle = (low + high) / 2
        m = middle[:, None]
        q = np.minimum(m + distance, 1 - LEAST * (1 - m))
        factors = values * (q / m)[..., None] + (1 - values) * ((1 - q) / (1 - m))[..., None]
        capital = np.cumsum((counts * np.log(factors)).sum(axis=2), axis=1).max(axis=1, initial=0)
        is_refuted = capital >= threshold
        low, high = np.where(is_refuted, middle, low), np.where(is_refuted, high, middle)
    return low


def weigh_evidence(
    joint: Int[np.ndarray, "cell block first second"], values: Float[np.ndarray, " level"], bounds: Interval
) -> Float[np.ndarray, " cell"]:
    """Evidence that one mean is larger than another, both of the same images, of which each may count others.

    If it isn't, some m lies between both: first <= m <= second. Then a bet on u (x - m) - v (y - m) gains nothing on average: x and
    y are the values of an image, a bracket is 0 where the image doesn't count, and u, v > 0 are known beforehand (here one over the
    share of images that count, in the blocks before). The logarithm of such capital is concave in m, so that over all m that are
    possible it is smallest at an end. Several bets of different size are made, and the mean of their capital counts.

    Example:
        >>> joint = np.zeros((1, 10, 3, 3), dtype=np.int64)  # 0: not counted, 1 and 2: the values
        >>> joint[0, :, 2, 1], joint[0, :, 1, 2], joint[0, :, 1, 1] = 40, 20, 40  # 60 against 40 of 100 images per block
        >>> evidence = weigh_evidence(joint, np.array([0.0, 1.0]), Interval(np.array([0.3]), np.array([0.7])))
        >>> bool(evidence > np.log(20))
        True

    Args:
        joint: how many images of each block have each value for the first mean, and for the second; in place 0 those that don't
            count, and from 1 on the values.
        values: in [0, 1].
        bounds: of the second mean, valid at all times with a probability of its own.

    Returns:
        The logarithm of the greatest capital so far. Where the first mean is not larger, and the bounds hold the second, it ever
        reaches log(1 / alpha) with a probability of at most alpha.
    """
    weights = _find_weights(joint)
    ends = np.stack(bounds, axis=-1)[:, None, None, :]
    brackets = np.concatenate([np.zeros((len(joint), 1, 1, 2)), values[None, None, :, None] - ends], axis=2)
    first, second = (weights[:, :, side, None, None] * brackets for side in (0, 1))
    gains = first[:, :, :, None] - second[:, :, None, :]  # cell, block, first, second, end
    grown = np.full((len(joint), joint.shape[1]), -np.inf)
    for bet in BETS:
        capital = np.cumsum((joint[..., None] * np.log1p(bet * gains)).sum(axis=(2, 3)), axis=1).min(axis=2)
        grown = np.logaddexp(grown, capital - np.log(len(BETS)))
    return np.asarray(grown.max(axis=1, initial=0))


def _find_weights(joint: Int[np.ndarray, "cell block first second"]) -> Float[np.ndarray, "cell block side"]:
    """One over the share of images that count for either mean in the blocks before, the larger of both weights being 1."""
    before = np.cumsum(joint, axis=1) - joint
    counted = np.stack([before[:, :, 1:].sum(axis=(2, 3)), before[..., 1:].sum(axis=(2, 3))], axis=2) + 1.0
    return np.asarray(counted.min(axis=2, keepdims=True) / counted)


def count_runs_deviation(labels: Int[np.ndarray, " image"]) -> float:
    """How far the number of runs of equal labels is from that of a random order, in standard deviations; negative: fewer runs.

    Sorted labels have the fewest runs. Labels that are all equal, or of fewer than two images, deviate by 0.

    Source: Barton and David, Multiple Runs, Biometrika 44 (1957).

    Example:
        >>> labels = np.repeat(np.arange(4), 25)
        >>> round(count_runs_deviation(labels)), abs(count_runs_deviation(np.random.default_rng(0).permutation(labels))) < 3
        (-17, True)
    """
    total = len(labels)
    sizes: Real[np.ndarray, " cls"] = np.unique(labels, return_counts=True)[1].astype(np.float64)
    if len(sizes) < 2 or total == len(sizes):  # noqa: PLR2004  (one run, or as many as images)
        return 0.0
    squares, cubes = (sizes**2).sum(), (sizes**3).sum()
    expected = total + 1 - squares / total
    variance = (squares * (squares + total * (total + 1)) - 2 * total * cubes - total**3) / (total**2 * (total - 1))
    return float((1 + (np.diff(labels) != 0).sum() - expected) / np.sqrt(variance))
