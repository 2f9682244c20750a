"""From the bytes of an image file to an RGB image.

What is decided here, and why, stands in `design/0009-images.md`.
"""

import io
from typing import Final

import numpy as np
from PIL import Image, UnidentifiedImageError

from zooscope.errors import ImagesError, InvalidValueError, first_line

# Pillow's other formats are left alone: some start programs (EPS starts Ghostscript), none holds photographs of a data set.
FORMATS: Final = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
_SIXTEEN_BITS: Final = 65535


def decode(data: bytes, name: str) -> Image.Image:
    """The image as 8-bit RGB, whatever mode it is stored in.

    Grey, palette, CMYK and 16-bit images are converted; transparency is dropped; of an animation the first frame is taken. The
    orientation that a camera notes is ignored, as it is by the loaders of torchvision and timm.

    Args:
        data: the file's bytes.
        name: what to call the image in an error.

    Raises:
        ImagesError: the bytes are no image, a damaged one, one of more pixels than PIL deems safe, or one whose levels have no
            agreed range.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        _refuse_bomb(image)
        image.load()
        return _rgb(image)
    except Exception as error:  # on damaged data PIL's plug-ins raise nearly anything
        msg = f"{name} ({_reason(data, error)})"
        raise ImagesError(msg) from error


def _refuse_bomb(image: Image.Image) -> None:
    """PIL itself refuses only twice as many pixels, and warns of these."""
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and image.width * image.height > limit:
        msg = f"{image.width} x {image.height} pixels are more than the {limit} of PIL.Image.MAX_IMAGE_PIXELS"
        raise InvalidValueError(msg)


def _reason(data: bytes, error: Exception) -> str:
    if not data:
        return "empty file"
    return "not an image" if isinstance(error, UnidentifiedImageError) else first_line(error)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode == "F":
        msg = "levels in floating point have no agreed range; save it with 8 or 16 bits"
        raise InvalidValueError(msg)
    if image.mode.startswith("I"):
        levels = np.asarray(image, dtype=np.int64)
        if levels.min() < 0 or levels.max() > _SIXTEEN_BITS:
            msg = "levels of 32 bits have no agreed range; save it with 8 or 16 bits"
            raise InvalidValueError(msg)
        return Image.fromarray((levels >> 8).astype(np.uint8)).convert("RGB")
    if image.mode == "P" and "transparency" in image.info:
        return image.convert("RGBA").convert("RGB")
    return image.convert("RGB")
