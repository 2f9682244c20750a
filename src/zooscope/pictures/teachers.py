"""Teacher candidates, by their similarity to the student."""

from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Float

from zooscope.analyses.teachers import Teachers
from zooscope.pictures.data import Bars, BarSeries, Points

KINDS: Final = {"same": "same base architecture", "other": "other base architecture", "unranked": "not known"}


def make_teachers_picture(found: Teachers) -> Points | Bars:
    """Accuracy by SAT to the student, coloured by the kind of teacher; bars of SAT by rank if no accuracy is known."""
    kinds = {kind: table for kind, table in ((KINDS[key], getattr(found, key)) for key in KINDS) if not table.empty}
    table = pd.concat(list(kinds.values()))
    groups = tuple(kind for kind, part in kinds.items() for _ in range(len(part)))
    names, sat = tuple(str(name) for name in table.index), _take_column(table, "sat")
    title = f"Teacher candidates for {found.student}"
    if table["accuracy"].isna().all():
        return Bars(
            title=f"{title}, each kind in the order of rank",
            x_label="SAT to the student (natural log)",
            labels=tuple(f"{name} ({kind})" for name, kind in zip(names, groups, strict=True)),
            series=(BarSeries(name="SAT", lengths=sat, low=_take_column(table, "low"), high=_take_column(table, "high")),),
        )
    return Points(
        title=title,
        x_label="SAT to the student (natural log)",
        y_label="clean accuracy (percent)",
        x=sat,
        y=_take_column(table, "accuracy"),
        names=names,
        groups=groups,
        group_title="base architecture",
    )


def _take_column(table: pd.DataFrame, name: str) -> Float[np.ndarray, " candidate"]:
    return table[name].to_numpy(np.float64)
