"""Tests classifiers on a probe pack's images: a study of its own, whose sources are the landmarks."""

import inspect
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from glob import escape
from pathlib import Path
from typing import Any, Final

import torch

from zooscope.analyses.profiles import Profiles, make_profiles
from zooscope.arguments import check_arguments
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.collect import collect_classifiers
from zooscope.engine.device import choose_device
from zooscope.engine.progress import Progress, ProgressListener
from zooscope.engine.run import Run
from zooscope.engine.shelf import BATCH_SIZE
from zooscope.errors import StudyError
from zooscope.images.pixel_transform import PixelTransform
from zooscope.probe.executor import FromPack
from zooscope.probe.function import make_function_classifier
from zooscope.probe.pack import Pack
from zooscope.records.entries import DATABASE
from zooscope.records.lock import held
from zooscope.records.records import Records
from zooscope.study.definition import enter_found_components
from zooscope.study.study import Study

NOTE: Final = "probe_pack"  # the note: the digest of the pack that a study was measured with


@check_arguments
def run(
    pack: Pack | str | Path,
    given: object,
    *,
    name: str = "",
    transform: PixelTransform | None = None,
    class_names: Sequence[str] | None = None,
    out: str | Path | None = None,
    device: str | torch.device = "auto",
    batch_size: int = BATCH_SIZE,
    allow_chance: bool = False,
    confidence: float = 0.95,
    listen: ProgressListener = lambda _: None,
) -> Profiles:
    """Profiles of classifiers: how similar each is to the landmarks of a pack, by one-sided SAT.

    Forward passes alone: one over the clean images, and one over the attacked images of each landmark. Which images count, and what
    counts as fooled, is as in a study, so the numbers are those that a study of the classifiers and the landmarks would give.

    Example:
        >>> import tempfile
        >>> import torch
        >>> import zooscope
        >>> names, images = ["bundled:resnet", "bundled:vit"], zooscope.load_images("bundled:cifar10").sample(20, seed=0)
        >>> file = f"{tempfile.mkdtemp()}/pack.zoo"
        >>> with zooscope.Study.in_memory(classifiers=names, images=images, attack="LinfPGD?iterations=2") as study:
        ...     study.run(device="cpu")
        ...     pack = zooscope.probe.make(study, file, landmarks=names)
        >>> mixer = zooscope.load_classifier("bundled:mixer")
        >>> profiles = zooscope.probe.run(file, lambda pixels: mixer.logits(torch.from_numpy(pixels)), name="a service")
        >>> profiles.table.columns.tolist()
        ['classifier', 'landmark', 'sat', 'low', 'high', 'percent', 'count', 'control']

    Args:
        pack: as `zooscope.probe.make` wrote it.
        given: classifiers, as `zooscope.collect_classifiers` takes them; or any function from pixels (a float32 array of NumPy, in
            [0, 1], of shape image, channel, height, width) to logits, probabilities (image, class), or classes (image).
        name: what a function is called; its own name if left out.
        transform: how a function's pixels are made; as the first landmark's if left out. Attacked images are resized for it.
        class_names: a function's own names of its outputs, to be matched with the images' classes; if left out, output i stands for
            class i.
        out: the folder of the study, made or continued; if left out it is gone with the process.
        device: where to compute; "auto" takes a GPU where there is one.
        batch_size: images that go through a network at once.
        allow_chance: whether to measure classifiers that guess.
        confidence: of the intervals.
        listen: called after every unit with a `Progress`.

    Returns:
        The profiles of the given classifiers, in their order.

    Raises:
        MissingFileError: there is no such pack.
        StudyError: it is damaged or of another version, the folder holds a study of something else, or can't be written.
        ClassifierError: a classifier has another number of classes, guesses, gives NaN, or doesn't behave.

    Warns:
        ClassMatchingWarning: outputs have other names than the images' classes, or are in another order, which is followed.
        ImplausibleClassifierWarning: a classifier is far less accurate than it should be.
    """
    opened = pack if isinstance(pack, Pack) else Pack(pack)
    opened.check()
    chosen_device = choose_device(device)
    classifiers = _collect(opened, given, name=name, transform=transform, class_names=class_names)
    study, records = _open(opened, out, classifiers)
    with study, nullcontext() if out is None else held(Path(out)):
        shelf = study.shelf(device=chosen_device, batch_size=batch_size)
        measure = Run(
            records=records,
            executor=FromPack(shelf, opened, device=chosen_device),
            attack=study.attack,
            sources=opened.names,
            classifier=shelf.classifier,
            has_kept=lambda _: True,
            listen=lambda progress: listen(_rename(progress)),
        )
        measure(allow_chance=allow_chance)
        enter_found_components(records, [one.name for one in classifiers], classifier=study.classifier)
        snapshot = study.snapshot()
    names = [one.name for one in classifiers]
    return make_profiles(snapshot.predictions, opened.names, names, confidence=confidence)


def _collect(pack: Pack, given: object, **function: Any) -> tuple[Classifier, ...]:  # noqa: ANN401  (see `run`)
    """The classifiers; a function becomes one."""
    is_function = inspect.isroutine(given) or (callable(given) and not isinstance(given, torch.nn.Module | Classifier))
    if not is_function:
        return collect_classifiers(given)
    predict: Callable[..., Any] = given  # type: ignore[assignment]
    called = getattr(given, "__name__", "function").strip("<>")
    return (
        make_function_classifier(
            predict,
            name=function["name"] or called,
            num_classes=len(pack.class_names),
            transform=function["transform"] or PixelTransform.parse(pack.landmarks[0].record.transform),
            class_names=function["class_names"],
        ),
    )


def _open(pack: Pack, out: str | Path | None, classifiers: Sequence[Classifier]) -> tuple[Study, Records]:
    """The study in a folder, or one in memory, with the landmarks measured and the classifiers entered."""
    path = None if out is None else Path(out)
    if path is None:
        records = Records.in_memory(pack.definition, pack.image_ids, pack.labels, notes=_list_notes(pack))
        _fill(records, pack)
    elif (path / DATABASE).exists():
        records = Records.open(path / DATABASE, write=True)
        _require_same(records, pack, path)
    else:
        records = Records.create(
            path / DATABASE,
            pack.definition,
            pack.image_ids,
            pack.labels,
            notes=_list_notes(pack),
            fill=lambda made: _fill(made, pack),
        )
    study = Study(records, path=path, images=pack.images)
    try:
        study.add(classifiers, sources=[escape(name) for name in pack.names])
    except BaseException:
        study.close()
        raise
    return study, records


def _list_notes(pack: Pack) -> dict[str, str]:
    return {**pack.notes, NOTE: pack.digest}


def _fill(records: Records, pack: Pack) -> None:
    """Enters the landmarks, and what is known of them."""
    for landmark in pack.landmarks:
        records.add_classifier(landmark.record, is_admitted=True)
    records.save(pack.rows)
    for landmark in pack.landmarks:
        records.set_components(landmark.record.name, landmark.components, guesses=landmark.guesses)


def _require_same(records: Records, pack: Pack, path: Path) -> None:
    """Refuses a study that was not made with this pack.

    Raises:
        StudyError: it wasn't.
    """
    if records.notes.get(NOTE) != pack.digest:
        records.close()
        msg = (
            f"{path} holds a study that was not measured with {pack.path}; name another folder (or the pack that it was made with)."
        )
        raise StudyError(msg)


def _rename(progress: Progress) -> Progress:
    """Nothing is attacked."""
    return replace(progress, phase="probe") if progress.phase == "attack" else progress
