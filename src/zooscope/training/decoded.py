"""Decoded images kept in memory where they fit, so that the processors train and don't decode."""

import os
from typing import Final

import numpy as np
import psutil
from PIL import Image

from zooscope.images.image_set import ImageSet
from zooscope.images.threads import map_in_order

SHARE: Final = 0.25  # of the free memory
NUM_LOOKED_AT: Final = 64


def has_room(num_bytes: float) -> bool:
    """Whether so much fits into a quarter of the memory that is free, shared with the processes that train beside this one."""
    free = int(psutil.virtual_memory().available)
    return num_bytes <= SHARE * free / int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


class Decoded:
    """The images of a set as 8-bit RGB: in memory if they take at most a quarter of what is free, else decoded at each call."""

    def __init__(self, images: ImageSet) -> None:
        self._images = images
        self._kept: list[np.ndarray] | None = None
        few = range(0, len(images), max(1, len(images) // NUM_LOOKED_AT))
        size = float(np.mean([3 * image.width * image.height for image in map_in_order(images.image, few)]))
        if has_room(size * len(images)):
            order = images.as_stored(range(len(images)))
            kept: list[np.ndarray] = [np.empty(0)] * len(images)
            for place, array in zip(order, map_in_order(lambda place: np.asarray(images.image(place)), order), strict=True):
                kept[place] = array
            self._kept = list(np.stack(kept)) if len({array.shape for array in kept}) == 1 else kept

    def __len__(self) -> int:
        """How many images there are."""
        return len(self._images)

    @property
    def is_kept(self) -> bool:
        """Whether they are in memory."""
        return self._kept is not None

    def image(self, index: int) -> Image.Image:
        """One image.

        Raises:
            ImagesError: it can't be read.
        """
        return self._images.image(index) if self._kept is None else Image.fromarray(self._kept[index])
