"""Columns of a table of labelled images, as the Hugging Face hub lays them out: which holds the images, which the labels."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int

from zooscope.errors import ImagesError
from zooscope.images.class_order import order_classes, order_numbers
from zooscope.images.stored_labels import store_numbers, store_texts

OPTIONS: Final = ("image", "label")


def choose_columns(
    option: str, options: Mapping[str, str], columns: Sequence[str], candidates: Sequence[str], *, address: str
) -> str:
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


def is_image_type(kind: pa.DataType) -> bool:
    """Whether a column may hold the bytes of image files: plain, or in a struct's field `bytes`."""
    if pa.types.is_struct(kind):
        return any(field.name == "bytes" and is_image_type(field.type) for field in kind)
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_binary(value) or pa.types.is_large_binary(value) or pa.types.is_binary_view(value))


def require_image_type(kind: pa.DataType, name: str, *, address: str) -> None:
    """Refuses a column of another kind, such as lists of pixels.

    Raises:
        ImagesError: it is one.
    """
    if not is_image_type(kind):
        msg = f"{address}: the column {name} holds {kind}, not bytes of image files; choose another by image=COLUMN."
        raise ImagesError(msg)


def read_labels(
    column: pa.ChunkedArray,
    stored: Sequence[str] | None,
    classes: Sequence[str] | None,
    *,
    name: str,
    ids: Sequence[str],
    address: str,
) -> tuple[Int[np.ndarray, " image"], tuple[str, ...]]:
    """Labels and class names from a column of numbers or of names.

    Args:
        column: as Arrow holds it.
        stored: the name of each number, where the table knows it.
        classes: the order asked for.
        name: the column's.
        ids: of the images, for an error.
        address: what to call the set in an error.

    Raises:
        ImagesError: the column holds something else, or nothing, or labels that don't fit the classes.
    """
    if len(column) == 0:
        msg = f"{address} holds no image; name a set with at least one."
        raise ImagesError(msg)
    if column.null_count:
        first = ids[pc.index(pc.is_null(column), value=True).as_py()]
        msg = (
            f"{address}: {column.null_count} of {len(column)} images have no label in the column {name}, {first} first; take a "
            "split that has."
        )
        raise ImagesError(msg)
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    place = ids.__getitem__
    if pa.types.is_integer(kind) and stored is not None:
        return order_numbers(pc.cast(column, pa.int64()).to_numpy(), stored, classes, place=place, address=address)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        labels = store_numbers(pc.cast(column, kind).to_numpy(), place)
    elif pa.types.is_decimal(kind):
        labels = store_texts(map(str, column.to_pylist()), place)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        labels = store_texts((text.strip() for text in pc.cast(column, pa.large_string()).to_pylist()), place)
    else:
        msg = f"{address}: the column {name} holds {column.type}, not class names or their indices; choose another by label=COLUMN."
        raise ImagesError(msg)
    return order_classes(labels, classes, address=address)
