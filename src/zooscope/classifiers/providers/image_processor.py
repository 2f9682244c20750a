"""From an image processor of transformers to the way in which a classifier's pixels are made, checked against the processor."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zooscope.errors import ClassifierError, InvalidValueError, first_line
from zooscope.images.make_pixels import make_pixels
from zooscope.images.pixel_transform import PixelTransform, find_crop_fraction

INTERPOLATIONS: Final = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")  # in the order of Pillow's numbers
WARPED_FROM: Final = 384  # from this size on, ConvNeXt's processor changes the aspect ratio instead of cropping
TOLERANCE: Final = 0.1  # of 255 levels: rounding is far below, and what is off by a row or a column far above
MARGIN: Final = 3  # of four: where a half is rounded down here and up there


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How pixels are made, and what happens to them before the network.

    Attributes:
        transform: from image to pixels in [0, 1].
        mean: taken out of the pixels, per channel.
        std: what they are then divided by, per channel.
        is_flipped: whether the network takes blue, green, red; mean and std are in the order of the pixels all the same.
    """

    transform: PixelTransform
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    is_flipped: bool = False

    def normalised(self, image: Image.Image) -> Tensor:
        """What the network is shown of an image, of shape (3, height, width)."""
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (self.mean, self.std))
        shown: Tensor = (make_pixels(self.transform, image) - mean) / std
        return shown.flip(0) if self.is_flipped else shown


def read_preprocessing(processor: Any, *, name: str) -> Preprocessing:  # noqa: ANN401  (transformers' processors share no useful type)
    """The same pixels that the processor makes.

    The settings are read, and then a few images are sent both ways: a processor that does something else than its settings say
    is refused, too.

    Args:
        processor: of transformers, or of timm within transformers.
        name: what to call the classifier in an error.

    Raises:
        ClassifierError: the processor has a setting that can't be followed; it is named.
    """
    try:
        found = _read_timm(processor.data_config) if hasattr(processor, "data_config") else _read_settings(processor)
    except InvalidValueError as error:
        msg = f"{name}: the settings of its image processor can't be followed ({str(error).rstrip('.')})."
        raise ClassifierError(msg) from error
    _compare(found, processor, name=name)
    return found


def _read_timm(config: Mapping[str, Any]) -> Preprocessing:
    _, height, width = config["input_size"]
    return Preprocessing(
        transform=PixelTransform(
            height=height,
            width=width,
            interpolation=config["interpolation"],
            crop_fraction=config["crop_pct"],
            crop_mode=config["crop_mode"],
        ),
        mean=config["mean"],
        std=config["std"],
    )


def _read_settings(processor: Any) -> Preprocessing:  # noqa: ANN401  (see above)
    return Preprocessing(
        transform=_make_transform(processor),
        **_read_affine(processor),
        is_flipped=bool(getattr(processor, "do_flip_channel_order", None)),
    )


def _make_transform(processor: Any) -> PixelTransform:  # noqa: ANN401  (see above)
    """The resizing and the crop."""
    if not processor.do_resize:
        msg = "do_resize=False leaves every image at its own size"
        raise InvalidValueError(msg)
    crop = _read_sides(processor.crop_size) if getattr(processor, "do_center_crop", None) else {}
    resized, crop, is_warped = _read_resize(processor, _read_sides(processor.size), crop)
    height, width = crop.get("height"), crop.get("width")
    if not (height and width):
        msg = f"crop_size={crop} has no height and width"
        raise InvalidValueError(msg)
    fraction = find_crop_fraction(height, resized["height"])
    if find_crop_fraction(width, resized["width"]) != fraction or not (is_warped or height == width):
        msg = f"crop_size={crop} keeps another share of the height than of the width"
        raise InvalidValueError(msg)
    return PixelTransform(
        height=height,
        width=width,
        interpolation=INTERPOLATIONS[2 if processor.resample is None else int(processor.resample)],
        crop_fraction=fraction,
        crop_mode=("squash" if crop == resized else "squash_down") if is_warped else "center_down",
    )


