"""Pixels as pictures inside the page."""

import base64
from io import BytesIO
from typing import Final

import numpy as np
from jaxtyping import Float32
from PIL import Image

GREY: Final = 0.5
SWING: Final = 0.35  # how far from grey a perturbation is shown at most: the full half would be all glare
LARGEST_LOSSLESS: Final = 64  # pixels a side; photographs larger than that would make the page heavy
QUALITY: Final = 90


def find_amplification(perturbations: Float32[np.ndarray, "..."]) -> int:
    """The largest whole factor that keeps perturbations within the swing about a middle grey; at least 1."""
    largest = float(np.abs(perturbations).max())
    return max(1, int(SWING / largest)) if largest > 0 else 1


def amplify(perturbation: Float32[np.ndarray, "height width channel"], factor: int) -> Float32[np.ndarray, "height width channel"]:
    """A perturbation about a middle grey, where grey is no change."""
    return (GREY + factor * perturbation).clip(0, 1).astype(np.float32)


def encode_data_address(pixels: Float32[np.ndarray, "height width channel"]) -> str:
    """Pixels in [0, 1] as an image inside an address; small ones without loss."""
    levels = (255 * pixels).round().astype(np.uint8)
    kind = "png" if max(levels.shape[:2]) <= LARGEST_LOSSLESS else "webp"
    file = BytesIO()
    Image.fromarray(levels).save(file, format=kind, **({"optimize": True} if kind == "png" else {"quality": QUALITY}))
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
