"""The page of one study as it is now, with the script that loads it again."""

import base64
import hashlib
import html
import re
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Final

from zooscope.errors import StudyError
from zooscope.records.entries import DATABASE
from zooscope.report.page import render
from zooscope.study.snapshot import read_snapshot

_POLICY: Final = re.compile(r'(<meta http-equiv="Content-Security-Policy" content="[^"]*?script-src)([^";]*)([^"]*)"')
EMPTY: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src; style-src 'unsafe-inline'">
<title>zooscope</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1rem/1.5 sans-serif; margin: 4rem auto; max-width: 40rem; padding: 0 1rem }}
</style>
</head>
<body><h1>{title}</h1>{body}</body>
</html>
"""


class LivePage:
    """The report of a study, rendered again when its record has changed.

    Read from the record alone, so that it needs no torch and writes nothing. The gallery of attacked images, which
    takes networks and images, is in the page of `zooscope report`.

    Attributes:
        folder: of the study.
        confidence: of all intervals.
    """

    def __init__(self, folder: Path, *, confidence: float) -> None:
        """Refuses a folder without a study.

        Raises:
            MissingFileError: there is none.
            StudyError: it is damaged.
        """
        self.folder, self.confidence = folder, confidence
        self._lock, self._kept = Lock(), ("", "")
        read_snapshot(folder)

    @property
    def version(self) -> str:
        """Another text whenever the record may have changed."""
        try:
            states = [(found.st_mtime_ns, found.st_size) for found in map(Path.stat, self._list_files())]
        except FileNotFoundError:  # a log that has just been taken in, or a study that is being replaced
            return "gone"
        return "-".join(f"{time:x}.{size:x}" for time, size in states)

    def render(self) -> str:
        """The page as it is now, as a whole."""
        with self._lock:
            version = self.version
            if self._kept[0] != version:
                self._kept = (version, admit_script(self._render(), write_script(version)))
            return self._kept[1]

    def _render(self) -> str:
        try:
            return str(render(read_snapshot(self.folder), confidence=self.confidence))
        except StudyError as error:
            return write_notice(f"Study {self.folder.name}", f"<p>{html.escape(str(error))}</p>")

    def _list_files(self) -> list[Path]:
        database = self.folder / DATABASE
        return [database, *sorted(self.folder.glob(f"{DATABASE}-wal"))]


def write_notice(title: str, body: str) -> str:
    """A small page.

    Args:
        title: text.
        body: HTML.
    """
    return EMPTY.format(title=html.escape(title), body=body)


def write_script(version: str) -> str:
    """The script that loads a page of this version again once there is a newer one."""
    return files("zooscope.view").joinpath("live.js").read_text(encoding="utf-8").replace("SINCE", version)


def admit_script(page: str, script: str) -> str:
    """A page with one more script at its end, which its policy allows by digest, and which may ask the page's own server.

    Example:
        >>> page = '<meta http-equiv="Content-Security-Policy" content="script-src; img-src data:"></body>'
        >>> admit_script(page, "1").endswith("<script>1</script></body>")
        True

    Args:
        page: as `zooscope.report.page.render` gives it.
        script: our own.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"\\1\\2 'sha256-{digest}'\\3; connect-src 'self'\""
    allowed, count = _POLICY.subn(policy, page, count=1)
    assert count == 1, "the page has a policy"  # noqa: S101  (our own mistake)
    before, body, after = allowed.rpartition("</body>")
    return f"{before}<script>{script}</script>{body}{after}"
