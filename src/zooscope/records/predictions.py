"""What all classifiers said of all images, as arrays."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Int, Int32

NOT_COUNTED: Final = -1  # source or target is wrong on the clean image
NOT_MEASURED: Final = -2  # nothing is known yet


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """Predicted classes; every score is computed from these.

    Attributes:
        names: the classifiers.
        image_ids: the images.
        labels: the true classes.
        clean: on clean images; NOT_MEASURED where unknown.
        transfer: of the target on the images that were attacked through the source; NOT_COUNTED where source or target is wrong
            on the clean image, NOT_MEASURED where unknown.
        control: of the target on clean images that took the way of attacked ones (made by the source's transform, resized for the
            target); equal to `clean` where both transforms are the same.
    """

    names: tuple[str, ...]
    image_ids: tuple[str, ...]
    labels: Int[np.ndarray, " image"]
    clean: Int32[np.ndarray, "classifier image"]
    transfer: Int32[np.ndarray, "source target image"]
    control: Int32[np.ndarray, "source target image"]
