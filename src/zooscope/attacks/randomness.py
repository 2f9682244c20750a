"""Random numbers of attacks: each image has generators of its own, so that its result depends on no other image."""

import hashlib
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from zooscope.errors import InvalidValueError


def make_generators(seeds: Sequence[int] | None, num_images: int, purpose: str) -> list[torch.Generator]:
    """A generator for each image, made from its seed and what it is for; torch's global one is left alone.

    >>> first, again = (make_generators([7], 1, "start")[0] for _ in range(2))
    >>> bool(torch.rand(1, generator=first) == torch.rand(1, generator=again))
    True

    Args:
        seeds: one per image.
        num_images: how many images there are.
        purpose: what is drawn; another purpose gives other numbers.

    Raises:
        InvalidValueError: there is not one seed per image.
    """
    return [torch.Generator().manual_seed(_mix(seed, purpose)) for seed in require_seeds(seeds, num_images)]


def require_seeds(seeds: Sequence[int] | None, num_images: int) -> tuple[int, ...]:
    """The seeds, one per image.

    Raises:
        InvalidValueError: there is not one seed per image.
    """
    given = () if seeds is None else tuple(seeds)
    if len(given) != num_images:
        msg = f"random numbers need one seed per image: got {len(given)} for {num_images} images."
        raise InvalidValueError(msg)
    return given


def draw(generators: Sequence[torch.Generator], shape: Sequence[int]) -> Float[Tensor, "image ..."]:
    """Numbers in [0, 1), an array of a shape from each generator; on the CPU, so that they are the same on every device."""
    return torch.stack([torch.rand(tuple(shape), generator=generator) for generator in generators])


def _mix(seed: int, purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\0{purpose}".encode()).digest()[:8], "little") >> 1
