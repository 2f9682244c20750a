"""Other similarities than SAT, as far as a study measured what they take."""

from dataclasses import dataclass
from typing import Final

import xarray as xr

from zooscope.errors import ZooscopeError
from zooscope.scores.registry import SIMILARITIES
from zooscope.scores.similarity import Similarity
from zooscope.study.snapshot import Snapshot

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
    """The similarities that a study has, and the reason for each that it lacks, by name."""
    found, missing = [], {}
    for name, similarity in SIMILARITIES.items():
        try:
            matrix = study.similarity(name, confidence if len(study.names) <= MOST_WITH_INTERVALS else None)
        except ZooscopeError as error:
            missing[name] = str(error)
        else:
            found.append(Rival(similarity=similarity, matrix=matrix))
    return tuple(found), missing
