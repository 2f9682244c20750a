"""How far a run is."""

from collections.abc import Callable
from dataclasses import dataclass, field

from zooscope.records.rows import ArrayRow


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is.

    Attributes:
        phase: what is being done: "classify" (clean images) or "attack".
        done: images of this phase that are in the record, of those this run has to measure.
        total: images of this phase that this run has to measure.
        item: the classifier and shard last finished, for a person to read.
        rows: the arrays that were written into the record last.
    """

    phase: str
    done: int
    total: int
    item: str = ""
    rows: tuple[ArrayRow, ...] = field(default=(), repr=False)


ProgressListener = Callable[[Progress], None]
