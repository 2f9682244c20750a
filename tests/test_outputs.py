import csv
import errno
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
import pytest

from zooscope.errors import StudyError
from zooscope.outputs import format_table, write_table, write_text, write_whole

# Writes a part of the file, says so, and waits to be killed.
HALF = """
import sys, time
from pathlib import Path
from zooscope.outputs import write_whole

def write(out):
    out.write(b"half")
    out.flush()
    print("written", flush=True)
    sys.stdin.read()

write_whole(Path(sys.argv[1]), write)
"""


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fill_the_disk(out: IO[bytes]) -> None:
    out.write(b"half of it")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_file_and_its_folder_are_made(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "a.txt", "a\nü")
    assert (tmp_path / "new" / "a.txt").read_bytes() == "a\nü".encode()
    assert files_in(tmp_path / "new") == ["a.txt"]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_process_killed_half_way_leaves_the_name_as_it_was(tmp_path: Path, *, is_there: bool) -> None:
    file = tmp_path / "a.txt"
    if is_there:
        file.write_text("good")
    with subprocess.Popen(
        [sys.executable, "-c", HALF, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert file.exists() is is_there
    assert not is_there or file.read_text() == "good"


def test_a_full_disk_is_one_sentence_and_the_good_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("good")
    with pytest.raises(StudyError, match=r"a\.txt can't be written \(No space left on device\); name a file .* with space left\.$"):
        write_whole(file, fill_the_disk)
    assert file.read_text() == "good"
    assert files_in(tmp_path) == ["a.txt"]


def test_nothing_is_left_when_the_writer_fails(tmp_path: Path) -> None:
    def fail(out: IO[bytes]) -> None:
        out.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a.txt", fail)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("target", ["there", "nowhere"])
def test_a_link_is_replaced_and_not_followed(tmp_path: Path, target: str) -> None:
    (tmp_path / "there").write_text("someone's own")
    (tmp_path / "a.txt").symlink_to(tmp_path / target)
    write_text(tmp_path / "a.txt", "ours")
    assert not (tmp_path / "a.txt").is_symlink()
    assert (tmp_path / "a.txt").read_text() == "ours"
    assert (tmp_path / "there").read_text() == "someone's own"
    assert not (tmp_path / "nowhere").exists()


def test_who_may_read_it_is_decided_as_for_any_new_file(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "")
    (tmp_path / "plain").touch()
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a.txt", "plain")]
    assert modes[0] == modes[1]


def test_devices_and_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/null")
    for name in ("folder", "pipe", "link"):
        with pytest.raises(
            StudyError, match=rf"{re.escape(name)} can't be written \(it is not a regular file\); give another name"
        ):
            write_text(tmp_path / name, "")
    assert Path(os.devnull).is_char_device()


def test_a_name_as_long_as_may_be_can_be_written(tmp_path: Path) -> None:
    file = tmp_path / ("a" * 255)
    write_text(file, "long")
    assert file.read_text() == "long"


def test_a_table_that_a_spreadsheet_would_run_is_guarded_and_numbers_stay_numbers() -> None:
    attack = "=cmd|'/c calc'!A0"
    table = pd.DataFrame(
        {attack: [-1.5, 2.0], "text": [attack, "plain"], "mixed": [1, None]},
        index=pd.Index([f"+{attack}", "b"], name="@name"),
    )
    (header, first, second) = csv.reader(format_table(table).splitlines())
    assert header == ["'@name", f"'{attack}", "text", "mixed"]
    assert first == [f"'+{attack}", "-1.5", f"'{attack}", "1.0"]
    assert second == ["b", "2.0", "plain", ""]


def test_a_plain_table_is_as_pandas_writes_it(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"a": [1, 2], "b": [1.5, np.nan], "c": ["x", None], "d": [True, False], "e": ['a,"b"', "ü"]}, index=["r", "s"]
    )
    write_table(tmp_path / "a.csv", table)
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == table.to_csv()
