"""From the bytes of an image file to an RGB image.

What is decided here, and why, stands in `design/0009-images.md`.
"""

import io
import re
from typing import Any, Final

import numpy as np
from PIL import Image, UnidentifiedImageError

from zooscope.errors import ImagesError, InvalidValueError, first_line
from zooscope.stand_ins import recognize_stand_in

# Pillow's other formats are left alone: some start programs (EPS starts Ghostscript), none holds photographs of a data set.
FORMATS: Final = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
_HEAD: Final = 512  # bytes that tell what stands in place of an image
FEWEST_BITS: Final = 8
MOST_BITS: Final = 16
_UNSURE: Final = 14  # grey levels that fit into so many bits may have 8, 10, 12, 14 or 16
_UNSURE_IF_SAID: Final = 12  # the same of colours, and where the file says 16 bits
_SCALED: Final = ("JPEG2000", "PPM")  # such files say their range, and Pillow scales it to 16 bits
_COLOURS_OF_16_BITS: Final = re.compile(r";16[BLN]")  # Pillow's name of such pixels; it keeps their upper eight bits
_BITS_PER_SAMPLE: Final = 258  # tags of TIFF
_PHOTOMETRIC: Final = 262
_WHITE_IS_ZERO: Final = 0


def decode(data: bytes, name: str, *, bits: int | None = None) -> Image.Image:
    """The image as 8-bit RGB, whatever mode it is stored in.

    Grey, palette, CMYK and 16-bit images are converted; transparency is dropped; of an animation the first frame is taken. The
    orientation that a camera notes is ignored, as it is by the loaders of torchvision and timm.

    Args:
        data: the file's bytes.
        name: what to call the image in an error.
        bits: how many bits, 8 to 16, the levels have that a file keeps in 16 or 32 bits without saying more; 16 when left out, but
            levels that fit into 14 are refused (12, where the file says 16 bits, and of colours).

    Raises:
        ImagesError: the bytes are no image, a damaged one, one of more pixels than PIL deems safe, or one whose levels have a range
            that is not known.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        _refuse_bomb(image)
        has_lost_bits = bool(image.tile and _COLOURS_OF_16_BITS.search(str(image.tile[0].args)))
        image.load()
        return _convert(image, bits, has_lost_bits=has_lost_bits)
    except Exception as error:  # on damaged data PIL's plug-ins raise nearly anything
        msg = f"{name} ({_describe_reason(data, error)})"
        raise ImagesError(msg) from error


def _refuse_bomb(image: Image.Image) -> None:
    """PIL itself refuses only twice as many pixels, and warns of these."""
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and image.width * image.height > limit:
        msg = f"{image.width} x {image.height} pixels are more than the {limit} of PIL.Image.MAX_IMAGE_PIXELS"
        raise InvalidValueError(msg)


def _describe_reason(data: bytes, error: Exception) -> str:
    if not data:
        return "empty file"
    if not isinstance(error, UnidentifiedImageError):
        return first_line(error)
    stand_in = recognize_stand_in(data[:_HEAD])
    return "not an image" if stand_in is None else f"{stand_in.what}; {stand_in.advice}"


def _convert(image: Image.Image, bits: int | None, *, has_lost_bits: bool) -> Image.Image:
    if image.mode == "F":
        msg = "levels in floating point have no agreed range; save it with 8 or 16 bits"
        raise InvalidValueError(msg)
    if image.mode.startswith("I"):
        return _take_upper_bits(image, bits)
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    if has_lost_bits:
        _require_all_bits(int(np.asarray(rgb).max()), bits)
    return rgb


def _take_upper_bits(image: Image.Image, bits: int | None) -> Image.Image:
    """The upper eight bits of grey levels of more than eight."""
    levels = np.asarray(image, dtype=np.int64)
    tags: Any = getattr(image, "tag_v2", {})
    stored = tags.get(_BITS_PER_SAMPLE, (MOST_BITS,))[0]
    if image.format in _SCALED:
        _require_bright(int(levels.max()), bits)
        bits = MOST_BITS
    elif stored < MOST_BITS:
        bits = stored
    elif bits is None:
        bits = _guess_bits(int(levels.max()))
    if levels.min() < 0 or levels.max() >> bits:
        msg = f"levels from {levels.min()} to {levels.max()} have no agreed range in {bits} bits; save it with 8 or 16 bits"
        raise InvalidValueError(msg)
    upper = (levels >> (bits - FEWEST_BITS)).astype(np.uint8)
    return Image.fromarray(~upper if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else upper).convert("RGB")


def _guess_bits(highest: int) -> int:
    """16, where the levels leave no doubt."""
    if 0 < highest < 1 << _UNSURE:
        msg = (
            f"its highest level is {highest}, so it may have fewer than 16 bits; say how many (bits=8, 10, 12, 14 or 16 in the "
            "address), or save it with 8 bits"
        )
        raise InvalidValueError(msg)
    return MOST_BITS


def _require_bright(highest: int, bits: int | None) -> None:
    """Refuses levels that are said to have 16 bits and fit into 12."""
    if bits is None and 0 < highest < 1 << _UNSURE_IF_SAID:
        msg = (
            f"the file says 16 bits, and its highest level is {highest}, so it may hold fewer; save it with 8 bits, or if it is "
            "that dark, say so (bits=16 in the address)"
        )
        raise InvalidValueError(msg)


def _require_all_bits(highest: int, bits: int | None) -> None:
    """Refuses colours of 16 bits that hold fewer, as only their upper eight bits are there."""
    if bits != MOST_BITS and (bits is not None or not highest >> (_UNSURE_IF_SAID - FEWEST_BITS)):
        msg = "colours of 16 bits that may hold fewer; save it with 8 bits, or if it is that dark, say so (bits=16 in the address)"
        raise InvalidValueError(msg)
