"""Attacked pixels in few bytes, without loss: coded against the clean pixels, which are at hand wherever they are read again.

A value is one of four things: the upper end of the epsilon ball, its lower end, the clean value, or something else. The first three
take a bit or two. LinfPGD with a step longer than the ball is wide leaves nothing else: 1 bit a value. What is something else is
coded in two ways, and the shorter is taken:

- as the difference between the bit patterns of the attacked and the clean float;
- as the number of 1/255 steps between them, and the difference between the bit patterns of the attacked float and of the nearest
  multiple of 1/255: good for attacks that take small steps of a few 255ths.
"""

import zlib
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt
from torch import Tensor

from zooscope.attacks.linf_ball import LinfBall
from zooscope.errors import StudyError

NUM_VALUES: Final = 2**19  # packed at once: temporary arrays of some megabytes are quicker than larger ones
LEVEL: Final = 6  # of zlib
LENGTH_BYTES: Final = 8
WHOLE_NUMBERS: Final = {2: torch.int16, 4: torch.int32, 8: torch.int64}

Bits = UInt[np.ndarray, " value"]


def pack(
    attacked: Float[Tensor, "image channel height width"], clean: Float[Tensor, "image channel height width"], *, epsilon: float
) -> bytes:
    """Attacked pixels as bytes.

    Example:
        >>> clean = torch.rand(10, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        >>> ball = LinfBall.around(clean, 8 / 255)
        >>> attacked = torch.where(clean > 0.5, ball.lower, ball.upper)
        >>> packed = pack(attacked, clean, epsilon=8 / 255)
        >>> torch.equal(unpack(packed, clean, epsilon=8 / 255), attacked), len(packed) < 10 * 3 * 32 * 32 / 8 + 100
        (True, True)

    Args:
        attacked: of any type of float.
        clean: of the same shape and type.
        epsilon: radius of the ball in which the attack stays, in pixel units; 0 where it has none.
    """
    return b"".join(
        _pack_values(_find_values(some, kept, epsilon)) for some, kept in zip(_split(attacked), _split(clean), strict=True)
    )


def unpack(data: bytes, clean: Float[Tensor, "image channel height width"], *, epsilon: float) -> Tensor:
    """Attacked pixels from what `pack` gave.

    Args:
        data: from `pack`.
        clean: as they were given to `pack`.
        epsilon: as it was given to `pack`.

    Raises:
        StudyError: these are not the bytes of such pixels.
    """
    parts, sections = [], _Sections(data)
    for kept in _split(clean):
        bits = _unpack_values(sections, _find_values(kept, kept, epsilon))
        parts.append(torch.from_numpy(bits.view(f"<i{bits.itemsize}").reshape(kept.shape)).view(clean.dtype))
    sections.require_end()
    return torch.cat(parts)


class _Values(NamedTuple):
    """Floats as unsigned whole numbers of the same bits, flat."""

    attacked: Bits
    clean: Bits
    lower: Bits
    upper: Bits
    has_levels: bool


