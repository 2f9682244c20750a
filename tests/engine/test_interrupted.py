"""A study killed at any moment and run again holds what an uninterrupted one holds, byte for byte."""

import random
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from tests.engine.interrupted import measure

# A server that has imported torch once forks a process per run: a start takes milliseconds instead of seconds.
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["zooscope.study.study"])

NUM_UNITS = 3 * 3 + 3 * 3  # classifiers by shards: clean passes, attacks


@dataclass(frozen=True, kw_only=True)
class Uninterrupted:
    content: str
    num_moments: int
    seconds: float


def start(folder: Path, log: Path, moments: int | None = None) -> ForkServerProcess:
    process = PROCESSES.Process(target=measure, args=(folder, log, moments))
    process.start()
    return process


def finish(folder: Path, log: Path) -> list[str]:
    """Runs to the end; gives the lines of the log."""
    process = start(folder, log)
    process.join()
    assert process.exitcode == 0
    return log.read_text().splitlines()


def content(folder: Path) -> str:
    """Every table with every row and blob, as SQL."""
    with closing(sqlite3.connect(folder / "study.db")) as connection:
        return "\n".join(connection.iterdump())


def units_in(folder: Path) -> int:
    """How many units the database holds; none if the study was not born yet."""
    if not (folder / "study.db").exists():
        return 0
    with closing(sqlite3.connect(folder / "study.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = connection.execute("SELECT kind, subject_id, part FROM arrays JOIN series ON series.id = series_id").fetchall()
    clean = sum(kind == "clean" for kind, *_ in rows)
    pairs = [(source, part) for kind, source, part in rows if kind == "transfer"]
    attacks = len(set(pairs))
    assert len(pairs) == 3 * attacks, "a unit is written with all its targets, or not at all"
    return int(clean) + attacks


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Uninterrupted:
    folder = tmp_path_factory.mktemp("uninterrupted")
    finish(folder / "warm", folder / "warm.log")
    began = time.monotonic()
    lines = finish(folder / "study", folder / "log")
    assert len(lines) == NUM_UNITS + 1
    return Uninterrupted(content=content(folder / "study"), num_moments=int(lines[-1]), seconds=time.monotonic() - began)


def check_resumed(folder: Path, killed: ForkServerProcess, uninterrupted: Uninterrupted) -> None:
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    log = folder / "log"
    told, kept = log.read_text().count("Progress") if log.exists() else 0, units_in(folder / "study")
    assert told <= kept <= told + 1, "at most the unit in flight is lost"
    resumed = finish(folder / "study", folder / "second log")
    assert len(resumed[:-1]) == NUM_UNITS - kept, "what was kept is not measured again"
    assert content(folder / "study") == uninterrupted.content


SHARES = (0.01, 0.1, 0.3, 0.6, 1.0)
MORE_SHARES = (0.04, 0.07, 0.13, 0.2, 0.45, 0.75, 0.9)


@pytest.mark.parametrize("share", [*SHARES, *(pytest.param(share, marks=pytest.mark.slow) for share in MORE_SHARES)])
def test_killed_at_a_chosen_moment_and_resumed_equals_uninterrupted(
    share: float, tmp_path: Path, uninterrupted: Uninterrupted
) -> None:
    moment = max(1, round(share * uninterrupted.num_moments))
    check_resumed(tmp_path, start(tmp_path / "study", tmp_path / "log", moment), uninterrupted)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_killed_from_outside_and_resumed_equals_uninterrupted(seed: int, tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    delay, folder = random.Random(seed).random() * 0.8 * uninterrupted.seconds, tmp_path / "0"  # noqa: S311  (no secret)
    while True:  # a process that was done before its time is no test: again, with half the time
        process = start(folder / "study", folder / "log")
        process.join(delay)
        process.kill()
        process.join()
        if process.exitcode != 0:
            break
        delay, folder = delay / 2, tmp_path / f"{delay}"
    check_resumed(folder, process, uninterrupted)


def test_killed_again_and_again_it_still_comes_to_the_same_end(tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    folder, log, kept = tmp_path / "study", tmp_path / "log", 0
    for _ in range(4):
        process = start(folder, log, uninterrupted.num_moments // 3)
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert units_in(folder) > kept
        kept = units_in(folder)
        if kept > NUM_UNITS // 2:
            break
    finish(folder, log)
    assert content(folder) == uninterrupted.content
