"""From an RGB image to the pixels that a classifier takes: resize, then crop; values in [0, 1]."""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final, Protocol, runtime_checkable

import zooscope.images.torchvision_operators

import torch
from jaxtyping import Float
from PIL import Image
from timm.data.transforms_factory import transforms_imagenet_eval
from torch import Tensor

from zooscope.errors import InvalidValueError

INTERPOLATIONS: Final = ("nearest", "bilinear", "bicubic", "lanczos", "hamming", "box")
CROP_MODES: Final = ("center", "border", "squash")


@dataclass(frozen=True, kw_only=True)
class PixelTransform:
    """How a classifier's pixels are made from an image; timm's own evaluation transform without the normalisation.

    Attributes:
        height: rows of the pixels.
        width: columns of the pixels.
        interpolation: how the image is resized, one of `INTERPOLATIONS`.
        crop_fraction: the share of the resized image's side that is kept, in (0, 1].
        crop_mode: how the crop is taken, one of `CROP_MODES` (timm's).
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

    def __str__(self) -> str:
        """One line that says all of it; equal for equal transforms, so it serves as a key."""
        return " ".join(f"{field}={value}" for field, value in asdict(self).items())

    @cached_property
    def _transform(self) -> Any:  # noqa: ANN401  (torchvision's Compose is untyped)
        return transforms_imagenet_eval(
            img_size=self.size,
            crop_pct=self.crop_fraction,
            crop_mode=self.crop_mode,
            interpolation=self.interpolation,
            normalize=False,
        )

    def __call__(self, image: Image.Image) -> Float[Tensor, "channel height width"]:
        """The image's pixels: float32 in [0, 1], three channels."""
        levels: Tensor = self._transform(image)
        return levels.to(torch.float32) / 255


@runtime_checkable
class HasPixelTransform(Protocol):
    """Anything that says how it wants its pixels made: a classifier."""

    @property
    def transform(self) -> PixelTransform:
        """From image to pixels."""
