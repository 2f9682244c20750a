"""Matrices as packed numbers inside the page: 16 bits a cell, compressed, as inert text."""

import base64
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float

UNKNOWN: Final = 65535  # the level of NaN; all others are numbers


@dataclass(frozen=True, kw_only=True, eq=False)
class Plane:
    """A square matrix to be packed.

    Attributes:
        values: NaN where unknown.
        precision: the smallest difference that is kept; 1 for counts.
        is_symmetric: whether only the upper triangle, with the diagonal, is packed.
    """

    values: Float[np.ndarray, "row column"]
    precision: float
    is_symmetric: bool


@dataclass(frozen=True, kw_only=True)
class Packed:
    """Packed matrices.

    Attributes:
        planes: how each is read, in the order in which they are packed: value = low + step * level.
        text: their levels, little-endian without a break, first the low bytes of a plane, then its high bytes; gzip, in base64.
    """

    planes: tuple[dict[str, Any], ...]
    text: str


def pack_planes(planes: Mapping[str, Plane]) -> Packed:
    """Packs matrices of one size.

    Example:
        >>> plane = Plane(values=np.array([[1.0, 2.0], [2.0, np.nan]]), precision=0.5, is_symmetric=True)
        >>> pack_planes({"sat": plane}).planes
        ({'name': 'sat', 'is_symmetric': True, 'low': 1.0, 'step': 0.5},)
    """
    headers, parts = [], []
    for name, plane in planes.items():
        values = plane.values[np.triu_indices(len(plane.values))] if plane.is_symmetric else plane.values.ravel()
        known = values[~np.isnan(values)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
        step = max(plane.precision, (high - low) / (UNKNOWN - 1))
        levels = np.where(np.isnan(values), UNKNOWN, np.round((np.nan_to_num(values, nan=low) - low) / step)).astype(np.uint16)
        headers.append({"name": name, "is_symmetric": plane.is_symmetric, "low": low, "step": step})
        parts += [(levels & 255).astype(np.uint8).tobytes(), (levels >> 8).astype(np.uint8).tobytes()]
    return Packed(planes=tuple(headers), text=compress(b"".join(parts)))


def pack_flags(flags: Bool[np.ndarray, " flag"]) -> str:
    """Flags as bits, the first in the highest bit of the first byte; gzip, in base64."""
    return compress(np.packbits(flags).tobytes())


def compress(data: bytes) -> str:
    """Bytes as text: gzip without a time, so that the same bytes make the same text; in base64."""
    return base64.b64encode(gzip.compress(data, compresslevel=6, mtime=0)).decode()
