"""A bar on the terminal while a study is measured; nothing where there is no terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import Final

from rich import progress as bars
from rich.text import Text

from zooscope.cli.terminal import stderr
from zooscope.engine.progress import Progress, ProgressListener

SLOW: Final = 10.0  # images per second; below this, one decimal is shown
PHASES: Final = {"classify": "clean images", "attack": "attacks"}


@contextmanager
def progress_bar() -> Iterator[ProgressListener]:
    """Gives a listener for `Study.run`; the bar disappears afterwards."""
    console = stderr()
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (
        bars.TextColumn("{task.description}", markup=False),
        bars.BarColumn(bar_width=None),
        bars.TextColumn("{task.fields[amount]}", markup=False),
        _TimeLeft(),
    )
    with bars.Progress(*columns, console=console, transient=True, expand=True) as bar:
        yield _Listener(bar)


@contextmanager
def counting_bar(phase: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Gives a function of (done, total); the bar disappears afterwards."""
    console = stderr()
    if not console.is_terminal:
        yield lambda _done, _total: None
        return
    columns = (
        bars.TextColumn("{task.description}", markup=False),
        bars.BarColumn(bar_width=None),
        bars.TextColumn("{task.fields[amount]}", markup=False),
    )
    with bars.Progress(*columns, console=console, transient=True, expand=True) as bar:
        task = bar.add_task(phase, total=None, amount="")
        yield lambda done, total: bar.update(task, completed=done, total=total, amount=f"{done} of {total} {unit}")


class _Listener:
    """Turns the engine's reports into one line: phase, done, total, images per second, time left."""

    def __init__(self, bar: bars.Progress) -> None:
        self._bar, self._phase = bar, ""
        self._began = self._last = monotonic()
        self._task = bar.add_task("loading", total=None, amount="", ends=None)

    def __call__(self, progress: Progress) -> None:
        now = monotonic()
        if progress.phase != self._phase:  # a phase begins when the previous one ends, not with its first report
            self._phase, self._began = progress.phase, self._last
        self._last = now
        speed = progress.done / max(now - self._began, 1e-9)
        self._bar.update(
            self._task,
            description=PHASES.get(progress.phase, progress.phase),
            completed=progress.done,
            total=progress.total,
            amount=f"{progress.done} of {progress.total} images, {speed:.{0 if speed >= SLOW else 1}f} images/s",
            ends=now + (progress.total - progress.done) / speed if speed else None,
        )


class _TimeLeft(bars.ProgressColumn):
    """Counts down between reports, too."""

    def render(self, task: bars.Task) -> Text:
        """The time left, as hours, minutes and seconds."""
        ends = task.fields["ends"]
        return Text("" if ends is None else f"{timedelta(seconds=round(max(ends - monotonic(), 0)))} left")
