"""Classifiers described by their similarity to a few landmarks: how far the attacks on these fool each of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from zooscope.analyses.spectral import fix_signs
from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.inline.results import ShownInline
from zooscope.records.predictions import Predictions
from zooscope.scores.outcomes import PERCENT, find_outcomes, find_percent
from zooscope.scores.sat import EPSILON_S, RANGE, sat, take_log_score
from zooscope.statistics.bootstrap import NUM_RESAMPLES, resample_shares
from zooscope.statistics.shares import bound_shares


@dataclass(frozen=True, kw_only=True, eq=False)
class Profiles(ShownInline):
    """Classifiers by their similarity to landmarks.

    Attributes:
        table: a row per classifier and landmark, the most similar landmark of each classifier first: `classifier`, `landmark`,
            `sat` (one-sided, natural log: the landmark is attacked), `low`, `high`, `percent` (attacked images that fool the
            classifier), `count` (images that both classify correctly when clean), `control` (percent of them that the classifier
            gets wrong unattacked, preprocessed for the landmark).
        classifiers: a row per classifier, index `name`: `clean_accuracy` (percent), `nearest` (landmark), `nearest_share` (fraction
            of bootstrap draws of the images in which the same landmark is nearest), `x`, `y` (its place in the map).
        landmarks: a row per landmark, index `name`: `x`, `y`.
        confidence: of the intervals.
    """

    table: pd.DataFrame
    classifiers: pd.DataFrame
    landmarks: pd.DataFrame
    confidence: float


@check_arguments
def make_profiles(
    predictions: Predictions,
    landmarks: Sequence[str],
    names: Sequence[str],
    *,
    confidence: float = 0.95,
    epsilon_s: float = EPSILON_S,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> Profiles:
    """One-sided SAT of classifiers to landmarks that were attacked, with intervals, and their place in the landmarks' map.

    The map shows the landmarks by classical multidimensional scaling of log(100) - SAT, and every classifier where its profile puts
    it among them (de Silva and Tenenbaum, Sparse multidimensional scaling using landmark points, 2004).

    Example:
        >>> import numpy as np
        >>> from zooscope.analyses import make_profiles
        >>> from zooscope.records.predictions import Predictions
        >>> transfer = np.array([[[1, 1], [1, 0], [0, 0]], [[0, 0], [1, 1], [1, 1]]])
        >>> predictions = Predictions(
        ...     names=("cnn", "vit", "new"), image_ids=("x", "y"), labels=np.zeros(2, dtype=np.int64),
        ...     clean=np.zeros((3, 2), dtype=np.int64), sources=("cnn", "vit"), transfer=transfer, transforms=("", "", ""),
        ... )
        >>> make_profiles(predictions, ["cnn", "vit"], ["new"]).table[["landmark", "percent"]].to_numpy().tolist()
        [['vit', 100.0], ['cnn', 0.0]]

    Args:
        predictions: of a study in which every landmark was attacked, and every classifier tested.
        landmarks: names of the landmarks.
        names: of the classifiers.
        confidence: of the intervals, over images.
        epsilon_s: lower bound of percentages, so that the logarithm is finite.
        num_resamples: draws of images, for `nearest_share`.
        seed: of the draws.

    Raises:
        UnknownNameError: there is no such classifier.
        InvalidValueError: no landmark is named, or the confidence is out of range.
    """
    if not landmarks:
        msg = "a profile is made of similarities to landmarks; name at least one."
        raise InvalidValueError(msg)
    known = predictions.names
    for name in (*landmarks, *names):
        if name not in known:
            kind = "classifier"
            raise UnknownNameError(kind, name, known, f"There are {', '.join(known)}.")
    sources = np.array([known.index(name) for name in landmarks])
    outcomes = find_outcomes(predictions)
    rows, summaries, scores = [], [], []
    for name in names:
        place = known.index(name)
        cells = outcomes.take_cells(sources, np.full(len(sources), place))
        fooled, counted = cells.fooled.astype(np.int8), cells.counted.astype(np.int8)
        percent = find_percent(fooled.sum(1), counted.sum(1))
        own = take_log_score(percent, epsilon_s=epsilon_s)
        low, high = (
            take_log_score(PERCENT * end, epsilon_s=epsilon_s) for end in bound_shares(fooled, counted, confidence=confidence)
        )
        drawn = resample_shares(fooled, counted, num_resamples=num_resamples, seed=seed)
        for row in np.argsort(-np.nan_to_num(own, nan=-np.inf), kind="stable"):
            control = predictions.control(int(sources[row]), place)
            rows.append(
                {
                    "classifier": name,
                    "landmark": landmarks[row],
                    "sat": own[row],
                    "low": low[row],
                    "high": high[row],
                    "percent": percent[row],
                    "count": int(counted[row].sum()),
                    "control": _find_control(cells.counted[row], control != predictions.labels, control >= 0),
                }
            )
        summaries.append(_summarize(predictions, landmarks, own, drawn, place=place))
        scores.append(own)
    among = sat(outcomes.take_classifiers(sources), epsilon_s=epsilon_s).score
    flat, placed = place_by_landmarks(among, np.array(scores).reshape(len(names), len(sources)))
    index = pd.Index(names, name="name")
    return Profiles(
        table=pd.DataFrame(rows),
        classifiers=pd.DataFrame(summaries, index=index).assign(x=placed[:, 0], y=placed[:, 1]),
        landmarks=pd.DataFrame(flat, index=pd.Index(landmarks, name="name"), columns=["x", "y"]),
        confidence=confidence,
    )


def place_by_landmarks(
    among: Float[np.ndarray, "landmark landmark"], profiles: Float[np.ndarray, "classifier landmark"]
) -> tuple[Float[np.ndarray, "landmark 2"], Float[np.ndarray, "classifier 2"]]:
    """Landmarks as points of a plane by classical multidimensional scaling, and classifiers among them, by similarities alone.

    Distances are log(100) - SAT. A landmark's own profile puts it on its own point, as far as the plane shows the distances.

    Example:
        >>> line = np.array([0.0, 1.0, 3.0])
        >>> among = np.log(100) - np.abs(line[:, None] - line)
        >>> flat, placed = place_by_landmarks(among, np.log(100) - np.abs(2.0 - line[None]))
        >>> (flat[:, 0] - flat[0, 0]).round(6), (placed[:, 0] - flat[0, 0]).round(6)
        (array([0., 1., 3.]), array([2.]))

    Args:
        among: SAT of the landmarks; the diagonal is not read. NaN counts as the mean of the others.
        profiles: one-sided SAT of classifiers to the landmarks; likewise.
    """
    distances = RANGE[1] - among
    np.fill_diagonal(distances, 0)
    off = ~np.eye(len(among), dtype=bool)
    typical = float(np.nanmean(distances[off])) if np.isfinite(distances[off]).any() else 1.0
    squares = np.nan_to_num(distances, nan=typical) ** 2
    means = squares.mean(axis=0)
    centred = -(squares - means - means[:, None] + squares.mean()) / 2
    values, vectors = np.linalg.eigh((centred + centred.T) / 2)
    order = np.argsort(-values)[:2]
    kept = [place for place in order if values[place] > np.finfo(np.float64).eps * max(values.max(), 1)]
    axes = fix_signs(vectors[:, kept])
    flat, placed = np.zeros((len(among), 2)), np.zeros((len(profiles), 2))
    lengths = np.sqrt(values[kept])
    flat[:, : len(kept)] = axes * lengths
    theirs = np.nan_to_num(RANGE[1] - profiles, nan=typical) ** 2
    placed[:, : len(kept)] = -(theirs - means) @ (axes / lengths) / 2
    return flat, placed


def _find_control(counted: np.ndarray, wrong: np.ndarray, known: np.ndarray) -> float:
    """Percent of counted images that are wrong unattacked; NaN where it is not known."""
    taken = counted & known
    return float(PERCENT * (wrong & taken).sum() / taken.sum()) if taken.any() else float("nan")


def _summarize(
    predictions: Predictions,
    landmarks: Sequence[str],
    own: Float[np.ndarray, " landmark"],
    drawn: Float[np.ndarray, "resample landmark"],
    *,
    place: int,
) -> dict[str, object]:
    accuracy = float(PERCENT * (predictions.clean[place] == predictions.labels).mean())
    if not np.isfinite(own).any():
        return {"clean_accuracy": accuracy, "nearest": None, "nearest_share": float("nan")}
    nearest = int(np.nanargmax(own))
    filled = np.where(np.isfinite(drawn), drawn, -np.inf)
    largest = filled == filled.max(axis=1, keepdims=True)
    share = float((largest[:, nearest] / largest.sum(axis=1)).mean())
    return {"clean_accuracy": accuracy, "nearest": landmarks[nearest], "nearest_share": share}
