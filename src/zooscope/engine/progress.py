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
        passes_done: forward passes of one image, or what takes as long, of those in `passes`.
        passes: that this phase takes in this run; 0 where they are not counted, so that all images are taken to cost the same.

    Example:
        >>> Progress(phase="attack", done=30, total=60, passes_done=30, passes=3000).share
        0.01
    """

    phase: str
    done: int
    total: int
    item: str = ""
    rows: tuple[ArrayRow, ...] = field(default=(), repr=False)
    passes_done: int = 0
    passes: int = 0

    @property
    def share(self) -> float:
        """How much of this phase's work is done, in [0, 1]: images whose attack is kept cost less than those that are attacked."""
        done, total = (self.passes_done, self.passes) if self.passes else (self.done, self.total)
        return done / total if total else 1.0


ProgressListener = Callable[[Progress], None]
