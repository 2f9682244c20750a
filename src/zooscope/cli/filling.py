"""The matrix of a study while it is measured, in block characters: at most so many rows, however many classifiers there are."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.text import Text

from zooscope.cli.matrix import shorten_name
from zooscope.words import escape_controls, shorten_names

if TYPE_CHECKING:
    from zooscope.records.rows import ArrayRow
    from zooscope.study.study import Study

MOST_CELLS: Final = 28  # rows and columns; with more classifiers a cell stands for several
FEWEST_CELLS: Final = 4
LONGEST_NAME: Final = 20
LINES_AROUND: Final = 5  # the legend, the bar, and what was on the screen before
UNKNOWN: Final = "·"
SHADES: Final = "░▒▓█"  # a quarter of the images each
COLOURS: Final = ("cyan", "green", "yellow", "red")
LEGEND: Final = f"Percent fooled: {UNKNOWN} not known, {SHADES[0]} to 25, {SHADES[1]} to 50, {SHADES[2]} to 75, {SHADES[3]} above"


class FillingMatrix:
    """Counts what was measured, and draws it: a row per source, a column per target.

    Example:
        >>> matrix = FillingMatrix(["a", "b"], labels=np.zeros(4, dtype=np.int64), shards=[range(4)])
        >>> matrix.counted.shape
        (2, 2)
    """

    def __init__(self, names: Sequence[str], *, labels: np.ndarray, shards: Sequence[range]) -> None:
        """Nothing is measured yet.

        Args:
            names: the classifiers.
            labels: the true class of every image.
            shards: the positions of the images of every shard.
        """
        self._names, self._labels, self._shards = tuple(names), labels, tuple(shards)
        self._places = {name: place for place, name in enumerate(self._names)}
        self.counted, self.fooled = np.zeros((2, len(self._names), len(self._names)), dtype=np.int64)

    @classmethod
    def of_study(cls, study: "Study") -> "FillingMatrix":
        """With what the study's record holds already."""
        now, size = study.snapshot(), study.definition.shard_size
        shards = [range(start, min(start + size, now.num_images)) for start in range(0, now.num_images, size)]
        made = cls(study.names, labels=now.labels, shards=shards)
        known = [made._places[name] for name in now.names]
        here = np.ix_(known, known)
        made.counted[here], made.fooled[here] = now.outcomes.num_counted, now.outcomes.num_fooled
        return made

    def take(self, rows: "Iterable[ArrayRow]") -> None:
        """Counts arrays that were written into the record."""
        for row in rows:
            if row.kind == "transfer" and row.subject in self._places and row.object in self._places:
                cell, labels = (self._places[row.subject], self._places[row.object]), self._labels[self._shards[row.part]]
                self.counted[cell] += int((row.values >= 0).sum())
                self.fooled[cell] += int(((row.values >= 0) & (row.values != labels)).sum())

    def find_shares(self, most: int) -> np.ndarray:
        """Share of fooled images in at most `most` rows and columns; NaN where nothing is known.

        With more classifiers a cell stands for those of a stretch of rows and columns.
        """
        starts = np.arange(0, len(self._names), -(-len(self._names) // most))
        counted, fooled = (
            np.add.reduceat(np.add.reduceat(part, starts, axis=0), starts, axis=1) for part in (self.counted, self.fooled)
        )
        return np.asarray(np.divide(fooled, counted, out=np.full(counted.shape, np.nan), where=counted > 0))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """The lines of the matrix, below them what they mean."""
        room = max(FEWEST_CELLS, min(MOST_CELLS, console.height - LINES_AROUND, (options.max_width - LONGEST_NAME - 1) // 2))
        per_row = -(-len(self._names) // room)
        names = self._make_labels(per_row)
        width = min(LONGEST_NAME, max(map(cell_len, names), default=0))
        for name, shares in zip(names, self.find_shares(room).tolist(), strict=True):
            line = Text(f"{shorten_name(name, width)} ", no_wrap=True, overflow="crop")
            for share in shares:
                line.append(*draw_cell(share))
            yield line
        yield Text(LEGEND, style="dim", no_wrap=True, overflow="crop")

    def _make_labels(self, per_row: int) -> list[str]:
        """The name of every row; the first one's and how many more, where a row stands for several."""
        short = [escape_controls(name) for name in shorten_names(self._names).values()]
        if per_row == 1:
            return short
        stretches = [short[start : start + per_row] for start in range(0, len(short), per_row)]
        return [f"{one[0][: LONGEST_NAME - 5]} +{len(one) - 1}" if len(one) > 1 else one[0] for one in stretches]


def draw_cell(share: float) -> tuple[str, str]:
    """Two characters for a cell, and their style.

    >>> draw_cell(0.0), draw_cell(1.0), draw_cell(float("nan"))
    (('░░', 'cyan'), ('██', 'red'), ('· ', 'dim'))
    """
    if np.isnan(share):
        return f"{UNKNOWN} ", "dim"
    quarter = min(int(share * len(SHADES)), len(SHADES) - 1)
    return SHADES[quarter] * 2, COLOURS[quarter]
