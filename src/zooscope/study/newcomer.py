"""A new classifier attacked on a study's images, the study's classifiers tested on what comes out; the study stays as it is."""

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from zooscope.classifiers.classifier import Classifier
from zooscope.engine.chance import is_at_chance
from zooscope.engine.device import choose_device
from zooscope.engine.progress import Progress, ProgressListener
from zooscope.engine.run import BATCH_SIZE
from zooscope.errors import ClassifierError, InvalidValueError, StudyError, WeakSourceWarning
from zooscope.images.image_set import ImageSet
from zooscope.measurements.clean import measure_clean, predict
from zooscope.measurements.transfer import perturb, resized
from zooscope.records.predictions import Predictions
from zooscope.scores.matrices import WEAK_SOURCE_PERCENT
from zooscope.scores.outcomes import PERCENT
from zooscope.study.definition import require_usable
from zooscope.study.study import Study


@dataclass(frozen=True, kw_only=True, eq=False)
class Newcomer:
    """What the attack on a new classifier does to the classifiers of a study.

    Attributes:
        name: of the new classifier.
        targets: the study's classifiers.
        counted: images that the new classifier and the target get right when clean.
        fooled: counted images on which the new classifier's attack fools the target.
        damaged: counted images that the target gets wrong when they only take the way of the attacked ones, unattacked.
        clean_accuracy: of the new classifier, percent.
        white_box_success: of the attack on the new classifier itself, percent.
    """

    name: str
    targets: tuple[str, ...]
    counted: Bool[np.ndarray, "target image"]
    fooled: Bool[np.ndarray, "target image"]
    damaged: Bool[np.ndarray, "target image"]
    clean_accuracy: float
    white_box_success: float


def newcomer(
    study: Study,
    classifier: Classifier,
    *,
    device: str | torch.device = "auto",
    batch_size: int = BATCH_SIZE,
    allow_chance: bool = False,
    listen: ProgressListener = lambda _: None,
) -> Newcomer:
    """Attacks a new classifier as the study would, and tests every classifier of the study on its attacked images.

    One attack in place of one per classifier: the other direction, from the study's classifiers to the new one, is left out. What
    comes out is the row that the study would hold of the classifier, image by image. Nothing is written.

    Args:
        study: measured; its images and classifiers must be at hand.
        classifier: of another name than the study's.
        device: where to compute; "auto" takes a GPU where there is one.
        batch_size: images that go through a network at once.
        allow_chance: whether to place a classifier that guesses.
        listen: called after every part of the study's images (a shard) with a `Progress`.

    Raises:
        StudyError: the study holds a classifier of that name, is imported, or its images or classifiers are not at hand.
        ClassifierError: the classifier guesses, gives NaN, or its classes don't fit the images'.

    Warns:
        WeakSourceWarning: the attack fools the classifier itself on fewer than 90 % of images.
    """
    if batch_size < 1:
        msg = f"batch_size must be at least 1: got {batch_size}."
        raise InvalidValueError(msg)
    if classifier.name in study.names:
        msg = f"{classifier.name} is the name of a classifier of the study; give the new one another (option name=...)."
        raise StudyError(msg)
    known = study.predictions  # refuses an imported study before anything is loaded
    require_usable([classifier], study.class_names)
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        measure = _Measuring(
            study=study, known=known, classifier=classifier.to(choose_device(device)), batch_size=batch_size, listen=listen
        )
        result = measure(allow_chance=allow_chance)
    if result.white_box_success < WEAK_SOURCE_PERCENT:
        msg = (
            f"the attack on {result.name} fools {result.name} itself on only {result.white_box_success:.0f} % of images, "
            "which pulls down its whole row of scores."
        )
        warnings.warn(msg, WeakSourceWarning, stacklevel=2)
    return result


@dataclass(frozen=True, kw_only=True, eq=False)
class _Measuring:
    """One classifier attacked, shard by shard as the study is measured, so that the batches are the same."""

    study: Study
    known: Predictions
    classifier: Classifier
    batch_size: int
    listen: ProgressListener

    def __call__(self, *, allow_chance: bool) -> Newcomer:
        said, labels = self._clean(), self._images.labels
        right = said == labels
        if not allow_chance and is_at_chance(said, labels, num_classes=self.classifier.num_classes):
            msg = (
                f"{self.classifier.name} gets {right.sum()} of {len(labels)} clean images right: chance level. "
                "Labels (order of classes), preprocessing or weights are wrong; mend that, or say --allow-chance."
            )
            raise ClassifierError(msg)
        counted = (self.known.clean == self.known.labels) & right
        fooled, damaged = np.zeros_like(counted), np.zeros_like(counted)
        own = done = 0
        for here in self._shards:
            chosen = here[right[here]]
            if len(chosen) > 0:
                pixels = self._images.pixels(self.classifier, chosen.tolist())
                attacked = self._attacked(pixels, chosen)
                own += int(self._errs(self.classifier, attacked, chosen).sum())
                for row, name in enumerate(self.known.names):
                    seen = counted[row, chosen]
                    if not seen.any():
                        continue
                    target, places, tested = self._target(name), chosen[seen], torch.from_numpy(seen)
                    fooled[row, places] = self._errs(target, attacked[tested], places)
                    if target.transform != self.classifier.transform:
                        damaged[row, places] = self._errs(target, pixels[tested], places)
            done += len(chosen)
            self.listen(Progress(phase="attack", done=done, total=int(right.sum()), item=self.classifier.name))
        return Newcomer(
            name=self.classifier.name,
            targets=self.known.names,
            counted=counted,
            fooled=fooled,
            damaged=damaged,
            clean_accuracy=float(PERCENT * right.mean()),
            white_box_success=float(PERCENT * own / right.sum()) if right.any() else float("nan"),
        )

    def _clean(self) -> Int[np.ndarray, " image"]:
        """What the classifier says of the clean images."""
        parts: list[Int[np.ndarray, " here"]] = []
        for here in self._shards:
            pixels = self._images.pixels(self.classifier, here.tolist())
            parts.append(measure_clean(self.classifier, pixels, batch_size=self.batch_size).predictions)
            done = sum(map(len, parts))
            self.listen(Progress(phase="classify", done=done, total=len(self._images), item=self.classifier.name))
        return np.concatenate(parts)

    def _attacked(
        self, pixels: Float[Tensor, "image channel height width"], places: Int[np.ndarray, " image"]
    ) -> Float[Tensor, "image channel height width"]:
        seed, ids = self.study.definition.seed, self._images.ids
        return perturb(
            self.study.attack,
            self.classifier,
            pixels,
            torch.from_numpy(self._images.labels[places]),
            [ids[place] for place in places],
            seed=seed,
            batch_size=self.batch_size,
        ).pixels

    def _errs(
        self, target: Classifier, pixels: Float[Tensor, "image channel height width"], places: Int[np.ndarray, " image"]
    ) -> Bool[np.ndarray, " image"]:
        """Which of these images the target gets wrong when they are sent to it."""
        said = predict(target, resized(pixels, target.transform.size), batch_size=self.batch_size)
        return np.asarray(said != self._images.labels[places])

    def _target(self, name: str) -> Classifier:
        return self.study.classifier(name).to(self.classifier.device)

    @property
    def _images(self) -> ImageSet:
        return self.study.images

    @property
    def _shards(self) -> list[Int[np.ndarray, " here"]]:
        positions, size = np.arange(len(self._images)), self.study.definition.shard_size
        return [positions[start : start + size] for start in range(0, len(positions), size)]
