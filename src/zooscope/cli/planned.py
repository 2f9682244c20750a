"""The study that `plan` looks at: as `measure` would make or continue it, without writing anything that stays."""

import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from zooscope.cli.measuring import Wanted, continue_study, create_study
from zooscope.records.entries import DATABASE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zooscope.study.study import Study


@contextmanager
def opened_to_plan(path: Path, wanted: Wanted) -> "Iterator[Study]":
    """A study in a temporary folder: new, or a copy of the one at the path.

    Args:
        path: of a study, or of one to be.
        wanted: what the study is to be about.

    Raises:
        ZooscopeError: something asked for contradicts the study, or can't be had.
    """
    from zooscope.study.study import Study

    with tempfile.TemporaryDirectory(prefix="zooscope-plan-") as folder:
        place = Path(folder) / "study"
        if Study.exists(path):
            place.mkdir()
            _copy(path / DATABASE, place / DATABASE)
            study = continue_study(place, wanted)
        else:
            study = create_study(place, wanted, named=path)
        with study:
            yield study


def _copy(source: Path, target: Path) -> None:
    """A record as it is now, also while it is written to."""
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as one,
        closing(sqlite3.connect(target)) as other,
    ):
        one.backup(other)
