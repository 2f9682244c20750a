"""Which files of a folder are images, and how one is read."""

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Final, NamedTuple

from PIL import Image, UnidentifiedImageError

from zooscope.errors import ImagesError
from zooscope.images.decode import FORMATS

_JPEG: Final = (".jpg", ".jpeg", ".jfif", ".jpe", ".jp2", ".j2k")
_OTHERS: Final = (".apng", ".avif", ".bmp", ".gif", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
SUFFIXES: Final = frozenset((*_JPEG, *_OTHERS))
# What archives, file systems, network drives and viewers leave behind, in lower case; names that begin with a dot are hidden.
LITTER: Final = frozenset(
    {
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "@eadir",
        "@recently-snapshot",
        "@recycle",
        "@tmp",
        "__macosx",
        "__pycache__",
        "_gsdata_",
        "desktop.ini",
        "ehthumbs.db",
        "icon\r",
        "lost+found",
        "network trash folder",
        "recycler",
        "system volume information",
        "temporary items",
        "thumbs.db",
    }
)
_RESCUED: Final = re.compile(r"found\.\d{3}")  # by the check of a disk


class Listed(NamedTuple):
    """What is in a folder and neither hidden nor litter."""

    files: list[str]
    subfolders: dict[str, bool]  # with whether it is a link
    broken: list[str]  # links that lead nowhere


class Found(NamedTuple):
    """What is below a subfolder, as paths relative to the folder above it."""

    images: list[str]
    others: list[str]  # the kind of each file that is no image
    broken: list[str]


def list_folder(folder: Path, *, address: str) -> Listed:
    """What is in a folder.

    Raises:
        ImagesError: it may not be read.
    """
    listed = Listed([], {}, [])
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name.lower()
                if name.startswith(".") or name in LITTER or _RESCUED.fullmatch(name):
                    continue
                if entry.is_dir():
                    listed.subfolders[entry.name] = entry.is_symlink()
                elif entry.is_file():
                    listed.files.append(entry.name)
                elif entry.is_symlink():
                    listed.broken.append(entry.name)
    except OSError as error:
        msg = f"{address}: {folder} can't be read ({error.strerror}); let it be read, or take it out."
        raise ImagesError(msg) from error
    return listed


def find_images(folder: Path, name: str, *, address: str) -> Found:
    """The image files below a subfolder, sorted, and what lies beside them.

    Raises:
        ImagesError: something may not be read, or a link leads back to a folder that it lies in.
    """
    found = Found([], [], [])
    root = os.path.realpath(folder)
    way: tuple[str, ...] = (root, os.path.realpath(folder / name))  # what a link must not lead back to
    waiting = [(name, way)]
    while waiting:
        place, way = waiting.pop()
        listed = list_folder(folder / place, address=address)
        for file in listed.files:
            if is_image_file(folder / place / file, address=address):
                found.images.append(f"{place}/{file}")
            else:
                found.others.append(f"files {PurePath(file).suffix.lower() or 'without an ending'}")
        found.broken.extend(f"{place}/{file}" for file in listed.broken)
        for subfolder, is_link in listed.subfolders.items():
            path = f"{place}/{subfolder}"
            real = os.path.realpath(folder / path) if is_link else f"{way[-1]}{os.sep}{subfolder}"
            if is_link and any(passed == real or passed.startswith(real.rstrip(os.sep) + os.sep) for passed in way):
                msg = f"{address}: {path} is a link back to a folder that it lies in; remove it."
                raise ImagesError(msg)
            waiting.append((path, (*way, real)))
    found.images.sort(key=lambda path: path.split("/"))
    return found


def is_image_file(path: Path, *, address: str) -> bool:
    """Whether a file is called as images are; one whose name has no ending is opened and told by its content.

    Raises:
        ImagesError: it may not be read.
    """
    suffix = path.suffix.lower()
    if suffix:
        return suffix in SUFFIXES
    try:
        with Image.open(path, formats=FORMATS):
            return True
    except UnidentifiedImageError:
        return False
    except OSError as error:
        msg = f"{address}: {path} can't be read ({error.strerror or error}); let it be read, or take it out."
        raise ImagesError(msg) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # it is an image, and refused when it is read
        return True


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


def refuse_other_than_utf8(names: Sequence[str], *, address: str) -> None:
    """Names are kept as text; Python marks the bytes of a name that is none by lone surrogates.

    Raises:
        ImagesError: a name is none.
    """
    strange = [name for name in names if not name.isascii() and any("\ud800" <= letter <= "\udfff" for letter in name)]
    if strange:
        msg = f"{address}: the name {os.fsencode(strange[0])!r} is not in UTF-8 ({len(strange)} such); rename it."
        raise ImagesError(msg)
