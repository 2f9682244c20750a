"""What a shelf asks for attacked images that are kept, wherever they are."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from zooscope.attacks.base import Attacked
from zooscope.kept.work import Work


@runtime_checkable
class Kept(Protocol):
    """Gives attacked images that are kept, and keeps those that are made."""

    def take(self, work: Work, make: Callable[[], Attacked]) -> Attacked:
        """Attacked images: those that are kept, or made and kept. They are the same in every bit."""

    def has(self, unit: str) -> bool:
        """Whether attacked images of a unit are kept; see `Work.unit`."""
