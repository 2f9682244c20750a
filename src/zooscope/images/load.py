"""Image sets by address: `bundled:NAME`, `folder:PATH`, `manifest:FILE` and so on."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

from zooscope.errors import MissingExtraError
from zooscope.images.addresses import parsed, refuse_unknown
from zooscope.images.class_order import classes_in
from zooscope.images.image_set import ImageSet

EXTRAS: Final = {"huggingface": "huggingface"}


def load_images(address: str, *, classes: str | Path | Sequence[str] | None = None) -> ImageSet:
    """The images at an address; they are listed, none is read.

    Args:
        address: `SOURCE:REST?OPTION=VALUE&OPTION=VALUE`, the sources being bundled, folder, manifest, parquet, huggingface,
            torchvision and webdataset. A `&`, `%` or `+` in a value is written %26, %25, %2B, a `?` in a path %3F.
        classes: the class names in the order of the classifiers' outputs, or a text file with one name a line; there may be more
            than the images have. Without it: ImageNet's order if all names are synsets of ImageNet's 1,000; else the order that
            the source has, else sorted by name.

    Raises:
        UnknownNameError: no such source or option, or the source knows no such name.
        InvalidValueError: an option's value can't be used.
        MissingFileError: a folder or file is not there.
        MissingExtraError: the source needs a library that isn't installed.
        ImagesError: there are no images, or they don't fit the classes.
    """
    parts = parsed(address)
    class_names = classes_in(Path(classes)) if isinstance(classes, str | Path) else None if classes is None else tuple(classes)
    module = _module_of(parts.source)
    refuse_unknown(parts.options, module.OPTIONS, source=parts.source)
    images: ImageSet = module.load(parts.rest, parts.options, classes=class_names)
    return images


def _module_of(source: str) -> ModuleType:
    try:
        return import_module(f"zooscope.images.providers.{source}")
    except ModuleNotFoundError as error:
        if source not in EXTRAS or (error.name or "").startswith("zooscope"):
            raise
        what = f"the image source {source}"
        raise MissingExtraError(what, EXTRAS[source]) from error
