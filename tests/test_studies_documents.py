"""The studies that the documents tell of are there, and the commands print what the documents show."""

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.calling import ROOT, call
from zooscope.study.snapshot import read_snapshot

FOLDER = ROOT / "docs/studies"
BLOCK = re.compile(r"^```console\n\$ zooscope (.*)\n((?:.*\n)*?)```", re.MULTILINE)
SHOWN = [
    pytest.param(command, shown, id=f"{file.stem}: {command}")
    for file in sorted(FOLDER.glob("*.md"))
    for command, shown in BLOCK.findall(file.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("command", "shown"), SHOWN)
def test_a_command_prints_what_the_document_shows(command: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    printed = call(*shlex.split(command)).stdout.splitlines()
    assert [line.rstrip() for line in printed] == [line.rstrip() for line in shown.splitlines()]


@pytest.mark.parametrize("folder", sorted(file.parent for file in FOLDER.glob("*/study.db")), ids=lambda folder: folder.name)
def test_a_study_is_whole_and_small(folder: Path) -> None:
    assert len(read_snapshot(folder).names) > 1
    assert call("check", folder).exit_code == 0
    assert (folder / "study.db").stat().st_size < 5_000_000
