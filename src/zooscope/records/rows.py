"""Arrays as they go into a record and come out of it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped


@dataclass(frozen=True, kw_only=True, eq=False)
class ArrayRow:
    """One array of one measurement.

    Attributes:
        kind: what it is: `clean`, `logits`, `transfer`, `control`, ...
        digest: identity of the measurement's settings; empty for those that the study's definition fixes.
        subject: the source classifier; of a `control`, the transform's text.
        object: the target classifier, or empty.
        part: the shard.
        values: bool, integer or float, of any shape; read-only when it comes out of a record.
    """

    kind: str
    digest: str = ""
    subject: str
    object: str = ""
    part: int
    values: Shaped[np.ndarray, "..."]


@dataclass(frozen=True, kw_only=True, eq=False)
class FactRow:
    """A fact per image that a measurement noted along the way, such as the iteration at which an attack succeeded.

    Attributes:
        kind: of the measurement, as in `ArrayRow`.
        digest: as in `ArrayRow`.
        subject: as in `ArrayRow`.
        part: the shard.
        name: of the fact.
        values: one per image.
    """

    kind: str
    digest: str = ""
    subject: str
    part: int
    name: str
    values: Shaped[np.ndarray, "..."]


def name_fact_kind(kind: str, name: str) -> str:
    """The kind of array under which a fact stands in the record.

    Example:
        >>> name_fact_kind("transfer", "iterations")
        'transfer:iterations'
    """
    return f"{kind}:{name}"
