"""Components from a table, entered into a record."""

import warnings
from typing import Final

import pandas as pd

from zooscope.components.recognize import recognize_components
from zooscope.errors import InvalidValueError, UnknownComponentWarning
from zooscope.records.records import Records
from zooscope.words import format_count, list_few

NUM_NAMED: Final = 5


def enter_components(records: Records, table: pd.DataFrame) -> None:
    """Enters components, in the vocabulary's spelling; existing ones get the new value.

    Args:
        records: open for writing.
        table: index: names of classifiers; a column per component, see `zooscope.components.recognize`; NaN and empty cells are
            ignored.

    Raises:
        InvalidValueError: none of the names is in the record, a name is repeated, or two columns are the same component.

    Warns:
        UnknownComponentWarning: the vocabulary doesn't have a column or a value, which is kept as it is; or the record has no
            classifier of a name, whose row is not used.
    """
    if table.index.has_duplicates:
        msg = f"the table of components names {table.index[table.index.duplicated()][0]} twice; give every classifier one row."
        raise InvalidValueError(msg)
    names = [entry.name for entry in records.entries]
    known = [name for name in names if name in table.index]
    if not known:
        msg = f"the table of components names none of the study's classifiers; its first name is {next(iter(table.index), '')!r}."
        raise InvalidValueError(msg)
    recognized = recognize_components(table)
    for sentence in recognized.unknown:
        warnings.warn(f"components: {sentence}", UnknownComponentWarning, stacklevel=2)
    others = [str(name) for name in table.index if name not in known]
    if others:
        msg = f"components: {format_count(len(others), 'row')} of other classifiers not used: {list_few(others, NUM_NAMED)}."
        warnings.warn(msg, UnknownComponentWarning, stacklevel=2)
    for name in known:
        values = {str(component): str(value) for component, value in recognized.table.loc[name].items() if pd.notna(value)}
        records.set_components(name, values)
