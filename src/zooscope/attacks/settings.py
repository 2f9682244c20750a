"""What the fields of attacks may be, in the same words for all attacks."""

from collections.abc import Sequence

from zooscope.errors import InvalidValueError


def require_length(field: str, value: float) -> None:
    """Refuses a distance between pixels that is not in (0, 1].

    Raises:
        InvalidValueError: it isn't.
    """
    if not 0 < value <= 1:
        hint = f" For {value:g}/255 write {value:g}/255." if value > 1 else ""
        msg = f"{field} must be in (0, 1] (pixels are in [0, 1]): got {value:g}.{hint}"
        raise InvalidValueError(msg)


def require_share(field: str, value: float) -> None:
    """Refuses a share that is not in [0, 1].

    Raises:
        InvalidValueError: it isn't.
    """
    if not 0 <= value <= 1:
        msg = f"{field} must be in [0, 1]: got {value:g}."
        raise InvalidValueError(msg)


def require_at_least(field: str, value: float, least: float) -> None:
    """Refuses a number that is too small.

    Raises:
        InvalidValueError: it is.
    """
    if not value >= least:
        msg = f"{field} must be at least {least:g}: got {value:g}."
        raise InvalidValueError(msg)


def require_one_of(field: str, value: str, choices: Sequence[str]) -> None:
    """Refuses a word that is not among those that there are.

    Raises:
        InvalidValueError: it isn't.
    """
    if value not in choices:
        msg = f"{field} must be one of {', '.join(choices)}: got {value!r}."
        raise InvalidValueError(msg)
