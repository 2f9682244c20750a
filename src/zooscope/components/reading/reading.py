"""The result of reading one component."""

from dataclasses import dataclass

from zooscope.words import list_few


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A component's value and the reason for it.

    Attributes:
        value: spelled as in the paper's table.
        why: the modules or operations that determined the value.
        is_guess: whether other networks look the same but have another value.
    """

    value: str
    why: str
    is_guess: bool = False


def list_modules(paths: list[str], most: int = 2) -> str:
    """Lists the first modules of a sequence and counts the others, as text."""
    known = [path or "the network itself" for path in dict.fromkeys(paths)]
    return list_few(known, most)
