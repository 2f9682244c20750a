"""A bar on the terminal while a study is measured; nothing where there is no terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from rich import progress as bars
from rich.console import Console
from rich.text import Text

from zooscope.cli.filling import FillingMatrix
from zooscope.cli.terminal import stderr, tell
from zooscope.engine.progress import Progress, ProgressListener
from zooscope.training.progress import TrainingListener, TrainingProgress
from zooscope.words import format_percent

if TYPE_CHECKING:
    from zooscope.study.study import Study

SLOW: Final = 10.0  # images per second; below this, one decimal is shown
PHASES: Final = {"classify": "clean images", "attack": "attacks"}


@contextmanager
def progress_bar() -> Iterator[ProgressListener]:
    """Gives a listener for `Study.run`; the bar disappears afterwards."""
    console = stderr()
    if not console.is_terminal:
        yield lambda _: None
        return
    with _make_bar(console, _TimeLeft()) as bar:
        yield _Listener(bar)


class StudyListener:
    """Hears of a study that is measured; where there is no terminal it shows nothing."""

    def begin(self, study: "Study") -> None:
        """Is told once, before the first report, which study it is."""

    def __call__(self, progress: Progress) -> None:
        """Is told after every unit how far the run is."""


@contextmanager
def matrix_bar() -> Iterator[StudyListener]:
    """Gives a listener for a study's `run` that also shows its matrix filling; both disappear afterwards."""
    console = stderr()
    if not console.is_terminal:
        yield StudyListener()
        return
    with _MatrixAndBar(*_make_columns(_TimeLeft()), console=console, transient=True, expand=True) as bar:
        yield _MatrixListener(bar)


@contextmanager
def counting_bar(phase: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Gives a function of (done, total); the bar disappears afterwards."""
    console = stderr()
    if not console.is_terminal:
        yield lambda _done, _total: None
        return
    with _make_bar(console) as bar:
        task = bar.add_task(phase, total=None, amount="")
        yield lambda done, total: bar.update(task, completed=done, total=total, amount=f"{done} of {total} {unit}")


@contextmanager
def training_bar() -> Iterator[TrainingListener]:
    """Gives a listener for trainings; the bar disappears afterwards. Each epoch leaves a line, also where there is no terminal."""
    console = stderr()
    if not console.is_terminal:
        yield _tell_epoch
        return
    with _make_bar(console, _TimeLeft()) as bar:
        yield _TrainingListener(bar)


def _make_bar(console: Console, *more: bars.ProgressColumn) -> bars.Progress:
    """A line of description, bar and amount, and more columns."""
    return bars.Progress(*_make_columns(*more), console=console, transient=True, expand=True)


def _make_columns(*more: bars.ProgressColumn) -> tuple[bars.ProgressColumn, ...]:
    description, amount = (bars.TextColumn(f"{{task.{name}}}", markup=False) for name in ("description", "fields[amount]"))
    return (description, bars.BarColumn(bar_width=None), amount, *more)


def _tell_epoch(progress: TrainingProgress) -> None:
    if progress.is_tested:
        tell(_describe_epoch(progress))


def _describe_epoch(progress: TrainingProgress) -> str:
    return (
        f"{progress.name}, epoch {progress.epoch} of {progress.epochs}: loss {progress.loss:.3f}, "
        f"{format_percent(100 * progress.training_accuracy)} of training and {format_percent(100 * progress.accuracy)} of held-out "
        "images right"
    )


class _TrainingListener:
    """Turns a training's reports into one line: network, epoch, loss, accuracy, images per second, time left for all networks."""

    def __init__(self, bar: bars.Progress) -> None:
        self._bar, self._began, self._first, self._num_images = bar, monotonic(), 0, 0
        self._task = bar.add_task("decoding images", total=None, amount="", ends=None)

    def __call__(self, progress: TrainingProgress) -> None:
        now = monotonic()
        if progress.is_tested:
            self._bar.console.print(_describe_epoch(progress))
        per_network = progress.epochs * progress.steps
        done = (progress.number - 1) * per_network + (progress.epoch - 1) * progress.steps + progress.step
        self._num_images += progress.num_images
        self._first = self._first or done - 1  # what was done before this run
        speed, total = (done - self._first) / max(now - self._began, 1e-9), progress.of * per_network
        self._bar.update(
            self._task,
            description=f"{progress.number}/{progress.of}",
            completed=done,
            total=total,
            amount=(
                f"epoch {progress.epoch}/{progress.epochs}, loss {progress.loss:.2f}, {100 * progress.training_accuracy:.0f} %, "
                f"{self._num_images / max(now - self._began, 1e-9):.0f} images/s"
            ),
            ends=now + (total - done) / speed,
        )


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
        elapsed, share = max(now - self._began, 1e-9), progress.share
        speed = progress.done / elapsed
        self._bar.update(
            self._task,
            description=PHASES.get(progress.phase, progress.phase),
            completed=share,
            total=1.0,
            amount=f"{progress.done} of {progress.total} images, {speed:.{0 if speed >= SLOW else 1}f} images/s",
            ends=now + elapsed * (1 - share) / share if share else None,
        )


class _MatrixAndBar(bars.Progress):
    """A bar below a matrix."""

    matrix: FillingMatrix | None = None

    def get_renderables(self) -> Iterator[Any]:
        """The matrix, once there is one, and the bar."""
        if self.matrix is not None:
            yield self.matrix
        yield from super().get_renderables()


class _MatrixListener(StudyListener):
    """Fills the matrix, and moves the bar."""

    def __init__(self, bar: _MatrixAndBar) -> None:
        self._bar, self._listener = bar, _Listener(bar)

    def begin(self, study: "Study") -> None:
        self._bar.matrix = FillingMatrix.of_study(study)

    def __call__(self, progress: Progress) -> None:
        if self._bar.matrix is not None:
            self._bar.matrix.take(progress.rows)
        self._listener(progress)


class _TimeLeft(bars.ProgressColumn):
    """Counts down between reports, too."""

    def render(self, task: bars.Task) -> Text:
        """The time left, as hours, minutes and seconds."""
        ends = task.fields["ends"]
        return Text("" if ends is None else f"{timedelta(seconds=round(max(ends - monotonic(), 0)))} left")
