import re

import pytest

from zooscope.cli.progress import progress_bar
from zooscope.engine.progress import Progress


def use_clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A terminal, and a clock to be set."""
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    clock = [0.0]
    monkeypatch.setattr("zooscope.cli.progress.monotonic", lambda: clock[0])
    return clock


def read_terminal(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", err)


def report(clock: list[float]) -> None:
    """A clean phase of five seconds, then ten seconds of the next one."""
    with progress_bar() as listen:
        clock[0] = 5
        listen(Progress(phase="classify", done=10, total=10))
        clock[0] = 15
        listen(Progress(phase="attack", done=30, total=90))


def test_time_left_goes_by_passes_where_images_cost_differently(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 90 images 30 are attacked already: they took 30 passes of 9,030."""
    clock = use_clock(monkeypatch)
    with progress_bar() as listen:
        clock[0] = 3
        listen(Progress(phase="attack", done=30, total=90, passes_done=30, passes=9030))
    assert re.search(r"attacks .* 30 of 90 images, 10 images/s 0:15:00 left", read_terminal(capsys))


def test_nothing_is_written_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    report([0])
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_phase_done_total_speed_and_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    report(use_clock(monkeypatch))
    assert re.search(r"attacks .* 30 of 90 images, 3\.0 images/s 0:00:20 left", read_terminal(capsys))
