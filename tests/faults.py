"""What kills, full disks, damaged bytes and other processes do to a study and to outputs.

    python -m tests.faults            # some minutes
    python -m tests.faults --quick    # some seconds

Each row is a kind of fault, tried several times. A trial ends in one of four ways: correct (the same numbers as without the fault,
or a whole file), a clear error (one sentence), a traceback, or silent: other numbers, or something lost, without a word. The last
two must not happen: the exit status is 1 if one does.
"""

import argparse
import errno
import fcntl
import os
import re
import resource
import shutil
import signal
import sqlite3
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

import zooscope.cli
from tests.cli.synthetic import write_study
from tests.engine.interrupted import Fuse, measure
from zooscope.errors import ZooscopeError
from zooscope.exchange.published import import_matrix
from zooscope.outputs import write_table, write_text, write_whole
from zooscope.pictures.data import Bars, BarSeries
from zooscope.pictures.draw import save
from zooscope.records.records import Records
from zooscope.study.snapshot import read_snapshot

PROCESSES = get_context("forkserver")
CORRECT, CLEAR, TRACEBACK, SILENT = OUTCOMES = ("correct", "clear error", "traceback", "silent")
MUST_NOT_BE: Final = (TRACEBACK, SILENT)
REFUSED, BROKEN = 3, 4  # exit statuses of a process of ours
NOBODY: Final = 65534
SUFFIXES: Final = (".csv", ".html", ".parquet", ".png")
NAMES: Final = ("a", "b", "c")
MATRIX: Final = pd.DataFrame(np.eye(3), index=NAMES, columns=NAMES)
TABLE: Final = pd.DataFrame(np.arange(30_000).reshape(-1, 3), columns=list("xyz"))
PICTURE: Final = Bars(title="", x_label="", labels=NAMES, series=(BarSeries(name="", lengths=np.array([1.0, 2.0, 3.0])),))


# In a process of its own


def _guard(work: Callable[..., object], *arguments: Any) -> None:  # noqa: ANN401  (whatever the work takes)
    try:
        work(*arguments)
    except ZooscopeError:
        sys.exit(REFUSED)
    except SystemExit as end:
        sys.exit(REFUSED if end.code else 0)
    except BaseException:  # noqa: BLE001  (whatever a person would see as a traceback)
        traceback.print_exc()
        sys.exit(BROKEN)


def _command(*words: str | Path) -> None:
    sys.argv = ["zooscope", *map(str, words)]
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        zooscope.cli.main()


def _import(folder: Path, moment: int) -> None:
    with _burning(Fuse(moment)):
        import_matrix(folder, MATRIX)


def _write(file: Path, moment: int) -> None:
    with _burning(Fuse(moment)):
        match file.suffix:
            case ".csv":
                write_table(file, TABLE)
            case ".parquet":
                write_whole(file, partial(TABLE.to_parquet, index=False))
            case ".png":
                save(PICTURE, file)
            case _:
                write_text(file, "whole " * 20_000)


