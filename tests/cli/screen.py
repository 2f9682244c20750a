"""A terminal of a test: a program runs in it, and what stands on its screen can be read."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

from tests.cli.calling import ROOT

_PIECE = re.compile(r"\x1b\[(?P<count>[0-9;?]*)(?P<kind>[A-Za-z])|(?P<text>[^\x1b])", re.DOTALL)


def run_in_terminal(*words: str | Path, width: int = 80, height: int = 40, **environment: str) -> Iterator[list[str]]:
    """The lines on the screen, each time they were drawn anew; the program must end with 0."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    given = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "zooscope", *map(str, words)],
        cwd=ROOT,
        env=given | {"TERM": "xterm-256color"} | environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    screen, text = Screen(), b""
    while part := _read(controller):
        text += part
        *frames, rest = text.split(b"\r\x1b[2K")  # how Rich begins to draw anew
        for frame in frames:
            screen.write(frame.decode())
            yield screen.lines
            screen.write("\r\x1b[2K")
        text = rest
    screen.write(text.decode())
    os.close(controller)
    assert process.wait() == 0, screen.lines
    yield screen.lines


def _read(controller: int) -> bytes:
    try:
        return os.read(controller, 65536)
    except OSError:  # the program has ended
        return b""


class Screen:
    """What the control sequences that Rich writes do: up, erase a line, begin a line."""

    def __init__(self) -> None:
        self._lines, self._row, self._column = [""], 0, 0

    @property
    def lines(self) -> list[str]:
        return list(self._lines)

    def write(self, text: str) -> None:
        for piece in _PIECE.finditer(text):
            if piece["kind"] == "A":
                self._row -= int(piece["count"] or 1)
            elif piece["kind"] == "K":
                self._lines[self._row] = ""
            elif piece["text"]:
                self._put(piece["text"])

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._row += 1
            self._lines += [""] * (self._row + 1 - len(self._lines))
        else:
            line = self._lines[self._row].ljust(self._column)
            self._lines[self._row] = line[: self._column] + character + line[self._column + 1 :]
            self._column += 1
