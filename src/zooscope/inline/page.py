"""A whole page within a notebook."""

import html
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from zooscope.outputs import write_text
from zooscope.words import format_bytes

HEIGHT: Final = 800  # pixels


@final
@dataclass(frozen=True, kw_only=True)
class InlinePage:
    """A page that a notebook shows in a frame of its own, in which nothing reaches the notebook or the network.

    Example:
        >>> page = InlinePage(title="a study", text="<p>Hello</p>")
        >>> page
        InlinePage('a study', 12 bytes)

    Attributes:
        title: what the frame is called, for screen readers.
        text: the page as HTML.
    """

    title: str
    text: str

    def __repr__(self) -> str:
        """The title and the size."""
        return f"InlinePage({self.title!r}, {format_bytes(len(self.text.encode()))})"

    def save(self, file: str | Path) -> Path:
        """Writes the page as a file of its own.

        Raises:
            StudyError: it can't be written.
        """
        write_text(Path(file), self.text)
        return Path(file)

    def _repr_html_(self) -> str:
        title, text = html.escape(self.title), html.escape(self.text)
        frame = f'width="100%" height="{HEIGHT}" style="border: 1px solid #8888; background: #fff"'
        return f'<iframe title="{title}" sandbox="allow-scripts allow-downloads" {frame} srcdoc="{text}"></iframe>'
