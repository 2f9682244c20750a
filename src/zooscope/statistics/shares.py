"""Confidence intervals of shares, such as the share of images that fool: Wilson's, with an effective number of images.

Both directions of a pair are measured on the same images, and an image that fools in one direction tends to fool in the other. So
n images are worth between n and 2 n independent outcomes, or more where one direction fools far more often than the other. How many
is found from how much the images differ: m = p (1 - p) / v, at least n, with p the share and v the variance of the mean over
images. To find v, an image of the greatest variance, p (1 - p), is added, so that images that happen to be alike don't claim
certainty.

The interval is Wilson's for m outcomes, and reaches at least to the one-sided bounds of Clopper and Pearson of the same confidence:
where few images are fooled, or few are not, Wilson's interval holds the truth too rarely. `benchmarks/interval_coverage.py`
measures how often these intervals hold the truth.

Source: Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927). Korn and Graubard, Confidence
Intervals for Proportions with Small Expected Number of Positive Counts Estimated from Survey Data, Survey Methodology 24 (1998):
the effective number. Brown, Cai and DasGupta, Interval Estimation for a Binomial Proportion, Statistical Science 16 (2001):
one-sided bounds where few are counted.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Real
from scipy.special import betaincinv, ndtri

from zooscope.errors import InvalidValueError
from zooscope.statistics.bootstrap import Interval, require_confidence


class Shares(NamedTuple):
    """Shares, one per cell, and what they rest on; NaN, and 0 images, where nothing is counted.

    Attributes:
        share: sum(fooled) / sum(counted), in [0, 1].
        effective: number of independent outcomes that vary as much; at least the number of counted images.
    """

    share: Float[np.ndarray, " cell"]
    effective: Float[np.ndarray, " cell"]


def bound_shares(
    fooled: Real[np.ndarray, "cell image"], counted: Real[np.ndarray, "cell image"], *, confidence: float = 0.95
) -> Interval:
    """Intervals of sum(fooled) / sum(counted) for many cells at once; see the module's first lines.

    Example:
        >>> counted = np.ones((2, 20), dtype=np.int8)
        >>> fooled = np.stack([counted[0], np.arange(20) < 5]).astype(np.int8)
        >>> low, high = bound_shares(fooled, counted)
        >>> low.round(2), high.round(2)
        (array([0.84, 0.1 ]), array([1.  , 0.47]))

    Args:
        fooled: what was fooled per image, from 0 to what was counted; 0 where the image doesn't count.
        counted: what was counted per image: 0 where the image doesn't count, and one number per cell where it does.
        confidence: coverage, in (0, 1).

    Returns:
        Ends in [0, 1], which contain the share; NaN where nothing is counted.

    Raises:
        InvalidValueError: the confidence is not in (0, 1), or the counted images of a cell count differently.
    """
    require_confidence(confidence)
    return bound_effective(measure_shares(fooled, counted), confidence=confidence)


def measure_shares(fooled: Real[np.ndarray, "cell image"], counted: Real[np.ndarray, "cell image"]) -> Shares:
    """Shares of many cells and their effective number of images; arguments and errors as in `bound_shares`."""
    num_images = (counted > 0).sum(axis=1)
    total, most = counted.sum(axis=1, dtype=np.float64), counted.max(axis=1, initial=0).astype(np.float64)
    if (total != most * num_images).any():
        cell = int(np.argmax(total != most * num_images))
        msg = f"all counted images of a cell must count the same: those of cell {cell} don't; count each image once."
        raise InvalidValueError(msg)
    share = _divide(fooled.sum(axis=1, dtype=np.float64), total)
    squares = _divide(np.einsum("ci,ci->c", fooled, fooled, dtype=np.float64), most**2)
    variance = share * (1 - share)
    spread = np.maximum(squares - num_images * share**2, 0) + variance
    effective = np.maximum(_divide(num_images**2 * variance, spread), num_images)
    return Shares(share, np.where(np.isnan(effective), num_images, effective))


def bound_effective(shares: Shares, *, confidence: float) -> Interval:
    """Intervals of shares whose effective number of images is known."""
    share, number = shares.share, np.where(shares.effective > 0, shares.effective, np.nan)
    z = ndtri((1 + confidence) / 2)
    middle = (share + z**2 / (2 * number)) / (1 + z**2 / number)
    half = z / (1 + z**2 / number) * np.sqrt(share * (1 - share) / number + z**2 / (4 * number**2))
    hits, rest = share * number, (1 - share) * number
    none, every = hits == 0, rest == 0
    lowest = betaincinv(np.where(none, 1, hits), rest + 1, 1 - confidence)
    highest = betaincinv(hits + 1, np.where(every, 1, rest), confidence)
    low = np.where(none, 0, np.minimum(np.maximum(middle - half, 0), lowest))
    high = np.where(every, 1, np.maximum(np.minimum(middle + half, 1), highest))
    return Interval(low, high)


def _divide(numerator: Real[np.ndarray, " cell"], denominator: Real[np.ndarray, " cell"]) -> Float[np.ndarray, " cell"]:
    """The quotient; NaN where the denominator is 0 or NaN."""
    return np.asarray(np.divide(numerator, denominator, out=np.full(np.shape(numerator), np.nan), where=denominator > 0))
