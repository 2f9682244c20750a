"""What targets say of images that were attacked through a source."""

import hashlib
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import interpolate

from zooscope.attacks.base import Attack, Attacked
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import NotFiniteError


def perturb(
    attack: Attack,
    source: Classifier,
    pixels: Float[Tensor, "image channel height width"],
    labels: Int[Tensor, " image"],
    ids: Sequence[str],
    *,
    seed: int,
    batch_size: int,
) -> Attacked:
    """All images attacked, batch by batch, on the source's device.

    Args:
        attack: the attack.
        source: the classifier that is attacked.
        pixels: clean pixels in [0, 1] as the source takes them.
        labels: the true classes.
        ids: of the images; seeds are made from them.
        seed: of the study.
        batch_size: images that go through the network at once.

    Raises:
        NotFiniteError: a loss or a gradient is not finite; the images are named.
    """
    parts = []
    for start in range(0, len(pixels), batch_size):
        here = slice(start, start + batch_size)
        seeds = [image_seed(seed, name) for name in ids[here]]
        try:
            parts.append(attack.perturb(source, pixels[here].to(source.device), labels[here].to(source.device), seeds))
        except NotFiniteError as error:
            raise error.naming(ids[here]) from error
    facts = {name: torch.cat([part.facts[name] for part in parts]) for name in parts[0].facts}
    return Attacked(torch.cat([part.pixels for part in parts]), facts)


def resized(
    pixels: Float[Tensor, "image channel height width"], size: tuple[int, int]
) -> Float[Tensor, "image channel new_height new_width"]:
    """Pixels at another size: bilinear without antialiasing, cut to [0, 1]; untouched where the size is the same."""
    if tuple(pixels.shape[-2:]) == size:
        return pixels
    return interpolate(pixels, size=size, mode="bilinear", align_corners=False, antialias=False).clamp(0, 1)


def image_seed(study_seed: int, image_id: str) -> int:
    """The seed of an image's attack: from the study's seed and the image's id, never from the order of work."""
    return int.from_bytes(hashlib.sha256(f"{study_seed}\0{image_id}".encode()).digest()[:8], "little") >> 1