def _split(pixels: Tensor) -> tuple[Tensor, ...]:
    parts: tuple[Tensor, ...] = pixels.split(max(1, NUM_VALUES // max(1, pixels[:1].numel())))
    return parts


def _find_values(attacked: Tensor, clean: Tensor, epsilon: float) -> _Values:
    ball = LinfBall.around(clean.cpu(), epsilon)
    given, kept, lower, upper = (_take_bits(pixels) for pixels in (attacked, clean, ball.lower, ball.upper))
    return _Values(given, kept, lower, upper, has_levels=clean.dtype == torch.float32)


def _take_bits(pixels: Tensor) -> Bits:
    width = pixels.element_size()
    return pixels.detach().cpu().contiguous().flatten().view(WHOLE_NUMBERS[width]).numpy().view(f"<u{width}")


def _pack_values(values: _Values) -> bytes:
    is_upper = values.attacked == values.upper
    is_inside = ~is_upper & (values.attacked != values.lower)
    is_clean = values.attacked[is_inside] == values.clean[is_inside]
    attacked, clean = (bits[is_inside][~is_clean] for bits in (values.attacked, values.clean))
    codes = [_compress(code.join(attacked, clean)) for code in _list_codes(values)]
    shortest = min(range(len(codes)), key=lambda number: len(codes[number]))
    planes = (_compress(np.packbits(plane).tobytes()) for plane in (is_upper, is_inside, is_clean))
    return b"".join((*planes, bytes([shortest]), codes[shortest]))


def _unpack_values(sections: "_Sections", values: _Values) -> Bits:
    is_upper, is_inside = (sections.take_plane(len(values.clean)) for _ in range(2))
    is_clean = sections.take_plane(int(is_inside.sum()))
    bits = np.where(is_upper, values.upper, values.lower)
    codes, chosen = _list_codes(values), sections.take(1)[0]
    if chosen >= len(codes):
        raise StudyError(_DAMAGED)
    clean = values.clean[is_inside]
    inside, others = clean.copy(), clean[~is_clean]
    code = codes[chosen]
    inside[~is_clean] = code.split(sections.take_compressed(len(others) * (others.itemsize + code.extra_bytes)), others)
    bits[is_inside] = inside
    return bits


# Values that are neither an end of the ball nor clean


class _Code(NamedTuple):
    """How values are written beside the clean ones; takes and gives bits of floats."""

    join: Callable[[Bits, Bits], bytes]
    split: Callable[[bytes, Bits], Bits]
    extra_bytes: int


def _list_codes(values: _Values) -> list[_Code]:
    differences = _Code(_shuffle_differences, _add_differences, 0)
    return [differences, _Code(_write_levels, _read_levels, 1)] if values.has_levels else [differences]


def _shuffle_differences(bits: Bits, near: Bits) -> bytes:
    """Differences with their sign in the lowest bit, the lowest bytes of all first, then the next: alike bytes stand together."""
    width = bits.itemsize
    signed = (bits - near).view(f"<i{width}")
    folded = (signed << 1) ^ (signed >> (8 * width - 1))
    shuffled: bytes = folded.view(np.uint8).reshape(-1, width).T.tobytes()
    return shuffled


def _add_differences(data: bytes, near: Bits) -> Bits:
    width = near.itemsize
    folded = np.ascontiguousarray(np.frombuffer(data, np.uint8).reshape(width, -1).T).view(near.dtype).reshape(-1)
    bits: Bits = near + ((folded >> 1) ^ -(folded & 1))
    return bits


def _write_levels(bits: Bits, clean: Bits) -> bytes:
    levels = _find_levels(bits)
    steps: bytes = (levels - _find_levels(clean)).tobytes()
    return steps + _shuffle_differences(bits, _place_levels(levels))


def _read_levels(data: bytes, clean: Bits) -> Bits:
    levels = np.frombuffer(data, np.uint8, len(clean)) + _find_levels(clean)
    return _add_differences(data[len(clean) :], _place_levels(levels))


def _find_levels(bits: Bits) -> Bits:
    """The nearest of the 256 levels; what is no number, or outside [0, 1], has one of them, too."""
    with np.errstate(invalid="ignore"):  # what is no number may signal it
        floats = np.nan_to_num(bits.view("<f4").astype(np.float64), nan=0.0, posinf=1.0, neginf=0.0)
    levels: Bits = np.rint(255 * floats.clip(0, 1)).astype(np.uint8)
    return levels


def _place_levels(levels: Bits) -> Bits:
    bits: Bits = (levels.astype(np.float32) / np.float32(255)).astype("<f4").view("<u4")
    return bits


# Bytes

_DAMAGED: Final = "packed pixels are damaged; they are to be made again."


def _compress(data: bytes) -> bytes:
    """Compressed bytes with their length before them; noise, which doesn't get shorter, costs 11 bytes for every 64 KB."""
    compressed = zlib.compress(data, LEVEL)
    return len(compressed).to_bytes(LENGTH_BYTES, "little") + compressed


class _Sections:
    """Bytes that are taken from the front, with their number known."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place = memoryview(data), 0

    def take(self, count: int) -> memoryview:
        if len(self._data) - self._place < count:
            raise StudyError(_DAMAGED)
        self._place += count
        return self._data[self._place - count : self._place]

    def take_compressed(self, count: int) -> bytes:
        """So many bytes; more are never unpacked."""
        compressed = self.take(int.from_bytes(self.take(LENGTH_BYTES), "little"))
        unpacking = zlib.decompressobj()
        try:
            data = unpacking.decompress(compressed, count + 1)
        except zlib.error as error:
            raise StudyError(_DAMAGED) from error
        if len(data) != count or not unpacking.eof:
            raise StudyError(_DAMAGED)
        return data

    def take_plane(self, count: int) -> Bool[np.ndarray, " value"]:
        """So many truths."""
        return np.unpackbits(np.frombuffer(self.take_compressed(-(-count // 8)), np.uint8), count=count).astype(bool)

    def require_end(self) -> None:
        if self._place != len(self._data):
            raise StudyError(_DAMAGED)