def _read_resize(processor: Any, size: dict[str, int], crop: dict[str, int]) -> tuple[dict[str, int], dict[str, int], bool]:  # noqa: ANN401
    """What the image, or its shortest edge, is resized to, what is cut out of that, and whether the aspect ratio is given up."""
    if set(size) == {"height", "width"}:
        return size, crop or size, True
    if set(size) != {"shortest_edge"}:
        msg = f"size={size} makes neither a fixed height and width nor a fixed shortest edge"
        raise InvalidValueError(msg)
    kind, edge = type(processor).__name__, size["shortest_edge"]
    if kind.startswith("ConvNext"):
        crop = crop or _read_square(edge)
        if edge >= WARPED_FROM:
            return _read_square(edge), crop, True
    if not crop:
        msg = f"size={size} without a crop leaves images of different shapes"
        raise InvalidValueError(msg)
    if kind.startswith("Levit"):
        edge = int(256 / 224 * edge)
    elif kind.startswith(("ConvNext", "PoolFormer")) and processor.crop_pct is not None:
        edge = int(edge / processor.crop_pct)
    return _read_square(edge), crop, False


def _read_square(side: int) -> dict[str, int]:
    return {"height": side, "width": side}


def _read_sides(size: Any) -> dict[str, int]:  # noqa: ANN401  (a dictionary or transformers' SizeDict)
    return {side: int(pixels) for side, pixels in dict(size or {}).items() if pixels}


def _read_affine(processor: Any) -> dict[str, tuple[float, float, float]]:  # noqa: ANN401  (see above)
    """Mean and deviation of pixels in [0, 1] that do the same as all that the processor does with the levels 0 to 255."""
    factor = 255 * float(processor.rescale_factor) if processor.do_rescale else 255.0
    offset = 1.0 if processor.do_rescale and getattr(processor, "rescale_offset", False) else 0.0
    mean = _read_three_values(processor.image_mean) if processor.do_normalize else (0.0, 0.0, 0.0)
    std = _read_three_values(processor.image_std) if processor.do_normalize else (1.0, 1.0, 1.0)
    if getattr(processor, "include_top", False):  # EfficientNet's processor divides once more
        std = _multiply(std, _read_three_values(processor.image_std))
    return {
        "mean": _multiply(tuple(value + offset for value in mean), 3 * (1 / factor,)),
        "std": _multiply(std, 3 * (1 / factor,)),
    }


def _read_three_values(values: Any) -> tuple[float, ...]:  # noqa: ANN401  (a number, or some)
    numbers = tuple(float(value) for value in np.atleast_1d(values))
    if len(numbers) not in {1, 3}:
        msg = f"{len(numbers)} values of image_mean or image_std don't fit images of three channels"
        raise InvalidValueError(msg)
    return 3 * numbers if len(numbers) == 1 else numbers


def _multiply(left: tuple[float, ...], right: tuple[float, ...]) -> tuple[float, float, float]:
    red, green, blue = (one * other for one, other in zip(left, right, strict=True))
    return red, green, blue


def _compare(found: Preprocessing, processor: Any, *, name: str) -> None:  # noqa: ANN401  (see above)
    """Refuses a processor that shows the network something else than `found` does."""
    std = torch.tensor(found.std).view(3, 1, 1)
    for image in _make_probes(found.transform):
        try:
            theirs = processor(images=image, return_tensors="pt")["pixel_values"][0]
        except Exception as error:  # whatever a processor of someone's own stumbles over
            msg = f"{name}: its image processor can't read an image of {image.width}x{image.height} pixels ({first_line(error)})."
            raise ClassifierError(msg) from error
        ours = found.normalised(image)
        shown = tuple(theirs.shape) if isinstance(theirs, Tensor) else ()
        worst = ((theirs - ours) * (std.flip(0) if found.is_flipped else std)).abs().max() if shown == ours.shape else torch.inf
        if worst * 255 > TOLERANCE:
            msg = (
                f"{name}: its image processor {type(processor).__name__} does more than its settings say: of an image of "
                f"{image.width}x{image.height} pixels it makes something else; such a network can't be loaded."
            )
            raise ClassifierError(msg)


def _make_probes(transform: PixelTransform) -> Iterator[Image.Image]:
    """Images of many edges, smaller and larger than the pixels, that show every row and column that is off by one."""
    generator, short = np.random.default_rng(0), 40
    resized = round(transform.height / transform.crop_fraction)
    odd = next((long for long in range(short + 1, 4 * short) if (resized * long // short - transform.width) % 4 == MARGIN), short)
    larger = (int(1.3 * transform.width) + 1, int(1.7 * transform.height))
    for width, height in ((odd, short), (short, odd), (short, short), larger):
        levels = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
        yield Image.fromarray(levels)
