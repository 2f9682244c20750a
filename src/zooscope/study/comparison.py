"""All similarities that a study has, side by side: what they say, what they cost, how steady they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float, Int, Shaped

from zooscope.analyses.averaging import CleanLogits, measure_metrics
from zooscope.analyses.score_stability import ScoreStability, measure_score_stability
from zooscope.analyses.similarity_comparison import CONFIDENCE, SimilarityComparison, compare_similarities, make_likeness
from zooscope.attacks import build_attack
from zooscope.errors import NotMeasuredError, StudyError
from zooscope.scores.outcomes import PERCENT
from zooscope.scores.registry import SIMILARITIES, find_similarity
from zooscope.scores.sat import sat
from zooscope.statistics.halves import split_halves
from zooscope.statistics.pair_bootstrap import correlate
from zooscope.study.similarities import ScoredSets, score_sets
from zooscope.study.snapshot import Snapshot
from zooscope.words import quote_path

SAT: Final = "sat"
FEWEST_CLASSIFIERS: Final = 2
NUM_SPLITS: Final = 10
GRADIENT_PASSES: Final = 3  # forward, and back, which counts as two


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyScore:
    """A score that a study has.

    Attributes:
        title: what it is, in a few words.
        matrix: of all pairs, with its direction as it is; of SAT the natural logarithm.
        larger_is_more_similar: its direction.
        passes: cost per classifier in forward passes besides clean predictions, a backward pass as two; None where the attack
            doesn't say what it costs.
        gaps: why pairs have no score, each reason once, with how many pairs.
    """

    title: str
    matrix: xr.DataArray
    larger_is_more_similar: bool
    passes: int | None
    gaps: dict[str, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyComparison:
    """The similarities of a study, compared.

    Attributes:
        scores: by name, SAT first.
        missing: scores that the study lacks, with the command that measures what they take.
        found: correlations, and what each score tells.
        stabilities: the spread of each score over sets of images, by name.
        units: whether those sets are of "images" or of "triplets", by name.
        other_half: correlation of likeness on one half of the images with the gain of ensembles on the other half, by name: mean of
            both ways over ten splits. Triplets are of all images. NaN where it is undefined.
        no_gains: why nothing is known of ensembles of two; empty where it is.
    """

    scores: dict[str, StudyScore]
    missing: dict[str, str]
    found: SimilarityComparison
    stabilities: dict[str, ScoreStability]
    units: dict[str, str]
    other_half: dict[str, float]
    no_gains: str


def compare_study_similarities(study: Snapshot, *, confidence: float = CONFIDENCE, seed: int = 0) -> StudyComparison:
    """All scores that a study has, compared: see `zooscope.analyses.compare_similarities` and `measure_score_stability`.

    Args:
        study: a measured one.
        confidence: of the intervals.
        seed: of permutations, of draws of classifiers and of sets of images.

    Raises:
        StudyError: the study is a published matrix, or fewer than two of its classifiers are measured.
        InvalidValueError: the confidence is not in (0, 1).
    """
    study.require_measured("other similarities to compare")
    if len(study.names) < FEWEST_CLASSIFIERS:
        msg = (
            f"comparing similarities takes at least {FEWEST_CLASSIFIERS} measured classifiers, and {study.place} has "
            f"{len(study.names)}; run `zooscope measure {quote_path(study.place)}`, with more --classifiers."
        )
        raise StudyError(msg)
    scores, missing = collect_scores(study)
    logits, no_gains = _read_logits(study)
    gains = None if logits is None else _measure_gains(logits)
    found = compare_similarities(
        {name: make_likeness(score.matrix, larger_is_more_similar=score.larger_is_more_similar) for name, score in scores.items()},
        architectures={record.name: record.architecture for record in study.classifier_records},
        gains=gains,
        confidence=confidence,
        seed=seed,
    )
    stabilities, units, other_half = dict[str, ScoreStability](), dict[str, str](), dict[str, float]()
    for name, known in scores.items():
        with _open_sets(study, name) as sets:
            stabilities[name] = measure_score_stability(
                sets.score,
                num_units=sets.num_units,
                passes_per_unit=sets.passes_per_unit,
                may_repeat=sets.may_repeat,
                seed=seed,
            )
            units[name] = "images" if sets.are_images else "triplets"
            sign = 1 if known.larger_is_more_similar else -1
            other_half[name] = float("nan") if logits is None else sign * _correlate_halves(sets, logits, seed=seed)
    return StudyComparison(
        scores=scores, missing=missing, found=found, stabilities=stabilities, units=units, other_half=other_half, no_gains=no_gains
    )


def collect_scores(study: Snapshot) -> tuple[dict[str, StudyScore], dict[str, str]]:
    """The scores that a measured study has, SAT first; and those that it lacks, each with what to do."""
    per_image = count_attack_passes(study)
    matrix = study.sat(confidence=None)
    known = {
        SAT: StudyScore(
            title="similarity by attack transferability",
            matrix=matrix,
            larger_is_more_similar=True,
            passes=None if per_image is None else per_image * study.num_images,
            gaps=_count_gaps(matrix, np.full(matrix.shape, "not attacked both ways, or no image that both get right")),
        )
    }
    missing = {}
    for name, similarity in SIMILARITIES.items():
        try:
            matrix = study.similarity(name, None)
        except NotMeasuredError:
            also = f" --also {similarity.also}" if similarity.also else ""
            missing[name] = f"zooscope measure {quote_path(study.place)}{also}"
        else:
            known[name] = StudyScore(
                title=similarity.title,
                matrix=matrix,
                larger_is_more_similar=similarity.larger_is_more_similar,
                passes=int(matrix.attrs["passes"]),
                gaps=_count_gaps(matrix, matrix.reason.to_numpy()),
            )
    return known, missing


def count_attack_passes(study: Snapshot) -> int | None:
    """What SAT costs per classifier and image, in forward passes: the attack at most, and every classifier on what it gives.

    None where this zooscope doesn't know the attack, or the attack doesn't say what it costs.
    """
    try:
        cost = build_attack(study.definition.attack).cost
    except StudyError:
        return None
    return None if cost is None else GRADIENT_PASSES * cost.gradients + cost.forwards + len(study.names)


def _count_gaps(matrix: xr.DataArray, reasons: Shaped[np.ndarray, "a b"]) -> dict[str, int]:
    rows, columns = np.triu_indices(len(matrix), 1)
    missing = np.isnan(matrix.to_numpy()[rows, columns])
    gaps, counts = np.unique(reasons[rows, columns][missing].astype(str), return_counts=True)
    return dict(zip(map(str, gaps), map(int, counts), strict=True))


def _read_logits(study: Snapshot) -> tuple[CleanLogits | None, str]:
    """The clean logits of all classifiers, or why there are none."""
    try:
        values = tuple(study.clean_logits(name) for name in study.names)
    except NotMeasuredError as error:
        return None, str(error)
    return CleanLogits(names=study.names, values=values, labels=study.labels), ""


def _measure_gains(logits: CleanLogits) -> pd.DataFrame:
    """The error reduction rate of all ensembles of two."""
    names = logits.names
    rows, columns = np.triu_indices(len(names), 1)
    (metrics,) = measure_metrics(logits, [np.stack([rows, columns], axis=1)])
    gains = np.full((len(names), len(names)), np.nan)
    gains[rows, columns] = gains[columns, rows] = metrics.err
    return pd.DataFrame(gains, index=list(names), columns=list(names))


def _correlate_halves(sets: ScoredSets, logits: CleanLogits, *, seed: int) -> float:
    """Correlation of a score on one half of the images with the gain of ensembles on the other: mean over ten splits, both ways."""
    rows, columns = np.triu_indices(len(logits.names), 1)
    found = []
    for split in range(NUM_SPLITS if len(logits.labels) >= 2 else 0):  # noqa: PLR2004
        halves = split_halves(logits.labels, seed=seed + split)
        for scored, averaged in ((halves.choosing, halves.reporting), (halves.reporting, halves.choosing)):
            matrix = sets.score(scored if sets.are_images else np.arange(sets.num_units))
            score = ((matrix + matrix.T) / 2)[rows, columns]
            gain = _measure_gains(logits.take_images(averaged)).to_numpy()[rows, columns]
            known = np.isfinite(score) & np.isfinite(gain)
            found.append(correlate(score[known], gain[known], np.ones((1, int(known.sum()))))[0])
    return float(np.mean(found)) if found else float("nan")


@contextmanager
def _open_sets(study: Snapshot, name: str) -> Iterator[ScoredSets]:
    """A score on sets of images; SAT without the logarithm, as a share."""
    if name != SAT:
        with (
            study.open_records() as records,
            score_sets(find_similarity(name), records, study.predictions, place=study.place) as sets,
        ):
            yield sets
        return

    def score(positions: Int[np.ndarray, " image"]) -> Float[np.ndarray, "a b"]:
        return sat(study.outcomes.take_images(positions)).percent / PERCENT

    per_image = count_attack_passes(study)
    yield ScoredSets(
        score=score,
        num_units=study.num_images,
        passes_per_unit=float("nan") if per_image is None else 1 + per_image,
        are_images=True,
        may_repeat=True,
    )
