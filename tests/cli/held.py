"""The program `zooscope`, held at a chosen moment of its measuring, to be run in a process of its own.

    python -m tests.cli.held REACHED NUM_UNITS WORDS...

After so many units of attacks the process makes the file REACHED and measures no further until a signal ends it.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zooscope.cli import main, measuring
from zooscope.cli.progress import StudyListener
from zooscope.engine.progress import Progress


def hold(reached: Path, num_units: int) -> None:
    """Makes the next measuring of this process stop after `num_units` units of attacks."""
    reports: list[Progress] = []

    class Listener(StudyListener):
        def __call__(self, progress: Progress) -> None:
            reports.append(progress)
            if sum(report.phase == "attack" for report in reports) == num_units:
                reached.touch()
                threading.Event().wait()

    @contextmanager
    def bar() -> Iterator[StudyListener]:
        yield Listener()

    measuring.matrix_bar = bar  # type: ignore[attr-defined]


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a process started in the background may have been told to ignore it
    hold(Path(sys.argv[1]), int(sys.argv[2]))
    del sys.argv[1:3]
    main()
