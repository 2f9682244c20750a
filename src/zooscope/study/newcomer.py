"""A new classifier attacked on a study's images, the study's classifiers tested on what comes out; the study stays as it is."""

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int32

from zooscope.arguments import check_arguments
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.collect import collect_classifier
from zooscope.classifiers.probe import probe
from zooscope.engine.chance import is_at_chance
from zooscope.engine.executor import Serial
from zooscope.engine.plausible import describe_guesser, warn_of_implausible
from zooscope.engine.progress import Progress, ProgressListener
from zooscope.engine.shelf import BATCH_SIZE, Shelf
from zooscope.errors import ClassifierError, StudyError, WeakSourceWarning
from zooscope.measurements.base import Task
from zooscope.measurements.clean import CLEAN, Clean
from zooscope.measurements.transfer import TRANSFER, Transfer
from zooscope.records.predictions import NOT_MEASURED, Predictions
from zooscope.scores.matrices import WEAK_SOURCE_PERCENT
from zooscope.scores.outcomes import PERCENT
from zooscope.study.definition import make_record
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


@check_arguments
def measure_newcomer(
    study: Study,
    classifier: object,
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
        classifier: as `zooscope.collect_classifiers` takes it, of another name than the study's.
        device: where to compute; "auto" takes a GPU where there is one.
        batch_size: images that go through a network at once.
        allow_chance: whether to place a classifier that guesses.
        listen: called after every part of the study's images (a shard) with a `Progress`.

    Raises:
        StudyError: the study holds a classifier of that name, is imported, or its images or classifiers are not at hand.
        ClassifierError: the classifier guesses, gives NaN, or its classes don't fit the images'.

    Warns:
        ClassMatchingWarning: its outputs have other names than the images' classes, or are in another order, which is followed.
        ImplausibleClassifierWarning: it is far less accurate than with its outputs in another order, or than the study's own.
        WeakSourceWarning: the attack fools the classifier itself on fewer than 90 % of images.
    """
    guest = collect_classifier(classifier)
    if guest.name in study.names:
        msg = f"{guest.name} is the name of a classifier of the study; give the new one another (option name=...)."
        raise StudyError(msg)
    known = study.predictions  # refuses an imported study before anything is loaded
    (guest,) = study.match([guest])
    shelf = study.shelf(device=device, batch_size=batch_size, guests=[guest])
    probe(shelf.classifier(guest.name))
    study.attack.require(guest)
    said = _classify(shelf, guest.name, listen)
    labels = study.images.labels
    if not allow_chance and is_at_chance(said, labels, num_classes=guest.num_classes):
        reason = describe_guesser(make_record(guest), said, labels)
        msg = f"{reason}, or allow it (allow_chance=True)."
        raise ClassifierError(msg)
    records = [*study.snapshot().classifier_records, make_record(guest)]
    warn_of_implausible(records, np.vstack([known.clean, said]), labels, only=[guest.name])
    result = _attack(study, shelf, guest, mine=said == labels, known=known, listen=listen)
    if result.white_box_success < WEAK_SOURCE_PERCENT:
        msg = (
            f"the attack on {result.name} fools {result.name} itself on only {result.white_box_success:.0f} % of images, "
            "which pulls down its whole row of scores."
        )
        warnings.warn(msg, WeakSourceWarning, stacklevel=2)
    return result


def _classify(shelf: Shelf, name: str, listen: ProgressListener) -> Int32[np.ndarray, " image"]:
    """What the newcomer says of the clean images."""
    said = np.full(shelf.num_images, NOT_MEASURED, dtype=np.int32)
    done = 0
    tasks = [Task(measurement=Clean(), subject=name, shard=shard) for shard in range(len(shelf.shards))]
    for task, result in Serial(shelf).results(tasks):
        (values,) = (row.values for row in result.arrays if row.kind == CLEAN)
        said[np.asarray(shelf.shards[task.shard])] = values
        done += len(values)
        listen(Progress(phase="classify", done=done, total=len(said), item=name))
    return said


def _attack(
    study: Study,
    shelf: Shelf,
    classifier: Classifier,
    *,
    mine: Bool[np.ndarray, " image"],
    known: Predictions,
    listen: ProgressListener,
) -> Newcomer:
    """Attacks the newcomer, shard by shard as the study is measured, so that the batches are the same.

    Args:
        study: gives the attack and its seed.
        shelf: holds the study's classifiers and the newcomer.
        classifier: the newcomer.
        mine: which clean images it gets right.
        known: what the study has measured.
        listen: called after every shard.
    """
    name, labels = classifier.name, study.images.labels
    counted = (known.clean == known.labels) & mine
    right = dict(zip(known.names, known.clean == known.labels, strict=True)) | {name: mine}
    transfer = Transfer(attack=study.attack, seed=study.definition.seed)
    tasks = []
    for shard, images in enumerate(shelf.shards):
        here = np.asarray(images)
        targets = tuple(target for row, target in enumerate(known.names) if counted[row, here].any())
        controls = tuple(target for target in targets if shelf.transform(target) != classifier.transform)
        right_here = {target: values[here] for target, values in right.items()}
        tasks.append(transfer.task(name, shard, (*targets, name), controls=controls, right=right_here))
    rows = {target: row for row, target in enumerate(known.names)}
    fooled, damaged = np.zeros_like(counted), np.zeros_like(counted)
    own = done = 0
    for task, result in Serial(shelf).results(tasks):
        here = np.asarray(shelf.shards[task.shard])
        for array in result.arrays:
            wrong = (array.values >= 0) & (array.values != labels[here])
            if array.object == name:
                own += int(wrong.sum())
            else:
                outcomes = fooled if array.kind == TRANSFER else damaged
                outcomes[rows[array.object], here] = wrong & counted[rows[array.object], here]
        done += int(mine[here].sum())
        listen(Progress(phase="attack", done=done, total=int(mine.sum()), item=name))
    return Newcomer(
        name=name,
        targets=known.names,
        counted=counted,
        fooled=fooled,
        damaged=damaged,
        clean_accuracy=float(PERCENT * mine.mean()),
        white_box_success=float(PERCENT * own / mine.sum()) if mine.any() else float("nan"),
    )
