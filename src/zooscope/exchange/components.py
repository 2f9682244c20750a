"""Components from a table, entered into a record."""

import pandas as pd

from zooscope.errors import InvalidValueError
from zooscope.records.records import Records


def enter_components(records: Records, table: pd.DataFrame) -> None:
    """Enters components; existing ones get the new value.

    Args:
        records: open for writing.
        table: index: names of classifiers, others than the record's are ignored; a column per component; NaN and empty cells
            are ignored.

    Raises:
        InvalidValueError: none of the names is in the record, or one is repeated.
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
