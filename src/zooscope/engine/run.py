"""Measures what is missing and writes it, one unit at a time, in this process."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Int32
from torch import Tensor

from zooscope.attacks.base import Attack
from zooscope.classifiers.classifier import Classifier
from zooscope.engine.chance import is_at_chance
from zooscope.engine.plan import AttackUnit, missing_attacks, missing_clean
from zooscope.engine.progress import Progress, ProgressListener
from zooscope.errors import ClassifierError
from zooscope.images.ahead import Ahead
from zooscope.images.image_set import ImageSet
from zooscope.images.pixel_transform import PixelTransform
from zooscope.measurements.clean import measure_clean, predict
from zooscope.measurements.transfer import perturb, resized
from zooscope.records.predictions import NOT_COUNTED
from zooscope.records.records import Records

BATCH_SIZE: Final = 100


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """Brings a record up to date: clean passes first, then attacks.

    Killed at any moment, it loses at most the unit in flight; done again, it measures what is left.

    Attributes:
        records: says what is missing; results go there.
        classifier: gives a classifier of the record by name, on its device; asked only for those of which something is missing.
        images: the images of the record.
        attack: the attack of the record.
        batch_size: images that go through a network at once.
        listen: called after every unit.
    """

    records: Records
    classifier: Callable[[str], Classifier]
    images: ImageSet
    attack: Attack
    batch_size: int = BATCH_SIZE
    listen: ProgressListener = lambda _: None

    def __call__(self, *, allow_chance: bool = False) -> None:
        """Measures everything that is missing.

        Args:
            allow_chance: whether classifiers that guess are measured all the same.

        Raises:
            ClassifierError: a classifier is at chance level; it leaves the record if nothing but clean images was measured of it.
        """
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            self._classify_clean()
            if not allow_chance:
                self._refuse_guessers()
            self._attack()

    def _classify_clean(self) -> None:
        units = missing_clean(self.records)
        done, total = 0, sum(len(self.records.shards[unit.shard]) for unit in units)
        with self._pixels_ahead((unit.classifier, unit.shard) for unit in units) as ahead:
            for unit in units:
                classifier = self.classifier(unit.classifier)
                predictions, logits = measure_clean(classifier, ahead.of(classifier, unit.shard), batch_size=self.batch_size)
                self.records.save_clean(unit.classifier, unit.shard, predictions, logits)
                done += len(predictions)
                self.listen(Progress(phase="classify", done=done, total=total, item=f"{unit.classifier}, shard {unit.shard + 1}"))

    def _refuse_guessers(self) -> None:
        labels = self.records.labels
        for classifier, predictions in zip(self.records.classifiers, self.records.clean_predictions(), strict=True):
            if is_at_chance(predictions, labels, num_classes=classifier.num_classes):
                self._forget(classifier.name)
                msg = (
                    f"{classifier.name} gets {(predictions == labels).sum()} of {len(labels)} clean images right: chance level. "
                    "Labels (order of classes), preprocessing or weights are wrong; mend that, leave it out, or say --allow-chance."
                )
                raise ClassifierError(msg)

    def _forget(self, name: str) -> None:
        """Takes a refused classifier out of the record, so that a mended one may take its name; never one with attacks."""
        if all(name not in {source, target} for source, target, _ in self.records.transfers_done()):
            self.records.remove_classifier(name)

    def _attack(self) -> None:
        units = missing_attacks(self.records)
        amounts = [int(self._right[unit.source][self.records.shards[unit.shard]].sum()) for unit in units]
        done, total = 0, sum(amounts)
        with self._pixels_ahead((unit.source, unit.shard) for unit in units) as ahead:
            for unit, amount in zip(units, amounts, strict=True):
                pixels = ahead.of(self.classifier(unit.source), unit.shard)
                self.records.save_transfers(unit.source, unit.shard, self._transfers(unit, pixels), self._controls(unit, pixels))
                done += amount
                self.listen(Progress(phase="attack", done=done, total=total, item=f"{unit.source}, shard {unit.shard + 1}"))

    def _transfers(
        self, unit: AttackUnit, pixels: Float[Tensor, "image channel height width"]
    ) -> dict[str, Int32[np.ndarray, " image"]]:
        """Attacks the images that the source gets right, and tests every target on those that it gets right, too.

        All of them are attacked, also where few targets are missing: then the batches, and so the results, are those of a study
        that had all its classifiers from the start.
        """
        here = np.asarray(self.records.shards[unit.shard])
        counted = {target: self._right[unit.source][here] & self._right[target][here] for target in unit.targets}
        result = {target: np.full(len(here), NOT_COUNTED, dtype=np.int32) for target in unit.targets}
        chosen = np.flatnonzero(self._right[unit.source][here])
        if not any(mask.any() for mask in counted.values()):
            return result
        attacked = perturb(
            self.attack,
            self.classifier(unit.source),
            pixels[chosen],
            torch.from_numpy(self._labels[here[chosen]]),
            [self._ids[image] for image in here[chosen]],
            seed=self.records.definition.seed,
            batch_size=self.batch_size,
        ).pixels
        by_size: dict[tuple[int, int], Tensor] = {}
        for target, mask in counted.items():
            if not mask.any():
                continue
            size = self.classifier(target).transform.size
            if size not in by_size:
                by_size[size] = resized(attacked, size)
            seen = by_size[size][torch.from_numpy(mask[chosen])]
            result[target][mask] = predict(self.classifier(target), seen, batch_size=self.batch_size)
        return result

    def _controls(
        self, unit: AttackUnit, pixels: Float[Tensor, "image channel height width"]
    ) -> dict[tuple[str, str], Int32[np.ndarray, " image"]]:
        """Clean images of the source's making through the targets, by (transform, target)."""
        way = str(self.classifier(unit.source).transform)
        return {
            (way, target): predict(
                self.classifier(target), resized(pixels, self.classifier(target).transform.size), batch_size=self.batch_size
            )
            for target in unit.controls
        }

    def _pixels_ahead(self, units: Iterable[tuple[str, int]]) -> Ahead:
        """Pixels for units (classifier, shard), made while the device is busy with the unit before."""
        transforms = {classifier.name: PixelTransform.parsed(classifier.transform) for classifier in self.records.classifiers}
        return Ahead(self.images, self.records.shards, ((transforms[name], shard) for name, shard in units))

    @cached_property
    def _labels(self) -> Int[np.ndarray, " image"]:
        return self.records.labels

    @cached_property
    def _ids(self) -> tuple[str, ...]:
        return self.records.image_ids

    @cached_property
    def _right(self) -> dict[str, Bool[np.ndarray, " image"]]:
        """Which clean images each classifier gets right; asked for when all of them are measured."""
        return dict(zip(self.records.names, self.records.clean_predictions() == self._labels, strict=True))
