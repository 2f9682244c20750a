"""What can't be asked of a study, in the same words wherever it is asked."""

from collections.abc import Sequence

from zooscope.errors import StudyError, UnknownNameError


def require_name(name: str, names: Sequence[str]) -> None:
    """Refuses the name of a classifier that is not among those of the study.

    Raises:
        UnknownNameError: it isn't.
    """
    if name not in names:
        kind = "classifier"
        raise UnknownNameError(kind, name, names, f"The study holds {len(names)} classifiers; `zooscope show` lists them.")


def require_images(place: str, what: str, *, is_imported: bool) -> None:
    """Refuses an imported matrix where more is needed than scores.

    Raises:
        StudyError: the study is one.
    """
    if is_imported:
        msg = (
            f"{place} is an imported matrix and holds no {what}; measure these classifiers into a new folder: "
            "`zooscope measure FOLDER --classifiers ... --images ...`"
        )
        raise StudyError(msg)
