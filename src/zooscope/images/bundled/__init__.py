"""The images that come with zooscope: a stratified sample of CIFAR-10's test images, lossless PNG."""

from pathlib import Path

from zooscope.errors import UnknownNameError
from zooscope.images.folder import images_in_folder
from zooscope.images.image_set import ImageSet

FOLDER = Path(__file__).parent


def names() -> tuple[str, ...]:
    """The bundled image sets."""
    return tuple(sorted(child.name for child in FOLDER.iterdir() if child.is_dir() and not child.name.startswith("_")))


def load(name: str, *, classes: tuple[str, ...] | None = None) -> ImageSet:
    """A bundled image set by name, its classes in the given order.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name not in names():
        kind = "bundled image set"
        raise UnknownNameError(kind, name, names(), f"Bundled: {', '.join(names())}.")
    return images_in_folder(FOLDER / name, address=f"bundled:{name}", classes=classes)
