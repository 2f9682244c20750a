"""The batches of an epoch: which images, in which order, augmented how; all of it decided by the seed."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from zooscope.errors import InvalidValueError
from zooscope.images.threads import count_threads
from zooscope.training.augmentation import Augmentation
from zooscope.training.decoded import Decoded
from zooscope.training.randomness import reseed, seed_all
from zooscope.training.recipe import Recipe

MOST_WORKERS: Final = 8


class Share(NamedTuple):
    """Which of several processes this is, each with a device of its own."""

    number: int = 0
    of: int = 1


class _Batch(NamedTuple):
    """Images of a batch.

    Attributes:
        epoch: from 0.
        places: within the epoch.
        indices: of the images.
    """

    epoch: int
    places: tuple[int, ...]
    indices: tuple[int, ...]


class _Augmented(Dataset[tuple[Tensor, Tensor]]):
    """Batches of augmented images."""

    def __init__(self, images: Decoded, labels: Int[np.ndarray, " image"], augment: Augmentation, seed: int) -> None:
        self._images, self._labels, self._augment, self._seed = images, torch.from_numpy(labels), augment, seed

    def __getitem__(self, batch: _Batch) -> tuple[Tensor, Tensor]:
        pixels = []
        with seed_all(self._seed):
            for place, index in zip(batch.places, batch.indices, strict=True):
                reseed(self._seed, "image", batch.epoch, place)
                pixels.append(self._augment(self._images.image(index)))
        return torch.stack(pixels), self._labels[list(batch.indices)]


class Batches:
    """The training images of a recipe, epoch by epoch."""

    def __init__(
        self, recipe: Recipe, images: Decoded, labels: Int[np.ndarray, " image"], augment: Augmentation, share: Share
    ) -> None:
        """Takes the images as they are; `share` says which part of each batch is for this process.

        Raises:
            InvalidValueError: there are fewer images than a batch has, or a batch can't be shared out.
        """
        if len(images) < recipe.batch_size:
            msg = f"{recipe.name}: batch_size, {recipe.batch_size}, is more than the {len(images)} images to train on; lower it."
            raise InvalidValueError(msg)
        parts = share.of * (2 if recipe.mixing.is_on else 1)  # mixing takes pairs
        if recipe.batch_size % parts:
            msg = f"{recipe.name}: batch_size must be a multiple of {parts} on {share.of} processes: got {recipe.batch_size}."
            raise InvalidValueError(msg)
        self._recipe, self._share, self._count = recipe, share, len(images)
        self._dataset = _Augmented(images, labels, augment, recipe.seed)
        self._num_workers = 0 if images.is_kept else min(MOST_WORKERS, count_threads())
        self.steps_per_epoch = self._count // recipe.batch_size

    def draw(self, epoch: int) -> Iterator[tuple[Float[Tensor, "batch channel height width"], Int[Tensor, " batch"]]]:
        """The batches of an epoch; each image comes once, but for those that are too few for a last full batch."""
        loader = DataLoader(self._dataset, batch_size=None, sampler=self._plan(epoch), num_workers=self._num_workers)
        yield from loader

    def _plan(self, epoch: int) -> list[_Batch]:
        size, repeats = self._recipe.batch_size, self._recipe.augmentation.repeats
        order = np.random.default_rng((self._recipe.seed, epoch)).permutation(self._count)
        order = order[: -(-self._count // repeats)].repeat(repeats)[: self._count]
        batches = []
        for step in range(self.steps_per_epoch):
            places = range(step * size, (step + 1) * size)[self._share.number :: self._share.of]
            batches.append(_Batch(epoch, tuple(places), tuple(int(order[place]) for place in places)))
        return batches
