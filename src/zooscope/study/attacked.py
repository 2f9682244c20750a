"""The attacked images of a study, handed out: those that are kept, or made again."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from zooscope.arguments import check_arguments
from zooscope.classifiers.prepared import computing_in
from zooscope.engine.progress import Progress, ProgressListener
from zooscope.engine.shelf import BATCH_SIZE, Shelf
from zooscope.errors import InvalidValueError, NotMeasuredError, RoundedPixelsWarning
from zooscope.exchange.attacked_images import (
    FORMATS,
    PNG,
    SAFETENSORS,
    AttackedImages,
    name_files,
    round_to_levels,
    write_attacked_images,
)
from zooscope.measurements.predict import predict
from zooscope.measurements.transfer import Transfer
from zooscope.study.definition import choose_roles
from zooscope.study.study import Study
from zooscope.words import quote_path


class ExportedAttacks(NamedTuple):
    """What was written of one source.

    Attributes:
        source: the attacked classifier.
        path: the file, or the folder of PNGs.
        num_images: how many attacked images.
        num_fooled: how many of them the source misclassifies; of PNGs alone, else None.
        num_fooled_rounded: how many after rounding to 8 bits; of PNGs alone, else None.
        largest_change: of a pixel by rounding, in pixel units; 0 where the pixels are exact.
    """

    source: str
    path: Path
    num_images: int
    num_fooled: int | None = None
    num_fooled_rounded: int | None = None
    largest_change: float = 0.0


@check_arguments
def export_attacks(
    study: Study,
    folder: str | Path,
    *,
    sources: Sequence[str] | None = None,
    file_format: str = SAFETENSORS,
    device: str | torch.device = "auto",
    batch_size: int = BATCH_SIZE,
    listen: ProgressListener = lambda _: None,
) -> tuple[ExportedAttacks, ...]:
    """Writes the attacked images of a measured study, source by source: all images that the source gets right when clean.

    Images that are kept in the study's folder are taken from there if device and batch size are those of the measurement; others
    are attacked again. A source's images are held in memory while they are written: 600 KB for each of 224 x 224 pixels.

    Args:
        study: a measured study, or one that is measured in part.
        folder: is made; see `zooscope.exchange.attacked_images.write_attacked_images` for the files.
        sources: names (or patterns of names) of attacked classifiers; all if left out.
        file_format: "safetensors" or "npz", which are exact, or "png", which rounds to 8 bits.
        device: where images are attacked that are not kept, as for `Study.run`.
        batch_size: as for `Study.run`.
        listen: called after every shard of every source.

    Raises:
        InvalidValueError: there is no such format.
        UnknownNameError: no source has such a name.
        NotMeasuredError: no source is measured so far.
        StudyError: the study is imported, or images or classifiers are not at hand, or a file can't be written.

    Warns:
        RoundedPixelsWarning: the format is PNG; says how much rounding changes.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> import zooscope
        >>> classifiers = [zooscope.load_classifier(f"bundled:{name}") for name in ("resnet", "vit")]
        >>> images = zooscope.load_images("bundled:cifar10").sample(10, seed=0)
        >>> attack = zooscope.attacks.LinfPGD(step_size=2 / 255, iterations=10)
        >>> with tempfile.TemporaryDirectory() as out:
        ...     with zooscope.Study.in_memory(classifiers=classifiers, images=images, attack=attack) as study:
        ...         study.run(device="cpu", allow_chance=True)
        ...         for exported in zooscope.export_attacks(study, out, file_format="npz", device="cpu"):
        ...             with np.load(exported.path) as arrays:
        ...                 print(exported.path.name, arrays["pixels"].shape[1:], str(arrays["source"]))
        bundled-resnet.npz (3, 32, 32) bundled:resnet
        bundled-vit.npz (3, 32, 32) bundled:vit
    """
    if file_format not in FORMATS:
        msg = f"there is no format {file_format!r} for attacked images; take one of {', '.join(FORMATS)}."
        raise InvalidValueError(msg)
    known = study.predictions  # refuses an imported study
    names = [name for name in study.sources if name in known.names]
    if not names:
        command = f"`zooscope measure {quote_path(study.path)}`" if study.path else "study.run()"
        msg = f"{study.path or 'the study'} holds no attacked classifier; measure it first: {command}"
        raise NotMeasuredError(msg)
    roles = choose_roles(names, sources)
    chosen = [name for name in names if roles.get(name, True)]
    right = dict(zip(known.names, known.clean == known.labels, strict=True))
    shelf = study.shelf(device=device, batch_size=batch_size)
    stems, total = name_files(names), sum(int(right[name].sum()) for name in chosen)
    exported, done = [], 0
    for name in chosen:
        parts = []
        for shard, images in enumerate(shelf.shards):
            places = np.flatnonzero(right[name][np.asarray(images)])
            if len(places):
                with computing_in(shelf.precision):
                    attacked = Transfer(attack=study.attack, seed=study.definition.seed).attack_images(name, shard, places, shelf)
                parts.append(_Part(shard, places, attacked.pixels.cpu(), {k: v.cpu() for k, v in attacked.facts.items()}))
                done += len(places)
                listen(Progress(phase="attack", done=done, total=total, item=f"{name}, shard {shard + 1}"))
        if parts:
            exported.append(_write(study, shelf, name, parts, folder=Path(folder), stem=stems[name], file_format=file_format))
    _warn_of_rounding(exported)
    return tuple(exported)


class _Part(NamedTuple):
    """Attacked images of one shard."""

    shard: int
    places: np.ndarray
    pixels: torch.Tensor
    facts: dict[str, torch.Tensor]


def _write(
    study: Study, shelf: Shelf, source: str, parts: Sequence[_Part], *, folder: Path, stem: str, file_format: str
) -> ExportedAttacks:
    definition, classifier = study.definition, shelf.classifier(source)
    epsilon = getattr(study.attack, "epsilon", None)
    images = AttackedImages(
        pixels=torch.cat([part.pixels for part in parts]).numpy(),
        labels=np.concatenate([shelf.labels(part.shard)[part.places] for part in parts]),
        ids=[shelf.ids(part.shard)[place] for part in parts for place in part.places],
        class_names=study.class_names,
        facts={name: torch.cat([part.facts[name] for part in parts]).double().numpy() for name in parts[0].facts},
        epsilon=float("nan") if epsilon is None else float(epsilon),
        settings={
            "source": source,
            "address": classifier.address or "",
            "weights": classifier.digest,
            "transform": classifier.transform.description,
            "attack": definition.attack,
            "seed": str(definition.seed),
            "images": definition.images,
            "image_digest": definition.image_digest,
        },
    )
    path = write_attacked_images(folder, stem, images, file_format)
    if file_format != PNG:
        return ExportedAttacks(source, path, len(images.ids))
    rounded = round_to_levels(images.pixels).astype(np.float32) / np.float32(255)
    said = [predict(classifier, torch.from_numpy(pixels), batch_size=shelf.batch_size) for pixels in (images.pixels, rounded)]
    fooled, fooled_rounded = (int((one != images.labels).sum()) for one in said)
    change = float(np.abs(rounded.astype(np.float64) - images.pixels).max())
    return ExportedAttacks(source, path, len(images.ids), fooled, fooled_rounded, change)


def _warn_of_rounding(exported: Sequence[ExportedAttacks]) -> None:
    rounded = [one for one in exported if one.num_fooled is not None]
    if rounded:
        before, after = (sum(getattr(one, name) for one in rounded) for name in ("num_fooled", "num_fooled_rounded"))
        text = (
            f"PNG holds 8 bits: rounding changed pixels by up to {255 * max(one.largest_change for one in rounded):.2g}/255, and "
            f"{after} of {sum(one.num_images for one in rounded)} images fool their source, {before} did before. "
            "For exact pixels take safetensors or npz."
        )
        warnings.warn(text, RoundedPixelsWarning, stacklevel=3)
