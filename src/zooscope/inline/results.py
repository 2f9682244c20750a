"""Results of analyses: their numbers as a table of facts, their tables cut, their matrices in colours."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from zooscope.inline.facts import escape, format_facts
from zooscope.inline.heat_map import format_heat_map
from zooscope.inline.matrix import show_matrix
from zooscope.words import escape_controls

MOST_ROWS: Final = 12
MOST_COLUMNS: Final = 12
MOST_ITEMS: Final = 12


class ShownInline:
    """A result that a notebook shows by its fields; the base of frozen dataclasses.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Found(ShownInline):
        ...     num_clusters: int
        >>> "num clusters" in Found(3)._repr_html_()
        True
    """

    def _repr_html_(self) -> str:
        return show_result(self)


def show_result(result: object) -> str:
    """A dataclass or a NamedTuple as HTML: simple fields as facts, then tables and matrices, each under its name."""
    facts: dict[str, object] = {}
    parts: list[str] = []
    for name, value in _list_fields(result).items():
        label = name.replace("_", " ")
        shown = _show_part(value)
        if shown is None:
            facts[label] = _describe(value)
        else:
            parts.append(f"<details open><summary>{escape(label)}</summary>{shown}</details>")
    return format_facts(type(result).__name__, facts, *parts)


def _list_fields(result: Any) -> Mapping[str, Any]:  # noqa: ANN401  (a dataclass or a NamedTuple)
    if is_dataclass(result):
        return {field.name: getattr(result, field.name) for field in fields(result) if field.repr}
    return dict(result._asdict())


def _show_part(value: object) -> str | None:
    """A table or a matrix as HTML; None for what is a simple fact."""
    if isinstance(value, xr.DataArray):
        return show_matrix(value)
    if isinstance(value, pd.DataFrame):
        return _show_square(value) or show_table(value)
    if isinstance(value, pd.Series):
        return show_table(value.to_frame("value" if value.name is None else value.name))
    return None


def _show_square(table: pd.DataFrame) -> str | None:
    """A table whose rows and columns are the same classifiers as a heat map; None for any other."""
    names = [str(name) for name in table.index]
    is_square = len(names) > 1 and names == [str(name) for name in table.columns]
    if not is_square or any(kind.kind not in "fiu" for kind in table.dtypes):
        return None
    return format_heat_map(table.to_numpy(dtype=float), names, names, "values")


def show_table(table: pd.DataFrame) -> str:
    """The beginning and the end of a table.

    >>> show_table(pd.DataFrame({"<b>": [1.23456]})).count("&lt;b&gt;")
    1
    """
    shown = table.to_html(
        max_rows=MOST_ROWS, max_cols=MOST_COLUMNS, border=0, escape=True, float_format="{:.4g}".format, show_dimensions=True
    )
    return escape_controls(shown, keep_newlines=True)


def _describe(value: object) -> str:
    """A simple fact in words."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}"
    if isinstance(value, Mapping):
        return _list_items([f"{key}: {_describe(part)}" for key, part in list(value.items())[: MOST_ITEMS + 1]], len(value))
    if isinstance(value, tuple | list | frozenset | set):
        return _list_items([_describe(part) for part in list(value)[: MOST_ITEMS + 1]], len(value))
    return "" if value is None else str(value)


def _list_items(items: list[str], count: int) -> str:
    more = count - MOST_ITEMS
    return ", ".join(items[:MOST_ITEMS]) + (f" and {more} more" if more > 0 else "")
