"""The images that come with zooscope: a stratified sample of CIFAR-10's test images, lossless PNG."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from zooscope.errors import UnknownNameError
from zooscope.images.image_set import ImageSet
from zooscope.images.providers.folder import list_images

OPTIONS: Final = ()
FOLDER: Final = Path(__file__).parents[1] / "bundled"


def list_names() -> tuple[str, ...]:
    """The bundled image sets."""
    return tuple(sorted(child.name for child in FOLDER.iterdir() if child.is_dir() and not child.name.startswith("_")))


def load(rest: str, options: Mapping[str, str], *, classes: tuple[str, ...] | None) -> ImageSet:  # noqa: ARG001  (every provider's form)
    """A bundled image set by name, its classes in the given order.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if rest not in list_names():
        kind = "bundled image set"
        raise UnknownNameError(kind, rest, list_names(), f"Bundled: {', '.join(list_names())}.")
    return list_images(FOLDER / rest, address=f"bundled:{rest}", classes=classes)
