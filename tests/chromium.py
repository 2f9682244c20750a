"""The Chromium in which tests open pages; `python -m tests.chromium` installs Debian's where there is none."""

import os
import shutil
import subprocess
import sys
from typing import Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
INSTALL: Final = ("install", "--yes", "--no-install-recommends", "chromium")
PATIENCE: Final = 120  # seconds for a step, as a server that doesn't answer must not hold up the tests
IMPATIENT: Final = ("-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=20")


def find_chromium() -> str | None:
    """The path of the Chromium or Chrome that is installed; None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def install_chromium() -> str:
    """Installs Debian's package, as root or with a sudo that asks for no password; gives what went wrong, empty if nothing did."""
    if shutil.which("apt-get") is None:
        return "there is no apt-get"
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if root and (shutil.which("sudo") is None or subprocess.run([*root, "true"], capture_output=True, check=False).returncode):
        return "apt-get needs root, or a sudo that asks for no password"
    sys.stdout.write("Installing Debian's Chromium for the tests that open pages in a browser.\n")
    sys.stdout.flush()
    fetch = (*INSTALL, "--download-only")  # what the network can hold up; what is stopped here leaves no package half installed
    trouble = _call_apt(root, fetch)
    if trouble:
        trouble = _call_apt(root, ("update",)) or _call_apt(root, fetch)
    return trouble or _call_apt(root, INSTALL)


def _call_apt(root: list[str], words: tuple[str, ...]) -> str:
    """What went wrong, in apt-get's words; empty if nothing did."""
    limits = ["env", "DEBIAN_FRONTEND=noninteractive", "timeout", str(PATIENCE)]
    done = subprocess.run([*root, *limits, "apt-get", *IMPATIENT, *words], capture_output=True, text=True, check=False)
    if done.returncode == 124:
        return f"apt-get {words[0]} took more than {PATIENCE} seconds"
    return (done.stderr.splitlines() or [f"apt-get {words[0]} failed"])[-1] if done.returncode else ""


def main() -> None:
    if find_chromium() is None and (trouble := install_chromium()):
        sys.stdout.write(f"No Chromium was installed ({trouble}): the tests that open pages in a browser are skipped.\n")


if __name__ == "__main__":
    main()
