"""What targets say of images that were attacked through a source."""

import hashlib
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import interpolate

from zooscope.attacks.base import Attack
from zooscope.classifiers.classifier import Classifier


def perturb(
    attack: Attack,
    source: Classifier,
    pixels: Float[Tensor, "image channel height width"],
    labels: Int[Tensor, " image"],
    seeds: Sequence[int],
    *,
    batch_size: int,
) -> Float[Tensor, "image channel height width"]:
    """All images attacked, batch by batch, on the source's device."""
    device = source.device
    return torch.cat(
        [
            attack.perturb(
                source,
                pixels[start : start + batch_size].to(device),
                labels[start : start + batch_size].to(device),
                seeds[start : start + batch_size],
            )
            for start in range(0, len(pixels), batch_size)
        ]
    )


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
