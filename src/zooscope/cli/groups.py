"""The group of settings of each classifier of a study, from a file or the addresses."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from zooscope.study.snapshot import Snapshot

Groups = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A CSV with classifiers in the first column and their groups in the column `group` (or the second); others "
        "have none. Without it, the option `group` of the classifiers' addresses is used.",
        show_default=False,
    ),
]


def require_groups(study: "Snapshot", file: Path | None) -> dict[str, str]:
    """The same as `read_groups`, for an analysis that needs them.

    Raises:
        StudyError: no classifier has a group.
    """
    from zooscope.errors import StudyError

    found = read_groups(study, file)
    if not found:
        msg = "no classifier has a group; name the groups by --groups FILE.csv, or measure with the option `group` in addresses."
        raise StudyError(msg)
    return found


def read_groups(study: "Snapshot", file: Path | None) -> dict[str, str]:
    """Group by classifier, of classifiers with a group, in the order of the study.

    Raises:
        MissingFileError: the file is missing.
        InvalidValueError: it can't be read, or names a classifier that the study doesn't hold.
    """
    if file is None:
        from zooscope.addresses import parse_address
        from zooscope.classifiers.addresses import find_group

        addresses = study.classifiers()["address"]
        named = {str(name): find_group(parse_address(address)) if address else None for name, address in addresses.items()}
        return {name: group for name, group in named.items() if group}
    from zooscope.components.table import read_component_table
    from zooscope.errors import UnknownNameError

    table = read_component_table(file)
    column = "group" if "group" in table.columns else table.columns[0]
    for name in table.index:
        if name not in study.names:
            kind = f"classifier in {file}"
            raise UnknownNameError(kind, str(name), study.names, "`zooscope show` lists the study's classifiers.")
    return {
        name: str(table.loc[name, column])
        for name in study.names
        if name in table.index and isinstance(table.loc[name, column], str)
    }
