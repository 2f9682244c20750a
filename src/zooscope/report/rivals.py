"""Other similarities than SAT, as far as a study measured what they take."""

from dataclasses import dataclass
from typing import Final

import xarray as xr

from zooscope.errors import ZooscopeError
from zooscope.scores.registry import SIMILARITIES
from zooscope.scores.similarity import Similarity
from zooscope.study.snapshot import Snapshot
from zooscope.words import quote_path

MOST_WITH_INTERVALS: Final = 100  # classifiers; intervals of all pairs of more take minutes, and half of the page


@dataclass(frozen=True, kw_only=True)
class Rival:
    """A similarity of all pairs.

    Attributes:
        similarity: what it is.
        matrix: as `Snapshot.similarity` gives it; without intervals for many classifiers.
    """

    similarity: Similarity
    matrix: xr.DataArray


def collect_rivals(study: Snapshot, *, confidence: float) -> tuple[tuple[Rival, ...], dict[str, str]]:
    """The similarities that a study has, and how to measure each that it lacks, by name."""
    found, missing = [], {}
    folder = quote_path(study.path.name) if study.path else "STUDY"
    for name, similarity in SIMILARITIES.items():
        try:
            matrix = study.similarity(name, confidence if len(study.names) <= MOST_WITH_INTERVALS else None)
        except ZooscopeError:
            also = f" --also {similarity.also}" if similarity.also else ""
            missing[name] = f"`zooscope measure {folder}{also}`"
        else:
            found.append(Rival(similarity=similarity, matrix=matrix))
    return tuple(found), missing
