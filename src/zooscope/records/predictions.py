"""What all classifiers said of all images, as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np
from jaxtyping import Bool, Int

NOT_COUNTED: Final = -1  # source or target is wrong on the clean image
NOT_MEASURED: Final = -2  # nothing is known yet
NOT_FINITE: Final = -3  # the target's logits are NaN or infinite, so that it says no class
LOWEST: Final = -16  # room for further codes


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """Predicted classes; every score is computed from these.

    The arrays are of the smallest integers that hold the classes, see `choose_integers`.

    Attributes:
        names: the classifiers.
        image_ids: the images.
        labels: the true classes.
        clean: on clean images; NOT_MEASURED where unknown.
        sources: those of the classifiers of which attacked images are measured, in their order: the rows of `transfer`.
        transfer: of the target on the images that were attacked through the source; NOT_COUNTED where source or target is wrong
            on the clean image, NOT_FINITE where the target's logits are NaN or infinite, NOT_MEASURED where unknown.
        transforms: how each classifier's pixels are made, as text; equal texts are equal transforms.
        controls: by (transform, target), the target's predictions on clean images that were preprocessed by that transform and
            resized for the target.
    """

    names: tuple[str, ...]
    image_ids: tuple[str, ...]
    labels: Int[np.ndarray, " image"]
    clean: Int[np.ndarray, "classifier image"]
    sources: tuple[str, ...]
    transfer: Int[np.ndarray, "source target image"]
    transforms: tuple[str, ...]
    controls: Mapping[tuple[str, str], Int[np.ndarray, " image"]] = field(default_factory=dict)

    @cached_property
    def source_places(self) -> Int[np.ndarray, " source"]:
        """The places of the sources among the classifiers."""
        place = {name: number for number, name in enumerate(self.names)}
        return np.array([place[name] for name in self.sources], dtype=np.int64)

    def take_source(self, name: str) -> Int[np.ndarray, "target image"]:
        """What all classifiers say of the images attacked through one; NOT_MEASURED everywhere if it is no source."""
        if name in self.sources:
            return np.asarray(self.transfer[self.sources.index(name)])
        return np.broadcast_to(np.array(NOT_MEASURED, dtype=self.transfer.dtype), self.transfer.shape[1:])

    def find_complete(self) -> Bool[np.ndarray, "classifier target"]:
        """Which classifiers' attacks are measured on which targets on all images."""
        complete = np.zeros((len(self.names), len(self.names)), dtype=np.bool_)
        for place, row in zip(self.source_places, self.transfer, strict=True):
            complete[place] = (row != NOT_MEASURED).all(-1)
        return complete

    def control(self, source: int, target: int) -> Int[np.ndarray, " image"]:
        """The control of a source and a target, by their places; the clean predictions where both transforms are equal."""
        transform, clean = self.transforms[source], np.asarray(self.clean[target])
        if transform == self.transforms[target]:
            return clean
        return self.controls.get((transform, self.names[target]), np.full_like(clean, NOT_MEASURED))

    def take(self, names: Sequence[str]) -> "Predictions":
        """Those of some classifiers among themselves, in the given order."""
        places = [self.names.index(name) for name in names]
        rows = {name: row for row, name in enumerate(self.sources)}
        sources = tuple(name for name in names if name in rows)
        return replace(
            self,
            names=tuple(names),
            clean=self.clean[places],
            sources=sources,
            transfer=self.transfer[np.ix_([rows[name] for name in sources], places)],
            transforms=tuple(self.transforms[place] for place in places),
        )


def choose_integers(num_classes: int) -> np.dtype[np.signedinteger]:
    """The smallest signed integers that hold so many classes and the codes below 0.

    >>> choose_integers(10), choose_integers(1000)
    (dtype('int8'), dtype('int16'))
    """
    return np.result_type(np.min_scalar_type(min(-num_classes, LOWEST)))
