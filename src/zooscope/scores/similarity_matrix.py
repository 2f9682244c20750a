"""Similarity scores as labelled matrices."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from zooscope.inline.matrix import ScoreMatrix
from zooscope.scores.similarity import Measured, Pairs, Similarity
from zooscope.statistics.bootstrap import require_confidence


def make_similarity_matrix(
    similarity: Similarity, measured: Measured, *, confidence: float | None, missing: Mapping[str, str]
) -> xr.DataArray:
    """A score of all pairs, with intervals.

    Args:
        similarity: the score.
        measured: what it is computed from.
        confidence: of the intervals `low` and `high`; None leaves them out.
        missing: classifiers that have no score, with the reason.

    Returns:
        Dimensions `a` and `b`; coordinates `count` (images or triplets that the score is computed from), `low`, `high`, and
        `reason`: why a score or an interval is NaN, empty where neither is. Attributes: from `Similarity`, and the confidence.

    Raises:
        InvalidValueError: the confidence is not in (0, 1).
    """
    if confidence is not None:
        require_confidence(confidence)
    pairs = score_pairs(similarity, measured, confidence=confidence, missing=missing)
    coordinates = {"count": pairs.counted, "reason": pairs.reason.astype(str)}
    if confidence is not None:
        coordinates |= {"low": pairs.low, "high": pairs.high}
    names = list(measured.names)
    return ScoreMatrix(
        pairs.score,
        dims=("a", "b"),
        coords={"a": names, "b": names} | {key: (("a", "b"), values) for key, values in coordinates.items()},
        name=similarity.name,
        attrs={
            "title": similarity.title,
            "larger_is_more_similar": similarity.larger_is_more_similar,
            "is_symmetric": similarity.is_symmetric,
            "resampling": str(similarity.resampling),
            "reference": similarity.reference,
            "confidence": confidence or 0.0,
        },
    )


def score_pairs(similarity: Similarity, measured: Measured, *, confidence: float | None, missing: Mapping[str, str]) -> Pairs:
    """A score of all pairs as arrays; arguments are those of `make_similarity_matrix`."""
    places = np.array([place for place, name in enumerate(measured.names) if name not in missing], dtype=np.int64)
    known = similarity.compute(measured.take([measured.names[place] for place in places]), confidence) if len(places) else None
    return _spread(known, places, measured.names, missing)


def _spread(known: Pairs | None, places: np.ndarray, names: tuple[str, ...], missing: Mapping[str, str]) -> Pairs:
    """The pairs of some classifiers among the pairs of all."""
    size = len(names)
    score, low, high = np.full((3, size, size), np.nan)
    count, reason = np.zeros((size, size), dtype=np.int64), np.full((size, size), "", dtype=object)
    for place, name in enumerate(names):
        if name in missing:
            reason[place, :] = reason[:, place] = missing[name]
    if known is not None:
        here = np.ix_(places, places)
        score[here], low[here], high[here], count[here], reason[here] = known
    return Pairs(score, low, high, count, reason)
