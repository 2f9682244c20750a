"""Similarity scores of a study: what they take is read from the record when a score is asked for."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import xarray as xr

from zooscope.errors import StudyError
from zooscope.records.kept import Kept, find_kept
from zooscope.records.predictions import NOT_MEASURED, Predictions
from zooscope.records.records import Records
from zooscope.scores.similarity import Measured, Resampling, Similarity
from zooscope.scores.similarity_matrix import make_similarity_matrix
from zooscope.words import quote_path


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
        StudyError: what the score takes is not measured.
    """
    with records.one_moment():
        kept = find_kept(records, similarity.kind, predictions.names) if similarity.kind else None
        missing = _find_missing(similarity, kept, predictions, num_shards=len(records.shards), command=_command(similarity, place))
        if not missing.keys() < set(predictions.names):
            reason = next(iter(missing.values()), "the study holds no classifier that is measured.")
            msg = f"{similarity.name} can't be computed for {place}: {reason}"
            raise StudyError(msg)
        measured = Measured(names=predictions.names, labels=predictions.labels, clean=predictions.clean)
        if kept is not None:
            measured = Measured(
                names=predictions.names,
                labels=predictions.labels,
                clean=predictions.clean,
                num_parts=kept.num_parts,
                read_part=partial(_read_part, kept, missing),
            )
        return make_similarity_matrix(similarity, measured, confidence=confidence, missing=missing)


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


def _command(similarity: Similarity, place: str) -> str:
    return f"zooscope measure {quote_path(place)}" + (f" --also {similarity.also}" if similarity.also else "")


def _read_part(kept: Kept, missing: Mapping[str, str], part: int) -> Mapping[str, np.ndarray]:
    return {name: values for name, values in kept.read_part(part).items() if name not in missing}
