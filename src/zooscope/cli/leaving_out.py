"""Options of the analyses of a matrix: its classifiers and their components."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zooscope.cli.completion import complete_classifier
from zooscope.errors import StudyError, UnknownComponentWarning

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from zooscope.study.snapshot import Snapshot

LeaveOut = Annotated[
    list[str] | None,
    typer.Option(
        "--leave-out",
        metavar="NAME",
        help="A classifier to leave out; may be given several times.",
        show_default=False,
        autocompletion=complete_classifier,
    ),
]
ComponentsFile = Annotated[
    Path | None,
    typer.Option(
        "--components",
        metavar="FILE",
        help="A CSV with classifiers in the first column and a column per component; else the components in the study.",
        show_default=False,
    ),
]


def read_scores(study: "Snapshot", leave_out: list[str] | None) -> "xr.DataArray":
    """SAT of all or some of a study's classifiers.

    Raises:
        UnknownNameError: a classifier to leave out is not in the study.
    """
    from zooscope.analyses.matrix import drop_classifiers

    return drop_classifiers(study.sat(confidence=None), leave_out or [])


def find_components(study: "Snapshot", file: Path | None) -> "pd.DataFrame":
    """Components of a study's classifiers, from a file or from the study; NaN if not known."""
    from zooscope.components.recognize import recognize_components
    from zooscope.components.table import read_component_table

    if file is None:
        return study.components()
    recognized = recognize_components(read_component_table(file))
    for sentence in recognized.unknown:
        warnings.warn(f"{file}: {sentence}", UnknownComponentWarning, stacklevel=2)
    return recognized.table.reindex(list(study.names))


def require_components(study: "Snapshot", file: Path | None) -> "pd.DataFrame":
    """The same, for an analysis that needs them.

    Raises:
        StudyError: none are known.
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
        "(`zooscope components read CLASSIFIER` prints a classifier's)."
    )
    raise StudyError(msg)
