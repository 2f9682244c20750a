"""What a reader of components hands out."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A component's value and what decided it.

    Attributes:
        value: as the table writes it.
        why: the modules or operations that decided.
    """

    value: str
    why: str


def list_modules(paths: list[str], most: int = 2) -> str:
    """The first of some modules, and how many more there are."""
    known = [path or "the network itself" for path in dict.fromkeys(paths)]
    more = len(known) - most
    return ", ".join(known[:most]) + (f" and {more} more" if more > 0 else "")
