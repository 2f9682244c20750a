"""Pixels as images inside the page."""

import base64
from io import BytesIO
from typing import Final

import numpy as np
from jaxtyping import Float32
from PIL import Image

GREY: Final = 0.5
SWING: Final = 0.35  # largest shown distance from grey; the full 0.5 would be too bright
LARGEST_LOSSLESS: Final = 64  # pixels per side; larger photographs would make the page too large
QUALITY: Final = 90


def find_amplification(perturbations: Float32[np.ndarray, "..."]) -> int:
    """The largest integer factor that keeps perturbations within the shown range around middle grey; at least 1."""
    largest = float(np.abs(perturbations).max())
    return max(1, int(SWING / largest)) if largest > 0 else 1


def amplify(perturbation: Float32[np.ndarray, "height width channel"], factor: int) -> Float32[np.ndarray, "height width channel"]:
    """A perturbation around middle grey, which is no change."""
    return (GREY + factor * perturbation).clip(0, 1).astype(np.float32)


def encode_data_address(pixels: Float32[np.ndarray, "height width channel"]) -> str:
    """Pixels in [0, 1] as an image in a `data:` address; small ones lossless."""
    levels = (255 * pixels).round().astype(np.uint8)
    kind = "png" if max(levels.shape[:2]) <= LARGEST_LOSSLESS else "webp"
    file = BytesIO()
    Image.fromarray(levels).save(file, format=kind, **({"optimize": True} if kind == "png" else {"quality": QUALITY}))
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
