"""Options of the analyses of a matrix: which of its classifiers, what is known of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zooscope.errors import StudyError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from zooscope.study.snapshot import Snapshot

LeaveOut = Annotated[
    list[str] | None,
    typer.Option("--leave-out", metavar="NAME", help="A classifier to do without; may be given several times.", show_default=False),
]
ComponentsFile = Annotated[
    Path | None,
    typer.Option(
        "--components",
        metavar="FILE",
        help="A CSV with classifiers in the first column and a column per component; else what the study knows holds.",
        show_default=False,
    ),
]


def read_scores(study: "Snapshot", leave_out: list[str] | None) -> "xr.DataArray":
    """SAT of a study's classifiers, of all or of some.

    Raises:
        UnknownNameError: a classifier to be left out is not in the study.
    """
    from zooscope.analyses.matrix import drop_classifiers

    return drop_classifiers(study.sat(confidence=None), leave_out or [])


def find_components(study: "Snapshot", file: Path | None) -> "pd.DataFrame":
    """Components of a study's classifiers, from a file or as the study knows them; NaN where one is not known."""
    from zooscope.components.table import read_component_table

    return study.components() if file is None else read_component_table(file).reindex(list(study.names))


def require_components(study: "Snapshot", file: Path | None) -> "pd.DataFrame":
    """The same, where there is no answer without.

    Raises:
        StudyError: none is known.
    """
    found = find_components(study, file)
    if found.notna().any(axis=None):
        return found
    if file is not None:
        msg = (
            f"{file} has components of none of the study's classifiers; its first column must hold their names, "
            f"such as {study.names[0]}."
        )
        raise StudyError(msg)
    msg = (
        f"{study.path} knows no components of its classifiers; give --components FILE.csv with the classifiers in its first column "
        "(`zooscope components read CLASSIFIER` tells those of one)."
    )
    raise StudyError(msg)
