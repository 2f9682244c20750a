"""timm's architectures with weights from a local checkpoint."""

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import zooscope.images.torchvision_operators

import timm
from timm.data import resolve_data_config
from timm.models import PretrainedCfg
from torch import Tensor

from zooscope.classifiers.checkpoint import fill, read_weights
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import ClassifierError, InvalidValueError, UnknownNameError
from zooscope.images.pixel_transform import PixelTransform

OPTIONS: Final = ("weights", "num_classes", "size", "mean", "std", "interpolation", "crop")


def load(architecture: str, options: Mapping[str, str], *, name: str) -> Classifier:
    """Any timm architecture, filled from a checkpoint on disk.

    Size, mean, std, interpolation and crop are timm's for the architecture where no option says otherwise; the number of classes is
    that of the checkpoint.

    Args:
        architecture: a name that `timm.list_models()` knows.
        options: `weights` (required) and any of `num_classes`, `size`, `mean`, `std` (three numbers, or one, in [0, 1] units),
            `interpolation`, `crop`.
        name: what to call the classifier.

    Raises:
        UnknownNameError: timm has no such architecture, or there is no such option.
        ClassifierError: the weights are not named, or the checkpoint doesn't fit.
        InvalidValueError: an option's value can't be used.
    """
    if not timm.is_model(architecture):
        kind = "timm architecture"
        raise UnknownNameError(kind, architecture, timm.list_models(), "timm.list_models() lists them.")
    unknown = [option for option in options if option not in OPTIONS]
    if unknown:
        kind = "option"
        raise UnknownNameError(kind, unknown[0], OPTIONS, f"timm: takes {', '.join(OPTIONS)}, and name.")
    if "weights" not in options:
        msg = f"timm:{architecture} names no weights; write timm:{architecture}?weights=FILE with a .safetensors or .pth file."
        raise ClassifierError(msg)
    file = Path(options["weights"]).expanduser().resolve()  # a study is run on from wherever one stands
    weights = read_weights(file)
    facts = _facts(architecture)
    config = resolve_data_config(pretrained_cfg=facts.to_dict())
    num_classes = _whole("num_classes", options) if "num_classes" in options else _num_classes(facts, weights)
    height, width = config["input_size"][1:]
    keywords: dict[str, Any] = {}
    if "size" in options:
        height = width = _whole("size", options)
        keywords["img_size"] = height
    network = _create(architecture, num_classes, keywords)
    fill(network, weights, file=file, architecture=f"timm's {architecture}")
    return Classifier(
        name=name,
        network=network.eval(),
        num_classes=num_classes,
        transform=PixelTransform(
            height=height,
            width=width,
            interpolation=options.get("interpolation", config["interpolation"]),
            crop_fraction=_numbers("crop", options, 1)[0] if "crop" in options else config["crop_pct"],
            crop_mode=config["crop_mode"],
        ),
        mean=_per_channel("mean", options, config["mean"]),
        std=_per_channel("std", options, config["std"]),
        address=f"timm:{architecture}?{urlencode({**options, 'weights': str(file)}, safe='/,:')}",
        architecture=architecture,
    )


def _facts(architecture: str) -> PretrainedCfg:
    """What timm knows of an architecture; its name may end in the tag of a set of weights, whose settings are then meant."""
    try:
        return timm.get_pretrained_cfg(architecture) or PretrainedCfg()
    except RuntimeError as error:
        kind, advice = "timm architecture", "Leave out what follows the dot, or name weights that timm knows."
        tagged = timm.list_pretrained(f"{architecture.partition('.')[0]}.*")
        raise UnknownNameError(kind, architecture, tagged, advice) from error


def _create(architecture: str, num_classes: int, keywords: dict[str, Any]) -> Any:  # noqa: ANN401  (timm's builders are untyped)
    try:
        return timm.create_model(architecture, num_classes=num_classes, **keywords)
    except TypeError:  # a convolutional network takes any size and no `img_size`
        return timm.create_model(architecture, num_classes=num_classes)


def _num_classes(facts: PretrainedCfg, weights: Mapping[str, Tensor]) -> int:
    """The number of classes that the checkpoint's last layer has."""
    heads: str | Sequence[str] | None = facts.classifier  # several where a network has several heads
    for head in (heads,) if isinstance(heads, str) else heads or ():
        for part in ("weight", "bias"):
            if f"{head}.{part}" in weights:
                return len(weights[f"{head}.{part}"])
    return int(facts.num_classes)


def _per_channel(option: str, options: Mapping[str, str], default: tuple[float, ...]) -> tuple[float, float, float]:
    values = _numbers(option, options, 3) if option in options else default
    red, green, blue = values if len(values) > 1 else 3 * tuple(values)
    return float(red), float(green), float(blue)


def _whole(option: str, options: Mapping[str, str]) -> int:
    text = options[option]
    if not text.isdecimal() or int(text) < 1:
        msg = f"the option {option} takes a whole number from 1 on: got {text!r}."
        raise InvalidValueError(msg)
    return int(text)


def _numbers(option: str, options: Mapping[str, str], most: int) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in options[option].split(","))
    except ValueError:
        values = ()
    if len(values) not in {1, most} or not all(isfinite(value) for value in values):
        wanted = "one number" if most == 1 else f"{most} numbers with commas between, or one"
        msg = f"the option {option} takes {wanted}: got {options[option]!r}."
        raise InvalidValueError(msg)
    return values
