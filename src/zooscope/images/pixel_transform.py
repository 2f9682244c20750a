"""How a classifier's pixels are made from an image, as data; `make_pixels` makes them. Nothing here needs torch."""

import json
from dataclasses import asdict, dataclass, fields
from math import floor, nextafter
from typing import Final, Protocol, runtime_checkable

from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError

INTERPOLATIONS: Final = ("nearest", "bilinear", "bicubic", "lanczos", "hamming", "box")
DOWN: Final = "_down"
CROP_MODES: Final = ("center", "border", "squash", f"center{DOWN}", f"squash{DOWN}")


@check_arguments
@dataclass(frozen=True, kw_only=True)
class PixelTransform:
    """How a classifier's pixels are made from an image; timm's own evaluation transform without the normalisation.

    Attributes:
        height: rows of the pixels.
        width: columns of the pixels.
        interpolation: how the image is resized, one of `INTERPOLATIONS`.
        crop_fraction: the share of the resized image's side that is kept, in (0, 1].
        crop_mode: how the crop is taken, one of `CROP_MODES`. The first three are timm's. Where an odd number of rows or columns is
            cropped away, timm and torchvision round the half of it to the even number; `center_down` and `squash_down` round it
            down, as transformers does.

    Example:
        >>> import zooscope
        >>> transform = zooscope.PixelTransform(height=224, width=224, crop_fraction=0.875)
        >>> transform.size
        (224, 224)
        >>> print(transform.description)
        {"height": 224, "width": 224, "interpolation": "bicubic", "crop_fraction": 0.875, "crop_mode": "center"}
    """

    height: int
    width: int
    interpolation: str = "bicubic"
    crop_fraction: float = 1.0
    crop_mode: str = "center"

    def __post_init__(self) -> None:
        """Refuses what timm would misread."""
        if self.height < 1 or self.width < 1:
            msg = f"PixelTransform.height and width must be positive: got {self.height} and {self.width}."
            raise InvalidValueError(msg)
        if not 0 < self.crop_fraction <= 1:
            msg = f"PixelTransform.crop_fraction must be in (0, 1]: got {self.crop_fraction}."
            raise InvalidValueError(msg)
        for field, value, known in (
            ("interpolation", self.interpolation, INTERPOLATIONS),
            ("crop_mode", self.crop_mode, CROP_MODES),
        ):
            if value not in known:
                msg = f"PixelTransform.{field} must be one of {', '.join(known)}: got {value!r}."
                raise InvalidValueError(msg)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.height, self.width

    @property
    def description(self) -> str:
        """The fields as JSON; equal for equal transforms, so it serves as a key. Records hold it."""
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, description: str) -> "PixelTransform":
        """The transform that a `description` stands for.

        >>> zooscope.PixelTransform.parse(transform.description) == transform
        True

        Raises:
            InvalidValueError: it stands for none.
        """
        try:
            values = json.loads(description)
            return cls(**{field.name: field.type(values[field.name]) for field in fields(cls)})  # type: ignore[operator]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            known = ", ".join(field.name for field in fields(cls))
            msg = f"{description!r} is no transform of pixels; it must be a JSON object with {known}."
            raise InvalidValueError(msg) from error


def find_crop_fraction(size: int, resized: int) -> float:
    """The crop fraction with which a side is resized to exactly `resized` pixels, of which `size` are kept.

    >>> find_crop_fraction(224, 256)
    0.875

    Raises:
        InvalidValueError: more would be kept than there is.
    """
    if not 1 <= size <= resized:
        msg = f"a crop of {size} pixels can't be taken out of {resized}; make it smaller or resize to more."
        raise InvalidValueError(msg)
    fraction = size / resized
    while floor(size / fraction) < resized:  # timm rounds the quotient down, and it may have come out a little too small
        fraction = nextafter(fraction, 0)
    return fraction


@runtime_checkable
class HasPixelTransform(Protocol):
    """Anything that says how it wants its pixels made: a classifier."""

    @property
    def transform(self) -> PixelTransform:
        """From image to pixels."""
