"""Arrays of one kind in a record, read part by part: for scores whose arrays don't fit into memory at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from zooscope.records.records import Records


@dataclass(frozen=True, kw_only=True, eq=False)
class Kept:
    """The arrays of one kind that a record holds of some classifiers.

    Attributes:
        records: open while anything is read.
        kind: of the arrays.
        digest: of the settings that they were measured with.
        present: which arrays there are, by (classifier, part).
    """

    records: Records
    kind: str
    digest: str
    present: frozenset[tuple[str, int]]

    @property
    def num_parts(self) -> int:
        """How many parts there are of the classifier that has most; parts are numbered from 0."""
        return 1 + max((part for _, part in self.present), default=-1)

    def read_part(self, part: int) -> Mapping[str, Shaped[np.ndarray, "..."]]:
        """The arrays of one part, by classifier; without those that are not measured.

        Raises:
            StudyError: one is damaged.
        """
        result = {}
        for name in (name for name, number in sorted(self.present) if number == part):
            for row in self.records.arrays(self.kind, self.digest, subject=name, object="", part=part):
                result[name] = row.values
        return result


def find_kept(records: Records, kind: str, names: Sequence[str]) -> Kept | None:
    """The arrays of a kind that a record holds of some classifiers; None where it holds none.

    Of several settings those are taken that most arrays were measured with; among equal ones those that came last.
    """
    best: Kept | None = None
    for digest in records.digests(kind):
        present = frozenset((subject, part) for subject, _, part in records.present(kind, digest) if subject in names)
        if present and (best is None or len(present) >= len(best.present)):
            best = Kept(records=records, kind=kind, digest=digest, present=present)
    return best
