"""Image sets by address: `bundled:cifar10`, `folder:PATH`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from zooscope.errors import MissingFileError, UnknownNameError
from zooscope.images import bundled
from zooscope.images.folder import images_in_folder
from zooscope.images.image_set import ImageSet

SOURCES: Final = ("bundled", "folder")


def load_images(address: str, *, classes: str | Path | Sequence[str] | None = None) -> ImageSet:
    """The images at an address; files are listed, none is opened.

    Args:
        address: `bundled:NAME`, or `folder:PATH` with one subfolder per class.
        classes: names of the subfolders in the order of the classifiers' outputs, or a text file with one name a line. Without it
            the classes are the subfolders in sorted order.

    Raises:
        UnknownNameError: no such source, or no such bundled set.
        MissingFileError: the folder or the file of classes is not there.
        ImagesError: the folder holds no images, or doesn't fit the classes.
    """
    source, colon, rest = address.partition(":")
    if not colon or source not in SOURCES:
        kind, near = "image source", f" For a folder of images write folder:{address}." if Path(address).is_dir() else ""
        raise UnknownNameError(kind, source, SOURCES, f"Write bundled:NAME or folder:PATH.{near}")
    class_names = None if classes is None else _class_names(classes)
    if source == "bundled":
        return bundled.load(rest, classes=class_names)
    folder = Path(rest).expanduser().resolve()  # a study is run on from wherever one stands
    return images_in_folder(folder, address=f"folder:{folder}", classes=class_names)


def _class_names(classes: str | Path | Sequence[str]) -> tuple[str, ...]:
    if not isinstance(classes, str | Path):
        return tuple(classes)
    file = Path(classes)
    if not file.is_file():
        msg = f"there is no file of classes {file}; give a text file with one class name a line."
        raise MissingFileError(msg)
    return tuple(line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip())
