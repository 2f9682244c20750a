"""Images in a folder with one subfolder per class."""

from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from zooscope.errors import ImagesError, MissingFileError
from zooscope.images.image_set import ImageSet

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".gif"})


def images_in_folder(folder: Path, *, address: str, classes: tuple[str, ...] | None = None) -> ImageSet:
    """The image files below each class's subfolder, hidden ones left out.

    Args:
        folder: the subfolders of which are the classes.
        address: what to call the set.
        classes: names of the subfolders in the order of the classifiers' outputs; sorted by name when left out.

    Raises:
        MissingFileError: there is no such folder.
        ImagesError: it has no class subfolders, no images, a subfolder that is not among `classes`, or these name one twice.
    """
    if not folder.is_dir():
        msg = f"{address}: there is no folder {folder}; give the path of a folder with one subfolder per class."
        raise MissingFileError(msg)
    found = tuple(sorted(child.name for child in folder.iterdir() if child.is_dir() and not child.name.startswith(".")))
    if not found:
        msg = f"{address}: {folder} has no subfolders; put the images of each class into a subfolder named after it."
        raise ImagesError(msg)
    class_names = found if classes is None else classes
    twice = [name for name in class_names if class_names.count(name) > 1]
    if twice:
        msg = f"{address}: the class {twice[0]} is given twice; give every class once, in the order of the classifiers' outputs."
        raise ImagesError(msg)
    strangers = [name for name in found if name not in class_names]
    if strangers:
        msg = (
            f"{address}: the subfolder {strangers[0]} ({len(strangers)} such) is not among the given classes; "
            "add it to them or remove it."
        )
        raise ImagesError(msg)
    ids, labels = [], []
    for name in found:
        files = _image_files(folder / name)
        ids += [path.relative_to(folder).as_posix() for path in files]
        labels += [class_names.index(name)] * len(files)
    if not ids:
        msg = (
            f"{address}: {folder} holds no images in its {len(found)} subfolders; image files end in {', '.join(sorted(SUFFIXES))}."
        )
        raise ImagesError(msg)
    return ImageSet(
        address=address,
        ids=tuple(ids),
        labels=np.asarray(labels, dtype=np.int64),
        class_names=class_names,
        read=partial(_read, folder),
    )


def _image_files(folder: Path) -> list[Path]:
    """All below the folder that have an image's ending, but nothing hidden."""
    candidates = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    return sorted(path for path in candidates if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        msg = f"{folder / name} can't be read ({error.strerror}); was it moved? Put it back or measure a new study."
        raise ImagesError(msg) from error
