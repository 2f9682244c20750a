"""Which files a piece of code opens, told by Python itself."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LISTENERS: list[list[Path]] = []


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _LISTENERS and isinstance(arguments[0], str | bytes):
        for opened in _LISTENERS:
            opened.append(Path(os.fsdecode(arguments[0])))


@contextmanager
def opened_files() -> Iterator[list[Path]]:
    """The paths opened inside the block, by any thread."""
    if not getattr(_hook, "is_added", False):  # a hook can't be taken away again
        sys.addaudithook(_hook)
        _hook.__dict__["is_added"] = True
    opened: list[Path] = []
    _LISTENERS.append(opened)
    try:
        yield opened
    finally:
        _LISTENERS.remove(opened)
