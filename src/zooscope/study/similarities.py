"""Similarity scores of a study: what they take is read from the record when a score is asked for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import xarray as xr
from jaxtyping import Float, Int, Shaped

from zooscope.errors import NotMeasuredError
from zooscope.records.asked import read_asked
from zooscope.records.kept import Kept, find_kept
from zooscope.records.kinds import ASKED_FOR
from zooscope.records.predictions import NOT_MEASURED, Predictions
from zooscope.records.records import Records
from zooscope.scores.similarity import Measured, Resampling, Similarity
from zooscope.scores.similarity_matrix import make_similarity_matrix, score_pairs
from zooscope.words import quote_path


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """What a record holds of what a score takes; can be read while the record is open.

    Attributes:
        measured: of the classifiers in the predictions.
        missing: classifiers of which something is not measured, with what to do.
        passes: what it cost per classifier in forward passes, besides clean predictions.
        measurement: what made the arrays, with its settings; empty where the score takes clean predictions, or the record doesn't
            know the settings.
    """

    measured: Measured
    missing: dict[str, str]
    passes: int
    measurement: str


def score_similarity(
    similarity: Similarity, records: Records, predictions: Predictions, *, confidence: float | None, place: str
) -> xr.DataArray:
    """A score of all pairs of the classifiers in the predictions.

    Args:
        similarity: the score.
        records: open; what the score takes besides clean predictions is read from it.
        predictions: of the study.
        confidence: of the intervals; None leaves them out.
        place: the study's folder, for sentences.

    Raises:
        NotMeasuredError: what the score takes is not measured.
    """
    with find_measured(similarity, records, predictions, place=place) as found:
        made = make_similarity_matrix(similarity, found.measured, confidence=confidence, missing=found.missing)
    return made.assign_attrs(passes=found.passes, measurement=found.measurement)


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredSets:
    """A score that can be computed on sets of images (or triplets).

    Attributes:
        score: gives the score of all pairs on the images (or triplets) of these positions.
        num_units: how many images (or triplets) there are.
        passes_per_unit: cost per classifier of one of them in forward passes, the clean prediction of an image among them.
        are_images: whether they are images.
        may_repeat: whether a set may hold one several times; with repeated images CKA is wrong.
    """

    score: Callable[[Int[np.ndarray, " unit"]], Float[np.ndarray, "a b"]]
    num_units: int
    passes_per_unit: float
    are_images: bool
    may_repeat: bool


@contextmanager
def score_sets(similarity: Similarity, records: Records, predictions: Predictions, *, place: str) -> Iterator[ScoredSets]:
    """A score on sets of images, as long as the context lasts; what it takes is read once and kept in memory.

    Arguments and errors are those of `score_similarity`.
    """
    with find_measured(similarity, records, predictions, place=place) as found:
        parts = list(found.measured.read_parts())
        measured = replace(found.measured, read_part=parts.__getitem__)
        are_images = similarity.resampling is not Resampling.TRIPLETS
        num_units = len(measured.labels) if are_images else sum(measured.part_sizes)

        def score(positions: Int[np.ndarray, " unit"]) -> Float[np.ndarray, "a b"]:
            taken = measured.take_images(positions) if are_images else measured.take_triplets(positions)
            return score_pairs(similarity, taken, confidence=None, missing=found.missing).score

        yield ScoredSets(
            score=score,
            num_units=num_units,
            passes_per_unit=1 + similarity.passes_per_image if are_images else found.passes // num_units,
            are_images=are_images,
            may_repeat=similarity.resampling is not Resampling.HALVES,
        )


@contextmanager
def find_measured(similarity: Similarity, records: Records, predictions: Predictions, *, place: str) -> Iterator[Found]:
    """What a score takes, as long as the context lasts; arguments are those of `score_similarity`.

    Raises:
        NotMeasuredError: what the score takes is not measured of any classifier.
    """
    with records.one_moment():
        kept = find_kept(records, similarity.kind, predictions.names) if similarity.kind else None
        missing = _find_missing(similarity, kept, predictions, num_shards=len(records.shards), command=_command(similarity, place))
        if not missing.keys() < set(predictions.names):
            reason = next(iter(missing.values()), "the study holds no classifier that is measured.")
            msg = f"{similarity.name} can't be computed for {place}: {reason}"
            raise NotMeasuredError(msg)
        measured = Measured(names=predictions.names, labels=predictions.labels, clean=predictions.clean)
        passes = similarity.count_passes(len(predictions.labels))
        if kept is not None:
            sizes = tuple(map(len, records.shards))
            if similarity.resampling is Resampling.TRIPLETS:
                first = min(part for _, part in kept.present)
                num_triplets, num_points = next(iter(kept.read_part(first).values())).shape
                sizes, passes = (num_triplets,) * kept.num_parts, kept.num_parts * num_triplets * num_points
            measured = Measured(
                names=predictions.names,
                labels=predictions.labels,
                clean=predictions.clean,
                num_parts=kept.num_parts,
                read_part=partial(_read_part, kept, missing),
                part_sizes=sizes,
            )
        yield Found(measured=measured, missing=missing, passes=passes, measurement=_find_settings(kept, records))


def _find_missing(
    similarity: Similarity, kept: Kept | None, predictions: Predictions, *, num_shards: int, command: str
) -> dict[str, str]:
    """Classifiers of which something that the score takes is not measured, with what to do."""
    incomplete = {name for name, said in zip(predictions.names, predictions.clean, strict=True) if (said == NOT_MEASURED).any()}
    if similarity.kind:
        present = kept.present if kept is not None else frozenset()
        fewest = 1 if similarity.resampling is Resampling.TRIPLETS else num_shards
        counts = {name: sum(owner == name for owner, _ in present) for name in predictions.names}
        incomplete |= {name for name, count in counts.items() if count < fewest}
    what = similarity.kind or "clean predictions"
    return {
        name: f"the {what} of {name} are not measured (on all images); run `{command}`."
        for name in predictions.names
        if name in incomplete
    }


def _find_settings(kept: Kept | None, records: Records) -> str:
    """What the arrays were measured with, as the study was asked for it; the number of triplets may be one that is not reached."""
    if kept is None:
        return ""
    asked = (one.spelling for one in read_asked(records) if (one.kind, one.digest) == (kept.kind, kept.digest))
    return next(asked, kept.kind if kept.kind in ASKED_FOR and not kept.digest else "")


def _command(similarity: Similarity, place: str) -> str:
    return f"zooscope measure {quote_path(place)}" + (f" --also {similarity.also}" if similarity.also else "")


def _read_part(kept: Kept, missing: Mapping[str, str], part: int) -> dict[str, Shaped[np.ndarray, "..."]]:
    return {name: values for name, values in kept.read_part(part).items() if name not in missing}
