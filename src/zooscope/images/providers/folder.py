"""Images in a folder with one subfolder per class."""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from zooscope.addresses import write_address
from zooscope.errors import ClassOrderWarning, ImagesError, MissingFileError
from zooscope.images.class_order import order_classes
from zooscope.images.image_set import NUM_NAMED_IN_ERROR, ImageSet
from zooscope.images.providers.files import (
    SUFFIXES,
    Found,
    find_images,
    is_image_file,
    list_folder,
    read_file,
    refuse_other_than_utf8,
)
from zooscope.images.stored_labels import StoredLabels, are_indices

OPTIONS: Final = ()


def load(rest: str, options: Mapping[str, str], *, classes: tuple[str, ...] | None) -> ImageSet:  # noqa: ARG001  (every provider's form)
    """The image files below each class's subfolder.

    Args:
        rest: the folder.
        options: none.
        classes: the subfolders in the order of the classifiers' outputs.

    Raises:
        MissingFileError: there is no such folder.
        ImagesError: as `list_images` says.
    """
    folder = Path(rest).expanduser().resolve()  # a study is run on from wherever one stands
    return list_images(folder, address=write_address("folder", folder), classes=classes)


def list_images(folder: Path, *, address: str, classes: tuple[str, ...] | None = None) -> ImageSet:
    """The image files below each class's subfolder; links are followed, wherever they lead.

    What is no image is counted in `left_out`. A subfolder without images is no class; only where all are called by whole numbers,
    it still counts when the classes are numbered.

    Args:
        folder: the subfolders of which are the classes.
        address: what to call the set.
        classes: names of the subfolders in the order of the classifiers' outputs.

    Raises:
        MissingFileError: there is no such folder.
        ImagesError: it has no subfolders, no images, or the subfolders don't fit the classes; or there are links that lead nowhere
            or in a circle, names that are not UTF-8, or what may not be read.
    """
    if not folder.is_dir():
        msg = f"{address}: there is no folder {folder}; give the path of a folder with one subfolder per class."
        raise MissingFileError(msg)
    top = list_folder(folder, address=address)
    if not top.subfolders and not top.broken:
        msg = f"{address}: {folder} has no subfolders; put the images of each class into a subfolder named after it."
        raise ImagesError(msg)
    refuse_other_than_utf8(list(top.subfolders), address=address)
    found = {name: find_images(folder, name, address=address) for name in sorted(top.subfolders)}
    broken = [*top.broken, *(path for below in found.values() for path in below.broken)]
    if broken:
        msg = f"{address}: {broken[0]} is a link that leads nowhere ({len(broken)} such); mend or remove it."
        raise ImagesError(msg)
    ids = tuple(path for below in found.values() for path in below.images)
    if not ids:
        msg = (
            f"{address}: {folder} holds no images in its {len(found)} subfolders; image files end in {', '.join(sorted(SUFFIXES))}."
        )
        raise ImagesError(msg)
    refuse_other_than_utf8(ids, address=address)
    stored = _store_names(found)
    labels, class_names = order_classes(stored, classes, address=address)
    if classes is None:
        _tell_of_numbers(stored.texts, address=address)
    outside = sum(is_image_file(folder / file, address=address) for file in top.files)
    return ImageSet(
        address=address,
        ids=ids,
        labels=labels,
        class_names=class_names,
        read=partial(read_file, folder),
        left_out=_count_left_out(found, outside),
    )


def _store_names(found: Mapping[str, Found]) -> StoredLabels:
    """Names of subfolders as labels; of the empty ones those that say as numbers which class they are."""
    names = [name for name, below in found.items() if below.images]
    empty = [name for name, below in found.items() if not below.images and are_indices([name])] if are_indices(names) else []
    codes = np.repeat(np.arange(len(names)), [len(found[name].images) for name in names])
    return StoredLabels(texts=(*names, *empty), codes=codes, place=lambda position: f"subfolder {names[codes[position]]}")


def _tell_of_numbers(names: Sequence[str], *, address: str) -> None:
    """What torchvision and those who train with it do otherwise."""
    as_text = sorted(names)
    if are_indices(names) and as_text != sorted(names, key=float):
        warnings.warn(
            f"{address}: the subfolders are whole numbers, so each is the index of its class. torchvision's ImageFolder sorts them "
            f"as text ({', '.join(as_text[:3])}, ...); for classifiers trained so, name the classes in its order (classes=FILE).",
            ClassOrderWarning,
            stacklevel=2,
        )


def _count_left_out(found: Mapping[str, Found], outside: int) -> dict[str, int]:
    """What is beside the images, the subfolders that are no classes first."""
    empty = [name for name, below in found.items() if not below.images]
    more = ", ..." if len(empty) > NUM_NAMED_IN_ERROR else ""
    kinds = Counter(kind for below in found.values() for kind in below.others)
    counts = {
        f"subfolders without images ({', '.join(empty[:NUM_NAMED_IN_ERROR])}{more})": len(empty),
        "images outside of the subfolders": outside,
        **dict(kinds.most_common()),
    }
    return {kind: count for kind, count in counts.items() if count}
