"""Attacks on a few images at a time, where one batch would take too much memory."""

from collections.abc import Callable, Sequence
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from zooscope.attacks.base import Attacked
from zooscope.errors import NotFiniteError

MOST_VALUES: Final = 4_000_000  # pixels and channels at once: 26 images of 224x224, 1,300 of 32x32

Perturb = Callable[[Float[Tensor, "batch channel height width"], Int[Tensor, " batch"], Sequence[int] | None], Attacked]


def perturb_in_parts(
    perturb: Perturb,
    pixels: Float[Tensor, "batch channel height width"],
    labels: Int[Tensor, " batch"],
    seeds: Sequence[int] | None,
    *,
    most_values: int = MOST_VALUES,
) -> Attacked:
    """What `perturb` gives for all images, asked for a few at a time.

    Raises:
        NotFiniteError: as `perturb`, with the positions among all images.
    """
    count = max(most_values // max(pixels[:1].numel(), 1), 1)
    found = []
    for start in range(0, len(pixels), count):
        part = slice(start, start + count)
        try:
            found.append(perturb(pixels[part], labels[part], None if seeds is None else seeds[part]))
        except NotFiniteError as error:
            raise error.among(range(start, start + count)) from error
    facts = {name: torch.cat([one.facts[name] for one in found]) for name in found[0].facts}
    return Attacked(torch.cat([one.pixels for one in found]), facts)
