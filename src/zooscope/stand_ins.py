"""What a download leaves in place of a file: a pointer of git-lfs, or a web page."""

from pathlib import Path
from typing import Final, NamedTuple

_LENGTH: Final = 512  # bytes that tell it
_POINTER: Final = b"version https://git-lfs"
_PAGES: Final = (b"<!doctype html", b"<html")
_ERROR: Final = (b"<?xml", b"<error>")  # as storage in a cloud answers


class StandIn(NamedTuple):
    """What a file is instead, and what to do."""

    what: str
    advice: str


def recognize_stand_in(head: bytes) -> StandIn | None:
    """What the first bytes of a file show it to be; None if it is neither a pointer nor a page.

    >>> recognize_stand_in(b"<html><body>404").what
    'a web page (of an error, or for logging in)'
    """
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(_POINTER):
        return StandIn("a git-lfs pointer that stands for the file", "fetch it with `git lfs pull`")
    if text.startswith(_PAGES) or (text.startswith(_ERROR[0]) and _ERROR[1] in text):
        return StandIn("a web page (of an error, or for logging in)", "fetch the file itself")
    return None


def find_stand_in(file: Path) -> StandIn | None:
    """As `recognize_stand_in`, of a file; None if it can't be read."""
    try:
        with file.open("rb") as opened:
            return recognize_stand_in(opened.read(_LENGTH))
    except OSError:
        return None
