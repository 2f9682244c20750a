"""Studies of published matrices, for the commands that need no more."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tests.analyses.planted import groups_of, planted
from tests.specimens import Array
from zooscope.errors import UnknownComponentWarning
from zooscope.study.study import Study


def write_imported(folder: Path, sizes: Sequence[int] = (4, 3, 2), *, with_components: bool = True, noise: float = 0.15) -> Path:
    """A study with planted groups; a component tells the groups apart, another one doesn't."""
    matrix = planted(sizes, noise=noise)
    components = components_of(matrix, groups_of(sizes)) if with_components else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnknownComponentWarning)  # `attention` is a component of their own
        Study.from_matrix(folder, matrix, components=components).close()
    return folder


def components_of(matrix: pd.DataFrame, groups: Array) -> pd.DataFrame:
    chance = np.random.default_rng(3).choice(["Yes (SE)", "Yes (ECA)", "No"], len(groups))
    chance[0], chance[-1] = "No", "Yes (SE)"
    return pd.DataFrame({"stem layer": [f"{group}s{group}" for group in groups], "attention": chance}, index=matrix.index)
