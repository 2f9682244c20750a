"""Makes a probe pack from a study: attacks the landmarks, and tests them on each other's attacked images."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Bool, Int32

from zooscope.analyses.landmarks import choose_landmarks
from zooscope.arguments import check_arguments
from zooscope.classifiers.prepared import computing_in
from zooscope.engine.progress import Progress, ProgressListener
from zooscope.engine.shelf import BATCH_SIZE, Shelf
from zooscope.errors import InvalidValueError, StudyError
from zooscope.measurements.attacked import classify_attacked, classify_controls
from zooscope.measurements.clean import CLEAN, LOGITS
from zooscope.measurements.transfer import CONTROL, TRANSFER, Transfer
from zooscope.probe.pack import Landmark, Pack, PackWriter
from zooscope.records.entries import ClassifierRecord
from zooscope.records.predictions import NOT_MEASURED
from zooscope.records.records import GIVEN_CLASSES, LEFT_OUT
from zooscope.records.rows import ArrayRow, name_fact_kind
from zooscope.study.snapshot import Snapshot
from zooscope.study.study import Study
from zooscope.words import quote_path

NUM_LANDMARKS: Final = 16
KEPT_NOTES: Final = (LEFT_OUT, GIVEN_CLASSES)


@check_arguments
def make(
    study: Study,
    path: str | Path,
    *,
    landmarks: int | Sequence[str] = NUM_LANDMARKS,
    device: str | torch.device = "auto",
    batch_size: int = BATCH_SIZE,
    listen: ProgressListener = lambda _: None,
) -> Pack:
    """Writes a probe pack: a study's images, attacked through some of its classifiers, the landmarks.

    Whoever has the pack can test any classifier on these images by `run`, without gradients and without the landmarks' weights. The
    study isn't changed.

    Example:
        >>> import tempfile
        >>> import zooscope
        >>> file, names = f"{tempfile.mkdtemp()}/pack.zoo", ["bundled:resnet", "bundled:vit", "bundled:mixer"]
        >>> images = zooscope.load_images("bundled:cifar10").sample(20, seed=0)
        >>> attack = zooscope.attacks.LinfPGD(iterations=2)
        >>> with zooscope.Study.in_memory(classifiers=names, images=images, attack=attack) as study:
        ...     study.run(device="cpu")
        ...     pack = zooscope.probe.make(study, file, landmarks=2, device="cpu")
        >>> len(pack.names), len(pack.image_ids)
        (2, 20)

    Args:
        study: with its clean images measured; its images and the landmarks must be at hand.
        path: of the file.
        landmarks: their names; or how many, then `zooscope.analyses.choose_landmarks` chooses those that represent the
            others best, by predictions on clean images.
        device: where to compute; "auto" takes a GPU where there is one.
        batch_size: images that go through a network at once. With that of the study, the attacked images are the study's.
        listen: called after every shard of every landmark with a `Progress`.

    Returns:
        The pack, open.

    Raises:
        InvalidValueError: there are not so many classifiers, or none.
        UnknownNameError: the study has no classifier of such a name.
        StudyError: clean images are not all measured, the study is imported, images or classifiers are not at hand, or the file
            can't be written.
        NotFiniteError: a loss or a gradient is not finite.
    """
    snapshot = study.snapshot()
    snapshot.require_measured("attacked images")
    names = _choose(snapshot, landmarks)
    places = [snapshot.names.index(name) for name in names]
    if (snapshot.predictions.clean[places] == NOT_MEASURED).any():
        msg = f"the clean images of {study.path} are not all measured; run `zooscope measure {quote_path(snapshot.place)}` first."
        raise StudyError(msg)
    records = {one.name: one for one in snapshot.classifier_records}
    shelf = study.shelf(device=device, batch_size=batch_size)
    with snapshot.open_records() as opened:
        notes = {key: value for key, value in opened.notes.items() if key in KEPT_NOTES}
    writer = PackWriter(
        definition=snapshot.definition,
        notes=notes,
        images=study.images,
        landmarks=[
            Landmark(
                record=records[name],
                components=snapshot.component_values.get(name, {}),
                guesses=frozenset(snapshot.guesses.get(name, ())),
            )
            for name in names
        ],
        attack=study.attack,
    )
    right = dict(zip(names, snapshot.predictions.clean[places] == snapshot.labels, strict=True))
    total, done = int(sum(values.sum() for values in right.values())), 0
    for shard, here in enumerate(shelf.shards):
        right_here = {name: values[np.asarray(here)] for name, values in right.items()}
        _add_clean(writer, shelf, shard, snapshot=snapshot, names=names, records=records)
        for name in names:
            _add_attacked(writer, study, shelf, name, shard, right=right_here)
            done += int(right_here[name].sum())
            listen(Progress(phase="attack", done=done, total=total, item=f"{name}, shard {shard + 1}"))
    writer.write(Path(path))
    return Pack(path)


def _choose(snapshot: Snapshot, landmarks: int | Sequence[str]) -> tuple[str, ...]:
    """The names of the landmarks, in the order of the study."""
    if isinstance(landmarks, int):
        chosen = choose_landmarks(snapshot.predictions.clean, landmarks, names=snapshot.names)
    else:
        for name in landmarks:
            snapshot.require_known(name)
        chosen = tuple(landmarks)
    if not chosen:
        msg = "a probe pack needs at least one landmark; name some."
        raise InvalidValueError(msg)
    return tuple(name for name in snapshot.names if name in chosen)


def _add_clean(
    writer: PackWriter,
    shelf: Shelf,
    shard: int,
    *,
    snapshot: Snapshot,
    names: Sequence[str],
    records: Mapping[str, ClassifierRecord],
) -> None:
    """The clean images of a shard in the pixels of the landmarks, what these say of them, and the controls among landmarks."""
    here = np.asarray(shelf.shards[shard])
    for name in names:
        said: Int32[np.ndarray, " image"] = snapshot.predictions.clean[snapshot.names.index(name), here].astype(np.int32)
        writer.add_row(ArrayRow(kind=CLEAN, subject=name, part=shard, values=said))
        writer.add_row(ArrayRow(kind=LOGITS, subject=name, part=shard, values=snapshot.clean_logits(name)[here]))
    for transform in dict.fromkeys(records[name].transform for name in names):
        owner = next(name for name in names if records[name].transform == transform)
        pixels = shelf.pixels(owner, shard)
        writer.add_clean(transform, shard, pixels)
        others = [name for name in names if records[name].transform != transform]
        with computing_in(shelf.precision):
            controls = classify_controls(pixels, others, shelf)
        for name, values in controls.items():
            writer.add_row(ArrayRow(kind=CONTROL, subject=transform, object=name, part=shard, values=values))


def _add_attacked(
    writer: PackWriter,
    study: Study,
    shelf: Shelf,
    name: str,
    shard: int,
    *,
    right: Mapping[str, Bool[np.ndarray, " image"]],
) -> None:
    """The images of a shard attacked through a landmark, and what all landmarks say of them."""
    chosen = np.flatnonzero(right[name])
    clean = shelf.pixels(name, shard)[chosen]
    facts = {fact: np.full(len(right[name]), np.nan) for fact in study.attack.fact_names}
    attacked = clean
    if len(chosen):
        with computing_in(shelf.precision):
            transfer = Transfer(attack=study.attack, seed=study.definition.seed)
            made = transfer.attack_images(name, shard, chosen, shelf)
        attacked = made.pixels
        for fact, values in made.facts.items():
            facts[fact][chosen] = values.cpu().numpy()
    writer.add_attacked(name, shard, attacked, clean)
    with computing_in(shelf.precision):
        answers = classify_attacked(attacked, right[name], right, shelf)
    for target, said in answers.items():
        writer.add_row(ArrayRow(kind=TRANSFER, subject=name, object=target, part=shard, values=said))
    for fact, noted in facts.items():
        writer.add_row(ArrayRow(kind=name_fact_kind(TRANSFER, fact), subject=name, part=shard, values=noted))
