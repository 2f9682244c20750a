"""Images in a folder with one subfolder per class."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path, PurePath
from typing import Final

from zooscope.addresses import write_address
from zooscope.errors import ImagesError, MissingFileError
from zooscope.images.class_order import class_order, labels_of
from zooscope.images.image_set import ImageSet

OPTIONS: Final = ()
SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".gif"})


def load(rest: str, options: Mapping[str, str], *, classes: tuple[str, ...] | None) -> ImageSet:  # noqa: ARG001  (every provider's form)
    """The image files below each class's subfolder.

    Args:
        rest: the folder.
        options: none.
        classes: the subfolders in the order of the classifiers' outputs.

    Raises:
        MissingFileError: there is no such folder.
        ImagesError: as `images_in_folder` says.
    """
    folder = Path(rest).expanduser().resolve()  # a study is run on from wherever one stands
    return images_in_folder(folder, address=write_address("folder", folder), classes=classes)


def images_in_folder(folder: Path, *, address: str, classes: tuple[str, ...] | None = None) -> ImageSet:
    """The image files below each class's subfolder, hidden ones left out; links are followed, wherever they lead.

    Args:
        folder: the subfolders of which are the classes.
        address: what to call the set.
        classes: names of the subfolders in the order of the classifiers' outputs; sorted by name when left out, or ImageNet's order
            where all of them are synsets.

    Raises:
        MissingFileError: there is no such folder.
        ImagesError: it has no class subfolders, no images, a subfolder that is not among `classes`, or these name one twice; or
            links that lead nowhere or in a circle, names that are not UTF-8, or a folder that may not be read.
    """
    if not folder.is_dir():
        msg = f"{address}: there is no folder {folder}; give the path of a folder with one subfolder per class."
        raise MissingFileError(msg)
    subfolders, broken = _listed(folder, address=address)[1:]
    found = sorted(subfolders)
    if not found and not broken:
        msg = f"{address}: {folder} has no subfolders; put the images of each class into a subfolder named after it."
        raise ImagesError(msg)
    _refuse_other_than_utf8(found, address=address)
    class_names = class_order(found, classes, address=address, kind="subfolder")
    ids: list[str] = []
    names: list[str] = []
    for name in found:
        files, gone = _below(folder, name, address=address)
        ids += sorted(files, key=lambda path: path.split("/"))
        names += [name] * len(files)
        broken += gone
    if broken:
        msg = f"{address}: {broken[0]} is a link that leads nowhere ({len(broken)} such); mend or remove it."
        raise ImagesError(msg)
    if not ids:
        msg = (
            f"{address}: {folder} holds no images in its {len(found)} subfolders; image files end in {', '.join(sorted(SUFFIXES))}."
        )
        raise ImagesError(msg)
    _refuse_other_than_utf8(ids, address=address)
    return ImageSet(
        address=address,
        ids=tuple(ids),
        labels=labels_of(names, class_names),
        class_names=class_names,
        read=partial(read_file, folder),
    )


def read_file(folder: Path, name: str) -> bytes:
    """The bytes of a file that was listed before.

    Raises:
        ImagesError: it is gone, or may not be read.
    """
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        msg = f"{folder / name} can't be read ({error.strerror}); was it moved? Put it back or measure a new study."
        raise ImagesError(msg) from error


def _below(folder: Path, name: str, *, address: str) -> tuple[list[str], list[str]]:
    """Image files and broken links below a subfolder, as paths relative to the folder."""
    files, broken = [], []
    root = os.path.realpath(folder)
    way: tuple[str, ...] = (root, os.path.realpath(folder / name))  # what a link must not lead back to
    waiting = [(name, way)]
    while waiting:
        place, way = waiting.pop()
        some, subfolders, gone = _listed(folder / place, address=address)
        files += [f"{place}/{file}" for file in some if PurePath(file).suffix.lower() in SUFFIXES]
        broken += [f"{place}/{file}" for file in gone]
        for subfolder, is_link in subfolders.items():
            path = f"{place}/{subfolder}"
            real = os.path.realpath(folder / path) if is_link else f"{way[-1]}{os.sep}{subfolder}"
            if is_link and any(passed == real or passed.startswith(real.rstrip(os.sep) + os.sep) for passed in way):
                msg = f"{address}: {path} is a link back to a folder that it lies in; remove it."
                raise ImagesError(msg)
            waiting.append((path, (*way, real)))
    return files, broken


def _listed(folder: Path, *, address: str) -> tuple[list[str], dict[str, bool], list[str]]:
    """What is in a folder and not hidden: files, subfolders with whether they are links, and links that lead nowhere."""
    files, subfolders, broken = [], dict[str, bool](), []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    subfolders[entry.name] = entry.is_symlink()
                elif entry.is_file():
                    files.append(entry.name)
                elif entry.is_symlink():
                    broken.append(entry.name)
    except OSError as error:
        msg = f"{address}: {folder} can't be read ({error.strerror}); let it be read, or take it out."
        raise ImagesError(msg) from error
    return files, subfolders, broken


def _refuse_other_than_utf8(names: list[str], *, address: str) -> None:
    """Names are kept as text; Python marks the bytes of a name that is none by lone surrogates."""
    strange = [name for name in names if not name.isascii() and any("\ud800" <= letter <= "\udfff" for letter in name)]
    if strange:
        msg = f"{address}: the name {os.fsencode(strange[0])!r} is not in UTF-8 ({len(strange)} such); rename it."
        raise ImagesError(msg)
