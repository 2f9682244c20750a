"""Classifiers on the device, as many as fit; and the images in the pixels that they take."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, Final, NamedTuple, final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from zooscope.attacks.base import Attacked
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.prepared import Precision
from zooscope.engine.numerics import EXACT, Numerics
from zooscope.errors import InvalidValueError
from zooscope.images.ahead import Ahead
from zooscope.images.image_set import ImageSet
from zooscope.images.pixel_transform import PixelTransform
from zooscope.kept.base import Kept
from zooscope.kept.work import Work
from zooscope.measurements.base import Task

BATCH_SIZE: Final = 100
SHARE_OF_MEMORY: Final = 0.5


class _HasTransform(NamedTuple):
    """What `ImageSet.pixels` takes of a classifier, alone."""

    transform: PixelTransform


@final
class Shelf:
    """What tasks are measured with: classifiers by name, loaded when first asked for, and the images of every shard.

    Classifiers stay on the device until their weights exceed the budget; then those go that were not used for the longest time.
    """

    def __init__(
        self,
        *,
        load: Callable[[str], Classifier],
        transforms: Mapping[str, PixelTransform],
        images: ImageSet,
        shards: Sequence[Sequence[int]],
        device: torch.device,
        batch_size: int = BATCH_SIZE,
        budget: int | None = None,
        allow_nonfinite: bool = False,
        numerics: Numerics = EXACT,
        kept: Kept | None = None,
    ) -> None:
        """An empty shelf.

        Args:
            load: gives a classifier by name; asked again for one that was put away.
            transforms: of every classifier, so that pixels can be made before it is loaded.
            images: all images of the study.
            shards: positions of the images of each shard.
            device: where classifiers are put.
            batch_size: images that go through a network at once.
            budget: bytes that the weights on the device may take; half of the memory of a GPU, without limit elsewhere.
            allow_nonfinite: see `Bench`.
            numerics: how passes through networks are computed.
            kept: attacked images that are used again; None keeps nothing.

        Raises:
            InvalidValueError: the batch size or the budget is not positive, or the device doesn't have the precision.
        """
        require_settings(batch_size=batch_size, memory_budget=budget)
        numerics.require(device)
        self.batch_size, self.allow_nonfinite = batch_size, allow_nonfinite
        self._load, self._transforms, self._device = load, transforms, device
        self._numerics, self.kept = numerics, kept
        self.images, self.shards = images, shards
        self._asked_budget, self._budget = budget, _choose_budget(device) if budget is None else budget
        self._held: OrderedDict[str, Classifier] = OrderedDict()
        self._ahead: Ahead | None = None

    @property
    def on_device(self) -> tuple[str, ...]:
        """The classifiers that are on the device, the one used last at the end."""
        return tuple(self._held)

    @property
    def precision(self) -> Precision:
        """Of the passes through networks."""
        return self._numerics.precision

    @property
    def num_images(self) -> int:
        """The images of all shards."""
        return len(self.images)

    @property
    def ingredients(self) -> dict[str, Any]:
        """What an empty shelf like this one is made of, on whatever device and without kept attacks: the other arguments."""
        return {
            "load": self._load,
            "transforms": self._transforms,
            "images": self.images,
            "shards": self.shards,
            "batch_size": self.batch_size,
            "budget": self._asked_budget,
            "allow_nonfinite": self.allow_nonfinite,
            "numerics": self._numerics,
        }

    def transform(self, name: str) -> PixelTransform:
        """How a classifier's pixels are made; known before it is loaded."""
        return self._transforms[name]

    def classifier(self, name: str) -> Classifier:
        """A classifier, on the device."""
        if name not in self._held:
            classifier = self._numerics.apply(self._load(name), self._device)
            self._make_room(count_bytes(classifier.network))
            self._held[name] = classifier.to(self._device)
        self._held.move_to_end(name)
        return self._held[name]

    def pixels(self, name: str, shard: int) -> Float[Tensor, "image channel height width"]:
        """The images of a shard as a classifier takes them; not to be written to."""
        return self.pixels_as(self._transforms[name], shard)

    def pixels_as(self, transform: PixelTransform, shard: int) -> Float[Tensor, "image channel height width"]:
        """The images of a shard, made in another way; not to be written to."""
        if self._ahead is None:
            return self.images.pixels(_HasTransform(transform), self.shards[shard])
        return self._ahead.of(transform, shard)

    def labels(self, shard: int) -> Int[np.ndarray, " image"]:
        """The true classes of the images of a shard."""
        return np.asarray(self.images.labels[np.asarray(self.shards[shard])])

    def ids(self, shard: int) -> Sequence[str]:
        """The ids of the images of a shard."""
        return [self.images.ids[image] for image in self.shards[shard]]

    def attacked(self, work: Work, make: Callable[[], Attacked]) -> Attacked:
        """Attacked images: those that are kept, or made and kept."""
        return make() if self.kept is None else self.kept.take(work, make)

    def has_kept(self, task: Task) -> bool:
        """Whether the attacked images that a task asks for are kept, as far as is known before its source and pixels are."""
        unit = task.measurement.name_kept(task, self)
        return bool(unit) and self.kept is not None and self.kept.has(unit)

    @contextmanager
    def decoding_ahead(self, tasks: Iterable[Task]) -> Iterator[None]:
        """Pixels for tasks in their order, made in threads while the device is busy with the task before."""
        plan = ((self._transforms[task.subject], task.shard) for task in tasks if task.measurement.takes_own_pixels)
        with Ahead(self.images, self.shards, plan) as ahead:
            self._ahead = ahead
            try:
                yield
            finally:
                self._ahead = None

    def _make_room(self, needed: int) -> None:
        """Takes the classifiers that were not used for the longest time off the device."""
        if self._budget is None:
            return
        taken = {name: count_bytes(classifier.network) for name, classifier in self._held.items()}
        while self._held and sum(taken.values()) + needed > self._budget:
            name, classifier = self._held.popitem(last=False)
            classifier.to("cpu")
            del taken[name]


def require_settings(*, batch_size: int | None = None, memory_budget: int | None = None) -> None:
    """Refuses settings of a shelf that are not positive; None stands for the default.

    Raises:
        InvalidValueError: one is not positive.
    """
    for what, value in (("batch_size", batch_size), ("memory_budget", memory_budget)):
        if value is not None and value < 1:
            msg = f"{what} must be at least 1: got {value}."
            raise InvalidValueError(msg)


def count_bytes(network: nn.Module) -> int:
    """The bytes of a network's parameters and buffers.

    >>> count_bytes(nn.Linear(2, 3))
    36
    """
    return sum(tensor.numel() * tensor.element_size() for tensor in chain(network.parameters(), network.buffers()))


def _choose_budget(device: torch.device) -> int | None:
    if device.type != "cuda":
        return None
    return int(SHARE_OF_MEMORY * torch.cuda.get_device_properties(device).total_memory)
