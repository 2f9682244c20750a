"""Image sets by address: `bundled:NAME`, `folder:PATH`, `manifest:FILE` and so on."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from zooscope.addresses import Address, parse_address
from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError, LeftOutWarning
from zooscope.images.class_order import find_classes
from zooscope.images.decode import FEWEST_BITS, MOST_BITS
from zooscope.images.image_set import ImageSet
from zooscope.images.left_out import describe_left_out
from zooscope.images.providers.registry import PROVIDERS, find_provider, import_provider, parse_images_address
from zooscope.providers import refuse_unknown_options

BITS: Final = "bits"  # an option of every provider


@check_arguments
def load_images(address: str | Address, *, classes: str | Path | Sequence[str] | None = None, trust: bool = True) -> ImageSet:
    """The images at an address; they are listed, none is read.

    Args:
        address: `PROVIDER:REST?OPTION=VALUE&OPTION=VALUE`, the providers being bundled, folder, manifest, parquet, huggingface,
            torchvision and webdataset. A `&`, `%` or `+` in a value is written %26, %25, %2B, a `?` in a path %3F. All take `bits`:
            how many bits the levels have in files that keep 16 or 32 bits.
        classes: the class names in the order of the classifiers' outputs, or a text file with one name a line; there may be more
            than the images have. Without it: ImageNet's order if all names are synsets of ImageNet's 1,000; if all are whole
            numbers, each is the index of its class; else the order that the provider has, else sorted by name.
        trust: whether to run code that the address names; none of zooscope's own providers of images runs any.

    Raises:
        UnknownNameError: no such provider or option, or the provider knows no such name.
        InvalidValueError: an option's value can't be used.
        MissingFileError: a folder or file is not there.
        UntrustedCodeError: the address names code, and `trust` is False.
        MissingExtraError: the provider needs a library that isn't installed.
        ImagesError: there are no images, or they don't fit the classes.

    Example:
        >>> import zooscope
        >>> images = zooscope.load_images("bundled:cifar10")
        >>> images
        ImageSet('bundled:cifar10', 1000 images, 10 classes)
        >>> images.class_names[:3]
        ('airplane', 'automobile', 'bird')
    """
    parsed = parse_images_address(address)
    class_names = find_classes(Path(classes)) if isinstance(classes, str | Path) else None if classes is None else tuple(classes)
    if not trust:
        PROVIDERS.require_no_code(find_provider(parsed), parsed, name=str(parsed))
    provider = import_provider(parsed)
    refuse_unknown_options(parsed.options, (*provider.OPTIONS, BITS), provider=parsed.provider)
    own = {option: value for option, value in parsed.options.items() if option != BITS}
    images: ImageSet = replace(provider.load(parsed.rest, own, classes=class_names), has_given_classes=class_names is not None)
    if BITS in parsed.options:
        with_bits = str(parse_address(images.address).with_options({BITS: parsed.options[BITS]}))
        images = replace(images, bits=_parse_bits(parsed.options[BITS], address=str(parsed)), address=with_bits)
    if images.left_out:
        warnings.warn(f"{images.address}: left out: {describe_left_out(images.left_out)}.", LeftOutWarning, stacklevel=2)
    return images


def _parse_bits(text: str, *, address: str) -> int:
    known = [str(bits) for bits in range(FEWEST_BITS, MOST_BITS + 1)]
    if text not in known:
        msg = f"{address}: bits must be {known[0]} to {known[-1]}, the bits of the levels in files of 16 or 32 bits: got {text!r}."
        raise InvalidValueError(msg)
    return int(text)
