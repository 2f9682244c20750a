"""A table of components entered into a record."""

import pandas as pd

from zooscope.errors import InvalidValueError
from zooscope.records.records import Records


def enter_components(records: Records, table: pd.DataFrame) -> None:
    """Enters components; those that the record has already get the new value.

    Args:
        records: open for writing.
        table: index: names of classifiers, those that the record does not hold are left out; a column per component; cells that
            are NaN or empty say nothing.

    Raises:
        InvalidValueError: none of the names is in the record, or one stands twice.
    """
    if table.index.has_duplicates:
        msg = f"the table of components names {table.index[table.index.duplicated()][0]} twice; give every classifier one row."
        raise InvalidValueError(msg)
    known = [entry.name for entry in records.entries if entry.name in table.index]
    if not known:
        msg = f"the table of components names none of the study's classifiers; its first name is {next(iter(table.index), '')!r}."
        raise InvalidValueError(msg)
    for name in known:
        values = {str(component): str(value) for component, value in table.loc[name].items() if pd.notna(value) and value != ""}
        records.set_components(name, values)
