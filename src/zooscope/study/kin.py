"""What all scores of a study say of two classifiers, beside known seeds of their recipe."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr

from zooscope.errors import StudyError
from zooscope.study.snapshot import Snapshot

SIMILARITIES: Final = ("error_consistency", "capa", "cka", "gradient_cosine")


def collect_evidence(study: Snapshot, a: str, b: str, seeds: Sequence[str]) -> pd.DataFrame:
    """Scores of A and B, beside those of pairs of A and the seeds.

    Returns:
        Index `score`: SAT (natural log), same mistakes (percent, the mean of both directions), error consistency (kappa), CAPA, and
        CKA and the cosine of input gradients where they are measured. Columns `both`, `seeds_low`, `seeds_mean`, `seeds_high`.
    """
    pairs = list(combinations((a, *seeds), 2))
    rows = {}
    for name, matrix in _iterate_scores(study):
        known = np.array([float(matrix.sel(a=one, b=other)) for one, other in pairs])
        rows[name] = {
            "both": float(matrix.sel(a=a, b=b)),
            "seeds_low": known.min(),
            "seeds_mean": known.mean(),
            "seeds_high": known.max(),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("score")


def _iterate_scores(study: Snapshot) -> Iterator[tuple[str, xr.DataArray]]:
    yield "sat", study.sat(confidence=None)
    mistakes = study.same_mistake(confidence=None)
    both = (mistakes.to_numpy() + mistakes.to_numpy().T) / 2
    yield "same_mistake", xr.DataArray(both, dims=("a", "b"), coords={"a": list(study.names), "b": list(study.names)})
    for name in SIMILARITIES:
        try:
            yield name, study.similarity(name, confidence=None)
        except StudyError:  # not measured
            continue
