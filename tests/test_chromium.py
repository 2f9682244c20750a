"""`make browser` installs Debian's Chromium where there is no browser, and never holds up the tests."""

import os
import shutil
import time
from pathlib import Path

import pytest

from tests import chromium

FETCH = "install --yes --no-install-recommends chromium --download-only"
INSTALL = "install --yes --no-install-recommends chromium"
BROWSER = "printf '#!/bin/sh\\n' > chromium; chmod +x chromium"  # what installing does here
SENTENCE = "No Chromium was installed ({}): the tests that open pages in a browser are skipped."


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of all programs of a machine without a browser, on which the tests run as root."""
    for name in ("chmod", "env", "sleep", "timeout", "true"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def add_program(folder: Path, name: str, lines: str) -> None:
    """One that notes what it is called with, and then runs these lines of shell in the folder."""
    program = folder / name
    lines = f"#!/bin/sh\ncd '{folder}'\necho \"called $*\" >> {name}.calls\n{lines}\n"
    program.write_text(lines, encoding="utf-8")
    program.chmod(0o755)


def calls(folder: Path, name: str = "apt-get") -> list[str]:
    """What the program was called with, without the limits that every call of apt-get has."""
    file = folder / f"{name}.calls"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [line.removeprefix("called ").removeprefix(" ".join(chromium.IMPATIENT)).strip() for line in lines]


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    chromium.main()
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("name", chromium.NAMES)
def test_where_a_browser_is_installed_nothing_is_done(programs: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    add_program(programs, "apt-get", BROWSER)
    add_program(programs, name, "")
    assert told(capsys) == []
    assert calls(programs) == []


def test_the_package_is_fetched_and_then_installed(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_program(programs, "apt-get", f'case "$*" in *--download-only) ;; *) {BROWSER};; esac')
    assert chromium.find_chromium() is None
    assert told(capsys) == ["Installing Debian's Chromium for the tests that open pages in a browser."]
    assert calls(programs) == [FETCH, INSTALL]
    assert chromium.find_chromium() == str(programs / "chromium")


def test_where_the_lists_of_packages_are_missing_they_are_fetched_first(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = "[ -e lists ] || { echo 'E: Unable to locate package chromium' >&2; exit 100; }"
    add_program(programs, "apt-get", f'case "$*" in *update) : > lists; esac; {missing}')
    assert len(told(capsys)) == 1
    assert calls(programs) == [FETCH, "update", FETCH, INSTALL]


def test_what_apt_cannot_do_is_told_in_one_sentence(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_program(programs, "apt-get", "echo 'W: old' >&2; echo 'E: Unable to locate package chromium' >&2; exit 100")
    assert told(capsys)[1:] == [SENTENCE.format("E: Unable to locate package chromium")]
    assert calls(programs) == [FETCH, "update"]


def test_a_server_that_does_not_answer_is_given_up(
    programs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(chromium, "PATIENCE", 0.2)
    add_program(programs, "apt-get", "exec sleep 60")
    started = time.monotonic()
    assert told(capsys)[1:] == [SENTENCE.format("apt-get update took more than 0.2 seconds")]
    assert time.monotonic() - started < 30
    assert calls(programs) == [FETCH, "update"]


@pytest.mark.usefixtures("programs")
def test_without_apt_the_tests_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys) == [SENTENCE.format("there is no apt-get")]
    assert chromium.find_chromium() is None


@pytest.mark.parametrize("answer", ["exit 1", None])
def test_who_is_not_root_and_has_no_sudo_without_a_password_is_told(
    programs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str | None
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    add_program(programs, "apt-get", BROWSER)
    if answer:
        add_program(programs, "sudo", answer)
    assert told(capsys) == [SENTENCE.format("apt-get needs root, or a sudo that asks for no password")]
    assert calls(programs) == []


def test_a_sudo_that_asks_for_no_password_installs(
    programs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    add_program(programs, "apt-get", BROWSER)
    add_program(programs, "sudo", 'shift; exec "$@"')
    assert len(told(capsys)) == 1
    assert calls(programs) == [FETCH, INSTALL]
    assert [line.split()[:2] for line in calls(programs, "sudo")] == [["-n", "true"], ["-n", "env"], ["-n", "env"]]
