"""The short form of `python -m tests.faults`."""

import subprocess
import sys

import pytest

from tests.cli.calling import ROOT


@pytest.mark.slow
def test_no_fault_ends_in_a_traceback_or_in_silence() -> None:
    done = subprocess.run([sys.executable, "-m", "tests.faults", "--quick"], cwd=ROOT, capture_output=True, text=True, check=False)
    heading, *rows = done.stdout.splitlines()
    assert heading.split()[-4:] == ["clear", "error", "traceback", "silent"]
    assert len(rows) == 13
    assert [row for row in rows if not any(int(count) for count in row.split()[-4:-2])] == [], "every row had trials"
    assert [row for row in rows if row.split()[-2:] != ["0", "0"]] == [], done.stderr
    assert done.returncode == 0
