"""From the bytes of an image file to an RGB image."""

import io

import numpy as np
from PIL import Image

from zooscope.errors import ImagesError


def decode(data: bytes, name: str) -> Image.Image:
    """The image as 8-bit RGB, whatever mode it is stored in.

    Grey, palette, CMYK and 16-bit images are converted; transparency is dropped.

    Args:
        data: the file's bytes.
        name: what to call the image in an error.

    Raises:
        ImagesError: the bytes are no image, or a damaged one.
    """
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
        return _rgb(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = (
            "empty file" if not data else "not an image" if isinstance(error, OSError) and "identify" in str(error) else str(error)
        )
        msg = f"{name} ({reason})"
        raise ImagesError(msg) from error


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I;16") or image.mode == "I":
        sixteen_bits = np.asarray(image, dtype=np.int64).clip(0, 65535)
        return Image.fromarray((sixteen_bits >> 8).astype(np.uint8)).convert("RGB")
    if image.mode == "P" and "transparency" in image.info:
        return image.convert("RGBA").convert("RGB")
    return image.convert("RGB")
