"""Columns of a table of labelled images, as the Hugging Face hub lays them out: which holds the images, which the labels."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int

from zooscope.errors import ImagesError
from zooscope.images.class_order import class_order, labels_of, reordered

OPTIONS: Final = ("image", "label")


def chosen(option: str, options: Mapping[str, str], columns: Sequence[str], candidates: Sequence[str], *, address: str) -> str:
    """The column for an option: the one asked for; else the one called as the option is; else the only one that it could be.

    Args:
        option: one of `OPTIONS`.
        options: those of the address.
        columns: all columns.
        candidates: those of them that could be meant.
        address: what to call the set in an error.

    Raises:
        ImagesError: there is no such column.
    """
    wanted = options.get(option, option)
    if wanted in columns:
        return wanted
    if option not in options and len(candidates) == 1:
        return candidates[0]
    msg = f"{address} has no column {wanted}; there are {', '.join(columns)}. Choose one by {option}=COLUMN."
    raise ImagesError(msg)


def labels_in(
    column: pa.ChunkedArray, stored: Sequence[str] | None, classes: Sequence[str] | None, *, name: str, address: str
) -> tuple[Int[np.ndarray, " image"], tuple[str, ...]]:
    """Labels and class names from a column of whole numbers or of names.

    Args:
        column: as Arrow holds it.
        stored: the name of each number, where the table knows it.
        classes: the order asked for.
        name: the column's.
        address: what to call the set in an error.

    Raises:
        ImagesError: the column holds something else, or nothing, or labels that don't fit the classes.
    """
    if len(column) == 0:
        msg = f"{address} holds no image; name a set with at least one."
        raise ImagesError(msg)
    if column.null_count:
        msg = f"{address}: {column.null_count} of {len(column)} images have no label in the column {name}; take a split that has."
        raise ImagesError(msg)
    if pa.types.is_integer(column.type):
        return reordered(column.to_numpy().astype(np.int64), stored, classes, address=address)
    value_type = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string(value_type) or pa.types.is_large_string(value_type):
        names = pc.cast(column, pa.large_string()).to_pylist()
        class_names = class_order(names, classes, address=address)
        return labels_of(names, class_names), class_names
    msg = f"{address}: the column {name} holds {column.type}, not class names or their indices; choose another by label=COLUMN."
    raise ImagesError(msg)