def _import_on_small_disk(folder: Path, size: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    import_matrix(folder, MATRIX)


def _read_as_nobody(folder: Path) -> None:
    read_snapshot(folder).sat()  # imports what it needs while it may
    os.setuid(NOBODY)
    if not np.array_equal(read_snapshot(folder).sat().to_numpy(), MATRIX.to_numpy()):
        sys.exit(BROKEN)


@contextmanager
def _burning(fuse: Fuse) -> Iterator[None]:
    """Every SQL statement, opened, flushed or renamed file is a moment at which the process may kill itself."""

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401  (as the call)
            fuse.burn()
            result = call(*arguments, **options)
            fuse.burn()
            return result

        return wrapped

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:  # noqa: ANN401  (as sqlite3.connect)
        connection: sqlite3.Connection = kept(*arguments, **options)
        connection.set_trace_callback(fuse.burn)
        return connection

    kept, sqlite3.connect = sqlite3.connect, connect  # type: ignore[assignment]
    for owner, name in ((os, "open"), (os, "fsync"), (os, "link"), (os, "rename"), (Path, "replace"), (Path, "rename")):
        setattr(owner, name, watched(getattr(owner, name)))
    yield


def _run(work: Callable[..., object], *arguments: Any) -> int:  # noqa: ANN401  (as above)
    process = PROCESSES.Process(target=_guard, args=(work, *arguments))
    process.start()
    process.join()
    return process.exitcode or 0


# Kinds of faults; each yields the outcome of one trial after the other


def kill_measure(place: Path, trials: int) -> Iterator[str]:
    """`kill -9` of a measurement, then the same again."""
    whole = place / "whole"
    _run(measure, whole, place / "whole.log", None)
    expected, moments = _content(whole), int((place / "whole.log").read_text().splitlines()[-1])
    for trial, moment in enumerate(np.random.default_rng(0).integers(1, moments, trials).tolist()):
        folder = place / f"killed-{trial}"
        status = _run(measure, folder, place / f"{trial}.log", moment)
        again = _run(measure, folder, place / f"{trial}.log", None)
        if BROKEN in (status, again):
            yield TRACEBACK
        elif again == REFUSED:
            yield CLEAR
        else:
            yield CORRECT if _content(folder) == expected else SILENT


def lose_journal(place: Path, trials: int) -> Iterator[str]:
    """`kill -9` while a unit is written, then the journal is deleted or cut."""
    whole = place / "whole"
    _run(measure, whole, place / "whole.log", None)
    expected, moments = _content(whole), int((place / "whole.log").read_text().splitlines()[-1])
    done, generator = 0, np.random.default_rng(1)
    while done < trials:
        folder, moment = place / f"{generator.integers(2**40)}", int(generator.integers(moments // 10, moments))
        log = folder.with_suffix(".log")
        _run(measure, folder, log, moment)
        told = _units_told(log) if log.exists() else set()
        journals = list(folder.glob("study.db-*")) if folder.exists() else []
        if not journals:
            if generator.random() < 0.1:
                done += 1
                yield _compare_part(folder, expected, told) if (folder / "study.db").exists() else CORRECT if not told else SILENT
            continue
        for journal in journals:
            if done % 2:
                journal.unlink()
            else:
                journal.write_bytes(journal.read_bytes()[: journal.stat().st_size // 2])
        done += 1
        yield _compare_part(folder, expected, told)


def kill_import(place: Path, trials: int) -> Iterator[str]:
    """`kill -9` of an import, then the same command again."""
    for moment in np.linspace(1, 120, trials).round().astype(int).tolist():
        folder = place / str(moment)
        first = _run(_import, folder, moment)
        again = 0 if first == 0 else _run(_import, folder, 10**9)
        if again == REFUSED and (folder / "study.db").exists():
            again = 0  # it had been born already
        if BROKEN in (first, again):
            yield TRACEBACK
        elif again == REFUSED:
            yield CLEAR
        else:
            yield CORRECT if np.array_equal(read_snapshot(folder).sat().to_numpy(), MATRIX.to_numpy()) else SILENT


def kill_output(place: Path, trials: int, *, is_there: bool) -> Iterator[str]:
    """`kill -9` while a file is written, new or over a good one."""
    for trial in range(trials):
        suffix, moment = SUFFIXES[trial % len(SUFFIXES)], 1 + trial // len(SUFFIXES)
        good, file = place / f"good{suffix}", place / f"{trial}{suffix}"
        if not good.exists():
            _run(_write, good, 10**9)
        before = b"the good file of before"
        if is_there:
            file.write_bytes(before)
        _run(_write, file, moment)
        allowed = [good.read_bytes(), before if is_there else None]
        yield CORRECT if (file.read_bytes() if file.exists() else None) in allowed else SILENT


def fill_disk(place: Path, trials: int) -> Iterator[str]:
    """A file may grow to so many bytes and no further while a study is created."""
    size = 0
    _run(_import, place / "whole", 10**9)
    largest = 2 * (place / "whole" / "study.db").stat().st_size
    for size in np.linspace(0, largest, trials).round().astype(int).tolist():
        folder = place / str(size)
        status = _run(_import_on_small_disk, folder, size)
        if status == BROKEN:
            yield TRACEBACK
        elif status == REFUSED:
            yield SILENT if (folder / "study.db").exists() else CLEAR
        else:
            yield CORRECT if np.array_equal(read_snapshot(folder).sat().to_numpy(), MATRIX.to_numpy()) else SILENT


def flip(place: Path, trials: int, *, num_bits: int, num_bytes: int = 0, count: int) -> Iterator[str]:
    """Bits flipped, or bytes replaced, anywhere in the database."""
    write_study(place / "study", tuple(f"classifier {n}" for n in range(count)), num_images=60 * count // 2)
    whole, expected = (place / "study" / "study.db").read_bytes(), _content(place / "study")
    generator, folder = np.random.default_rng(num_bits), place / "damaged"
    folder.mkdir()
    for _ in range(trials):
        levels = np.frombuffer(whole, dtype=np.uint8).copy()
        if num_bytes:
            levels[generator.choice(len(levels), num_bytes, replace=False)] = generator.integers(256, size=num_bytes)
        for position in generator.choice(8 * len(levels), num_bits, replace=False):
            levels[position // 8] ^= np.uint8(1 << (position % 8))
        (folder / "study.db").write_bytes(levels.tobytes())
        yield _compare(folder, expected)


def read_beside(place: Path, trials: int) -> Iterator[str]:
    """A study is read while a process measures it."""
    whole, folder = place / "whole", place / "study"
    _run(measure, whole, place / "whole.log", None)
    expected = _content(whole)
    done = 0
    while done < trials:
        shutil.rmtree(folder, ignore_errors=True)
        log = place / "log"
        process = PROCESSES.Process(target=_guard, args=(measure, folder, log, None))
        process.start()
        while process.is_alive() and done < trials:
            if (folder / "study.db").exists():
                told = _units_told(log) if log.exists() else set()  # what was told before the reading must be read
                done += 1
                yield _compare_part(folder, expected, told)
        process.join()
        log.unlink()


def create_together(place: Path, trials: int) -> Iterator[str]:
    """`zooscope measure` three times at once in a new folder."""
    command = (
        "--classifiers",
        "bundled:resnet",
        "bundled:vit",
        "--images",
        "bundled:cifar10",
        "--count",
        "20",
        "--iterations",
        "1",
    )
    _run(_command, "measure", place / "whole", *command)
    expected = _content(place / "whole")
    for trial in range(trials):
        folder = place / str(trial)
        together = [PROCESSES.Process(target=_guard, args=(_command, "measure", folder, *command)) for _ in range(3)]
        for process in together:
            process.start()
        for process in together:
            process.join()
        ends = Counter(process.exitcode for process in together)
        if ends[BROKEN]:
            yield TRACEBACK
        else:  # one that came late finds all measured
            yield SILENT if ends[0] < 1 else _compare(folder, expected)


def fail_lock(place: Path, trials: int) -> Iterator[str]:
    """The file system has no locks."""
    place.mkdir(exist_ok=True)
    kept = fcntl.flock
    codes = (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.EIO)
    for code in codes[:trials]:

        def fail(*_: object, code: int = code) -> None:
            raise OSError(code, os.strerror(code))

        fcntl.flock = fail
        try:
            yield _outcome(lambda: import_matrix(place / "study", MATRIX), lambda _: not (place / "study" / "study.db").exists())
        finally:
            fcntl.flock = kept


def read_only(place: Path, trials: int) -> Iterator[str]:
    """Somebody else's study in a folder that can't be written is read."""
    if os.geteuid() != 0:
        return
    place.chmod(0o755)
    import_matrix(place / "study", MATRIX)
    (place / "study").chmod(0o555)
    for _ in range(trials):
        yield {0: CORRECT, REFUSED: CLEAR}.get(_run(_read_as_nobody, place / "study"), TRACEBACK)


# What a study holds


def _content(folder: Path) -> dict[tuple[str, str, str, int], bytes]:
    """Every array by its place, and the tables of text."""
    with Records.open(folder / "study.db") as records:
        text = repr((records.definition, records.classifiers, records.image_ids, records.labels.tolist(), records.components()))
        return {("text", "", "", 0): text.encode()} | {
            (row.kind, row.subject, row.object, row.part): row.values.tobytes()  # noqa: PD011  (no pandas)
            for kind in ("clean", "logits", "transfer", "control")
            for row in records.arrays(kind)
        }


def _compare(folder: Path, expected: dict[tuple[str, str, str, int], bytes]) -> str:
    return _outcome(lambda: (_content(folder), read_snapshot(folder).sat()), lambda found: found[0] == expected)


def _units_told(log: Path) -> set[tuple[str, str, int]]:
    """The units of which a measurement has said that they are done, as kind, subject and shard."""
    lines = re.findall(r"phase='(\w+)'.*item='(.+), shard (\d+)'", log.read_text())
    return {({"classify": "clean", "attack": "transfer"}[phase], name, int(shard) - 1) for phase, name, shard in lines}


def _compare_part(folder: Path, expected: dict[tuple[str, str, str, int], bytes], told: set[tuple[str, str, int]]) -> str:
    """As far as it is measured, a study holds what the whole one holds; and it holds every unit that was told to be done."""

    def agrees(found: dict[tuple[str, str, str, int], bytes]) -> bool:
        units = {(kind, subject, part) for kind, subject, _, part in found}
        return told <= units and all(expected.get(key) == values for key, values in found.items() if key[0] != "text")

    return _outcome(lambda: _content(folder), agrees)


def _outcome(work: Callable[[], Any], is_right: Callable[[Any], bool]) -> str:
    try:
        return CORRECT if is_right(work()) else SILENT
    except ZooscopeError:
        return CLEAR
    except Exception:  # noqa: BLE001  (whatever a person would see as a traceback)
        traceback.print_exc()
        return TRACEBACK


ROWS: Final[dict[str, tuple[Callable[..., Iterator[str]], dict[str, Any], int, int]]] = {
    "kill -9 of measure, then again": (kill_measure, {}, 60, 3),
    "kill -9 of import, then again": (kill_import, {}, 30, 4),
    "kill -9 while a new output is written": (kill_output, {"is_there": False}, 64, 4),
    "the same over an existing good output": (kill_output, {"is_there": True}, 64, 4),
    "full disk, creating a study": (fill_disk, {}, 60, 6),
    "1 bit flipped, dense study": (flip, {"num_bits": 1, "count": 12}, 200, 5),
    "16 bits flipped, dense study": (flip, {"num_bits": 16, "count": 12}, 200, 10),
    "16 bytes, small study": (flip, {"num_bits": 0, "num_bytes": 16, "count": 2}, 100, 10),
    "journal deleted or cut, after a kill": (lose_journal, {}, 20, 1),
    "readers during measure": (read_beside, {}, 60, 3),
    "three measure at once in a new folder": (create_together, {}, 16, 2),
    "flock fails": (fail_lock, {}, 4, 4),
    "read-only folder of another user": (read_only, {}, 3, 1),
}


def run(*, quick: bool, tell: Callable[[str], object]) -> dict[str, Counter[str]]:
    """Tries all faults; tells a row each."""
    PROCESSES.set_forkserver_preload(["tests.engine.interrupted", "zooscope.pictures.draw", "zooscope.pictures.printed"])
    width = max(map(len, ROWS))
    tell(f"{'fault':{width}}  trials  " + "  ".join(OUTCOMES))
    results = {}
    for name, (fault, options, many, few) in ROWS.items():
        with tempfile.TemporaryDirectory() as place:
            found = results[name] = Counter(fault(Path(place), few if quick else many, **options))
        counts = "  ".join(f"{found[outcome]:{len(outcome)}}" for outcome in OUTCOMES)
        tell(f"{name:{width}}  {found.total():6}  {counts}")
    return results


def main() -> int:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few trials of each")
    results = run(quick=parser.parse_args().quick, tell=lambda line: print(line, flush=True))  # noqa: T201  (a script)
    return int(any(found[outcome] for found in results.values() for outcome in MUST_NOT_BE))


if __name__ == "__main__":
    sys.exit(main())
