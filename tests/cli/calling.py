"""The command line, called from a test."""

import os
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from zooscope.cli.app import app

ROOT = Path(__file__).parents[2]
CLASSIFIERS = ("--classifiers", "bundled:resnet", "bundled:vit")
IMAGES = ("--images", "bundled:cifar10", "--count", "20")
SMALL = (*CLASSIFIERS, *IMAGES, "--iterations", "2")
ENVIRONMENT = {"COLUMNS": "80", "TERM": "dumb", "FORCE_COLOR": None, "NO_COLOR": None}


def call(*words: str | Path) -> Result:
    """In this process, as if piped."""
    return CliRunner(env=ENVIRONMENT).invoke(app, [str(word) for word in words], catch_exceptions=False)


def start_held(*words: str | Path, reached: Path, num_units: int) -> subprocess.Popen[str]:
    """In a process of its own, piped, held after so many units of attacks: then it makes the file `reached` and waits."""
    environment = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.cli.held", str(reached), str(num_units), *map(str, words)],
        cwd=ROOT,
        env=environment | {"COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def one_line(text: str) -> str:
    """The only line of a text."""
    (line,) = text.splitlines()
    return line
