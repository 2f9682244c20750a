"""A tensor in a trace."""

from dataclasses import dataclass

from zooscope.components.reading.axes import Axes, count


@dataclass(frozen=True, kw_only=True, eq=False)
class Value:
    """A tensor that the network used or made.

    Attributes:
        number: position in the order in which values were made.
        shape: its sizes.
        axes: what they represent.
        from_pixels: whether it depends on the image.
        learned: whether it depends on parameters.
        name: of the parameter or buffer that it is, or comes from without the image; empty otherwise.
        made_by: the number of the step that made it; None for the image and for what doesn't depend on it.
    """

    number: int
    shape: tuple[int, ...]
    axes: Axes
    from_pixels: bool = False
    learned: bool = False
    name: str = ""
    made_by: int | None = None

    @property
    def num_places(self) -> int:
        """How many places (pixels, tokens) it has."""
        return count(self.axes, "place")
