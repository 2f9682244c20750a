"""Whether a classifier of a study is closer to one than to another."""

from collections.abc import Sequence

import numpy as np

from zooscope.errors import InvalidValueError, StudyError
from zooscope.scores.closer import Closer, measure_differences
from zooscope.scores.outcomes import Outcomes
from zooscope.words import quote_path


def compare_closeness(
    outcomes: Outcomes,
    names: tuple[str, str, str],
    *,
    sources: Sequence[str],
    place: str,
    confidence: float,
    epsilon_s: float,
) -> Closer:
    """Is the first closer to the second than to the third?

    Args:
        outcomes: of the study.
        names: of three of its classifiers.
        sources: the classifiers that are attacked.
        place: the study's folder, for sentences.
        confidence: of the interval, in (0, 1).
        epsilon_s: lower bound of percentages, so that the logarithm is finite.

    Raises:
        InvalidValueError: the three are not different, or confidence or epsilon_s is out of range.
        StudyError: a pair has no score.
    """
    if len(set(names)) < len(names):
        msg = f"whether A is closer to B than to C asks for three different classifiers: got {', '.join(names)}."
        raise InvalidValueError(msg)
    a, b, c = (outcomes.names.index(name) for name in names)
    found = measure_differences(outcomes, a, b, np.array([c]), confidence=confidence, epsilon_s=epsilon_s)
    if np.isnan(found.difference[0]):
        raise StudyError(_say_what_is_missing(outcomes, names, sources, place))
    return Closer(
        difference=float(found.difference[0]),
        low=float(found.interval.low[0]),
        high=float(found.interval.high[0]),
        confidence=confidence,
        certainty=float(found.certainty[0]),
        images_for_80_percent_power=float(found.num_images[0]),
    )


def _say_what_is_missing(outcomes: Outcomes, names: tuple[str, str, str], sources: Sequence[str], place: str) -> str:
    """The first pair without a score, and why it has none."""
    a, *others = names
    pairs = outcomes.take_pairs(
        np.full(len(others), outcomes.names.index(a)), np.array([outcomes.names.index(name) for name in others])
    )
    other = others[int(np.argmin(pairs.counted.any(-1)))]
    targets = [name for name in (a, other) if name not in sources]
    if targets:
        return f"{a} and {other} have no score: {targets[0]} is a target only, and SAT takes both directions."
    return (
        f"{a} and {other} have no score: no image that both classify correctly is measured both ways; "
        f"`zooscope measure {quote_path(place)}` measures what is missing."
    )
