"""Attacked images as entries: packed against the clean pixels, with everything that brings back every bit."""

from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from zooscope.attacks.base import Attacked
from zooscope.errors import StudyError
from zooscope.kept.entries import Entry
from zooscope.kept.packing import pack, unpack
from zooscope.kept.work import Work, digest_pixels

LENGTH_BYTES: Final = 8


def encode(work: Work, attacked: Attacked) -> Entry:
    """An entry of attacked images.

    Args:
        work: what was attacked.
        attacked: what came out.

    Raises:
        StudyError: the attack doesn't give what attacks promise, so that it can't be kept.
    """
    pixels = attacked.pixels.detach().cpu()
    if (pixels.shape, pixels.dtype) != (work.pixels.shape, work.pixels.dtype):
        msg = f"{type(work.attack).__name__} gives pixels of another shape or type than the clean ones"
        raise StudyError(msg)
    facts = {name: values.detach().cpu().numpy() for name, values in attacked.facts.items()}
    written = b"".join(np.ascontiguousarray(values).tobytes() for values in facts.values())
    header = {
        "key": work.key,
        "unit": work.unit,
        "source": work.source.name,
        "attack": work.attack.description,
        "images": len(pixels),
        "shape": list(pixels.shape),
        "is_channels_last": _is_channels_last(attacked.pixels),
        "facts": {name: values.dtype.str for name, values in facts.items()},
        "digest": digest_pixels(pixels),
    }
    packed = pack(pixels, work.pixels, epsilon=work.epsilon)
    return Entry(header, len(packed).to_bytes(LENGTH_BYTES, "little") + packed + written)


def decode(entry: Entry, work: Work) -> Attacked:
    """Attacked images from an entry, on the source's device.

    Args:
        entry: from `encode`.
        work: what was attacked; gives the clean pixels.

    Raises:
        StudyError: the entry is not what this version writes.
    """
    header, body, clean = entry.header, entry.body, work.pixels
    end = LENGTH_BYTES + int.from_bytes(body[:LENGTH_BYTES], "little")
    pixels = unpack(body[LENGTH_BYTES:end], clean, epsilon=work.epsilon)
    if header.get("digest") != digest_pixels(pixels):
        msg = f"the kept attack {work.key[:8]} on {work.source.name} gives other pixels than were kept"
        raise StudyError(msg)
    if header.get("is_channels_last"):
        pixels = pixels.contiguous(memory_format=torch.channels_last)
    device = work.source.device
    facts = {name: values.to(device) for name, values in _read_facts(header.get("facts", {}), body[end:], len(clean)).items()}
    return Attacked(pixels.to(device), facts)


def _read_facts(kinds: Any, data: bytes, count: int) -> dict[str, Tensor]:  # noqa: ANN401  (as it stands in the file)
    facts, place = {}, 0
    try:
        for name, kind in dict(kinds).items():
            values = np.frombuffer(data, np.dtype(kind), count, place)
            place += values.nbytes
            facts[name] = torch.from_numpy(values.copy())
    except (TypeError, ValueError) as error:
        msg = "the facts of a kept attack can't be read"
        raise StudyError(msg) from error
    return facts


def _is_channels_last(pixels: Tensor) -> bool:
    return pixels.is_contiguous(memory_format=torch.channels_last) and not pixels.is_contiguous()
