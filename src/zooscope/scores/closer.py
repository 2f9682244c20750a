"""Whether a classifier is closer to one than to another, and how many images it takes to tell."""

from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import norm

from zooscope.inline.results import show_result
from zooscope.scores.outcomes import PERCENT, Outcomes
from zooscope.scores.sat import EPSILON_S, take_log_score
from zooscope.statistics.bootstrap import Interval
from zooscope.statistics.combinations import bound_combinations

POWER: Final = 0.8


class Differences(NamedTuple):
    """SAT of a classifier with one minus its SAT with each of several others, natural log.

    Attributes:
        difference: NaN where one of the two scores is.
        interval: its ends.
        certainty: one-sided confidence that the difference has its sign: 0.5 where it is 0, 1 where no doubt is left; NaN likewise.
        num_images: images at which a difference of this size would be told from 0 with 80 % power; infinite where it is 0.
    """

    difference: Float[np.ndarray, " other"]
    interval: Interval
    certainty: Float[np.ndarray, " other"]
    num_images: Float[np.ndarray, " other"]

    @property
    def are_told_apart(self) -> np.ndarray:
        """Where 0 is outside the interval."""
        return np.asarray((self.interval.low > 0) | (self.interval.high < 0))


class Closer(NamedTuple):
    """Whether A is closer to B than to C.

    Attributes:
        difference: SAT(A, B) - SAT(A, C), natural log: positive where A is closer to B.
        low: lower end of its interval.
        high: upper end.
        confidence: of the interval.
        certainty: one-sided confidence that the difference has its sign, from 0.5 to 1.
        images_for_80_percent_power: images at which a difference of this size would be told from 0 in four of five samples;
            infinite where it is 0.
    """

    difference: float
    low: float
    high: float
    confidence: float
    certainty: float
    images_for_80_percent_power: float

    def _repr_html_(self) -> str:
        return show_result(self)

    @property
    def is_told_apart(self) -> bool:
        """Whether these images show which one is closer: 0 is outside the interval."""
        return self.low > 0 or self.high < 0


def measure_differences(
    outcomes: Outcomes,
    a: int,
    b: int,
    others: Int[np.ndarray, " other"],
    *,
    confidence: float = 0.95,
    epsilon_s: float = EPSILON_S,
) -> Differences:
    """SAT(a, b) - SAT(a, c) for several c, with paired intervals: both scores are of the same images.

    The number of images is found from the interval's half towards 0, which narrows as 1 / sqrt(images): a two-sided test at this
    confidence tells the difference from 0 in four of five samples of so many images, if it is as large as it is here.

    Example:
        >>> import numpy as np
        >>> rate = np.array([[1, 0.8, 0.4], [0.8, 1, 0.4], [0.4, 0.4, 1]])
        >>> fooled = np.random.default_rng(0).random((3, 3, 100)) < rate[..., None]
        >>> outcomes = Outcomes.from_flags(("a", "b", "c"), counted=np.ones((3, 3, 100), dtype=bool), fooled=fooled)
        >>> found = measure_differences(outcomes, 0, 1, np.array([2]))
        >>> found.difference.round(2), found.are_told_apart
        (array([0.71]), array([ True]))

    Args:
        outcomes: of attacked images.
        a: position of a classifier.
        b: position of the one that its closeness to is compared.
        others: positions of those that it is compared with.
        confidence: of the intervals, in (0, 1).
        epsilon_s: lower bound of percentages, so that the logarithm is finite.

    Raises:
        InvalidValueError: confidence or epsilon_s is out of range.
    """
    partners = np.array([b, *others])
    weights = np.concatenate([np.ones((len(others), 1)), -np.eye(len(others))], axis=1)  # the first minus each of the others
    difference, interval = bound_combinations(
        *outcomes.take_pairs(np.full(len(partners), a), partners),
        weights,
        confidence=confidence,
        scale=lambda share: take_log_score(PERCENT * share, epsilon_s=epsilon_s),
    )
    towards_zero = np.where(difference > 0, difference - interval.low, interval.high - difference)
    z = norm.ppf((1 + confidence) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        deviations = z * np.abs(difference) / towards_zero  # of the difference from 0, in standard errors
        num_images = len(outcomes.labels) * ((z + norm.ppf(POWER)) / deviations) ** 2
    equal = difference == 0
    return Differences(difference, interval, np.where(equal, 0.5, norm.cdf(deviations)), np.where(equal, np.inf, num_images))
