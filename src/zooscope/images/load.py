"""Image sets by address: `bundled:NAME`, `folder:PATH`, `manifest:FILE` and so on."""

from collections.abc import Sequence
from pathlib import Path

from zooscope.addresses import Address
from zooscope.images.class_order import classes_in
from zooscope.images.image_set import ImageSet
from zooscope.images.providers.registry import PROVIDERS, find_provider, import_provider, parse_images_address
from zooscope.providers import refuse_unknown_options


def load_images(address: str | Address, *, classes: str | Path | Sequence[str] | None = None, trust: bool = True) -> ImageSet:
    """The images at an address; they are listed, none is read.

    Args:
        address: `PROVIDER:REST?OPTION=VALUE&OPTION=VALUE`, the providers being bundled, folder, manifest, parquet, huggingface,
            torchvision and webdataset. A `&`, `%` or `+` in a value is written %26, %25, %2B, a `?` in a path %3F.
        classes: the class names in the order of the classifiers' outputs, or a text file with one name a line; there may be more
            than the images have. Without it: ImageNet's order if all names are synsets of ImageNet's 1,000; else the order that
            the provider has, else sorted by name.
        trust: whether to run code that the address names; none of zooscope's own providers of images runs any.

    Raises:
        UnknownNameError: no such provider or option, or the provider knows no such name.
        InvalidValueError: an option's value can't be used.
        MissingFileError: a folder or file is not there.
        UntrustedCodeError: the address names code, and `trust` is False.
        MissingExtraError: the provider needs a library that isn't installed.
        ImagesError: there are no images, or they don't fit the classes.

    Example:
        >>> images = load_images("bundled:cifar10")
        >>> images
        ImageSet('bundled:cifar10', 1000 images, 10 classes)
        >>> images.class_names[:3]
        ('airplane', 'automobile', 'bird')
    """
    parsed = parse_images_address(address)
    class_names = classes_in(Path(classes)) if isinstance(classes, str | Path) else None if classes is None else tuple(classes)
    if not trust:
        PROVIDERS.require_no_code(find_provider(parsed), parsed, name=str(parsed))
    provider = import_provider(parsed)
    refuse_unknown_options(parsed.options, provider.OPTIONS, provider=parsed.provider)
    images: ImageSet = provider.load(parsed.rest, parsed.options, classes=class_names)
    return images
