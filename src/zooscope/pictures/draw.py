"""Pictures as files, by the ending of the file's name."""

from pathlib import Path
from typing import IO, Final

from zooscope.errors import InvalidValueError
from zooscope.outputs import format_table, write_whole
from zooscope.pictures.data import Picture

DRAWN: Final = (".png", ".svg", ".pdf")
ENDINGS: Final = (*DRAWN, ".html", ".csv")


def require_ending(file: Path) -> None:
    """Rejects a file that can't be drawn, before anything is computed for it.

    Raises:
        InvalidValueError: its name ends in none of `ENDINGS`.
    """
    if file.suffix.lower() not in ENDINGS:
        msg = f"{file} can't be drawn: its name must end in {', '.join(ENDINGS)}."
        raise InvalidValueError(msg)


def save(picture: Picture, file: Path) -> None:
    """Writes a picture: `.png`, `.svg` and `.pdf` for print, `.html` to explore offline, `.csv` for its numbers.

    The same picture gives the same bytes. A missing folder is made.

    Raises:
        InvalidValueError: the file's name has another ending.
        StudyError: the file can't be written.
    """
    require_ending(file)
    write_whole(file, lambda out: _draw(picture, out, file.suffix.lower()))


def _draw(picture: Picture, out: IO[bytes], ending: str) -> None:
    if ending == ".csv":
        out.write(format_table(picture.make_table()).encode("utf-8"))
    elif ending == ".html":
        from zooscope.pictures import interactive  # noqa: PLC0415  (plotly takes a second to import)

        interactive.write(picture, out)
    else:
        from zooscope.pictures import printed  # noqa: PLC0415  (so does matplotlib)

        printed.write(picture, out, ending)
