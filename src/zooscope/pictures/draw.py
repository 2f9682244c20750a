"""Pictures as files, by the ending of the file's name."""

from pathlib import Path
from typing import Final

from zooscope.errors import InvalidValueError, StudyError
from zooscope.pictures.data import Picture

DRAWN: Final = (".png", ".svg", ".pdf")
ENDINGS: Final = (*DRAWN, ".html", ".csv")


def require_ending(file: Path) -> None:
    """Refuses a file that can't be drawn, before anything is computed for it.

    Raises:
        InvalidValueError: its name ends in none of `ENDINGS`.
    """
    if file.suffix.lower() not in ENDINGS:
        msg = f"{file} can't be drawn: its name must end in {', '.join(ENDINGS)}."
        raise InvalidValueError(msg)


def save(picture: Picture, file: Path) -> None:
    """Writes a picture: `.png`, `.svg` and `.pdf` to be printed, `.html` to be explored without network, `.csv` its numbers.

    The same picture gives the same bytes. The folder is made where it is not there.

    Raises:
        InvalidValueError: the file's name ends otherwise.
        StudyError: the file can't be written.
    """
    require_ending(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix.lower() == ".csv":
            picture.table().to_csv(file, encoding="utf-8")
        elif file.suffix.lower() == ".html":
            from zooscope.pictures.interactive import write  # noqa: PLC0415  (plotly takes a second to import)

            write(picture, file)
        else:
            from zooscope.pictures.printed import write  # noqa: PLC0415  (so does matplotlib)

            write(picture, file)
    except OSError as error:
        msg = f"{file} can't be written ({error.strerror or error}); name a file in a folder that can be written."
        raise StudyError(msg) from error
