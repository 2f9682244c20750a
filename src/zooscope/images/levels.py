"""Images that are held in Python, as the bytes of image files: PIL's, arrays and tensors. Without loss, or refused."""

from typing import Final

import numpy as np
import torch
from jaxtyping import Shaped, UInt8
from PIL import Image
from torch import Tensor

from zooscope.errors import ImagesError

CHANNELS: Final = (1, 3)
HIGHEST: Final = 255


def encode_image(image: object, *, place: str) -> bytes:
    r"""An image as a file in PPM or PGM, whose bytes don't depend on any library's version.

    Args:
        image: PIL's; or an array or tensor of shape (height, width), (height, width, channels) or (channels, height, width) with 1
            or 3 channels: uint8, or floats in [0, 1] that are whole multiples of 1/255.
        place: which image it is, for errors.

    Raises:
        ImagesError: it is something else, or 8 bits can't hold it.

    Example:
        >>> encode_image(np.array([[0, 128, 255]], dtype=np.uint8), place="image 0")
        b'P5\n3 1\n255\n\x00\x80\xff'
    """
    levels = _read_pil(image, place) if isinstance(image, Image.Image) else _read_array(image, place)
    height, width = levels.shape[:2]
    kind = "P5" if levels.ndim == 2 else "P6"  # noqa: PLR2004  (without an axis of channels: grey)
    return f"{kind}\n{width} {height}\n{HIGHEST}\n".encode() + levels.tobytes()


def _read_pil(image: Image.Image, place: str) -> UInt8[np.ndarray, "height width *channels"]:
    if image.mode.startswith(("I", "F")):
        msg = f"{place} has levels of mode {image.mode}, whose range is not known; convert it to 8 bits."
        raise ImagesError(msg)
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return np.asarray(image if image.mode in {"L", "RGB"} else image.convert("RGB"))


def _read_array(image: object, place: str) -> UInt8[np.ndarray, "height width *channels"]:
    array = _take_array(image, place)
    if array.ndim == 3:  # noqa: PLR2004  (with channels)
        first, last = array.shape[0] in CHANNELS, array.shape[2] in CHANNELS
        if first == last:
            why = "which axis holds the channels is not clear" if first else "it has neither 1 nor 3 channels"
            msg = f"{place} has the shape {array.shape}: {why}; give it as one of PIL's images, or as (height, width, 3)."
            raise ImagesError(msg)
        array = array.transpose(1, 2, 0) if first else array
        array = array[:, :, 0] if array.shape[2] == 1 else array
    if array.ndim not in {2, 3} or not array.size:
        msg = f"{place} has the shape {array.shape}; give images of shape (height, width, 3) or (3, height, width)."
        raise ImagesError(msg)
    return np.ascontiguousarray(_take_levels(array, place))


def _take_array(image: object, place: str) -> Shaped[np.ndarray, "..."]:
    if isinstance(image, Tensor):
        image = image.detach().cpu()
        return np.asarray(image.float() if image.dtype == torch.bfloat16 else image)  # NumPy has no bfloat16
    if not isinstance(image, np.ndarray):
        msg = f"{place} is of type {type(image).__name__}; give PIL's images, arrays or tensors."
        raise ImagesError(msg)
    return image


def _take_levels(array: Shaped[np.ndarray, "..."], place: str) -> UInt8[np.ndarray, "height width *channels"]:
    if array.dtype == np.uint8:
        return array
    if not np.issubdtype(array.dtype, np.floating):
        msg = f"{place} has the type {array.dtype}; give uint8 (levels from 0 to {HIGHEST}) or floats in [0, 1]."
        raise ImagesError(msg)
    if not (array.min() >= 0 and array.max() <= 1):  # NaN, too
        advice = "give levels from 0 to 255 as uint8, and images without mean and std, which are the classifiers'"
        msg = f"{place} has floats from {array.min():g} to {array.max():g}, which must be in [0, 1]; {advice}."
        raise ImagesError(msg)
    exact = HIGHEST * array.astype(np.float64)
    levels = np.rint(exact)
    if np.abs(exact - levels).max() > max(HIGHEST * float(np.finfo(array.dtype).eps), 1e-9):
        msg = (
            f"{place} has floats that 8 bits can't hold (no multiples of 1/255), as after resizing; give the images as they were "
            "before, or round them yourself: (255 * images).round() as uint8."
        )
        raise ImagesError(msg)
    return levels.astype(np.uint8)
