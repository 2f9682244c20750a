"""torchvision's classifiers, each by the name of a set of its weights, such as `ResNet50_Weights.IMAGENET1K_V2`."""

import re
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.parse import urlsplit

from torch import hub, nn
from torchvision import models

from zooscope.addresses import write_address
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.first_pass import count_outputs
from zooscope.classifiers.options import PREPROCESSING, adjust, read_per_channel, refuse_unknown
from zooscope.classifiers.weights import fill, read_checkpoint
from zooscope.errors import ClassifierError, UnknownNameError, first_line
from zooscope.images.pixel_transform import PixelTransform, find_crop_fraction

OPTIONS: Final = ("weights", "part", *PREPROCESSING)
OLD_DENSENET_NAME: Final = re.compile(r"(denselayer\d+\.(?:norm|conv))\.(\d+\.)")


def load(weights_name: str, options: Mapping[str, str], *, name: str) -> Classifier:
    """A torchvision classifier, built and fed as torchvision itself does it.

    Size, mean, std, interpolation and crop are those that came with the weights where no option says otherwise. The weights lie in
    torch.hub's cache (`TORCH_HOME`), into which they are fetched once.

    Args:
        weights_name: such as `ResNet50_Weights.IMAGENET1K_V2`, or `ResNet50_Weights.DEFAULT`.
        options: any of `weights` (a checkpoint of exactly this architecture and this number of classes, read instead), `part`
            (of it), `size`, `mean`, `std` (three numbers, or one, in [0, 1] units), `interpolation`, `crop`.
        name: what to call the classifier.

    Raises:
        UnknownNameError: torchvision has no such weights, or there is no such option.
        ClassifierError: they are for something else than classification, can't be fetched, or don't fit.
        MissingFileError: the checkpoint is not there.
        InvalidValueError: an option's value can't be used.
    """
    architecture, chosen = _choose(weights_name)
    refuse_unknown(options, OPTIONS, provider="torchvision")
    preset = chosen.transforms()
    transform = adjust(read_transform(preset), options)
    kept = dict(options)
    if "weights" in options:
        file = Path(options["weights"]).expanduser().resolve()  # a study is run on from wherever one stands
        kept["weights"] = str(file)
    else:
        file = _find_cached(chosen)
    checkpoint = read_checkpoint(file, part=options.get("part")).renamed(lambda name: OLD_DENSENET_NAME.sub(r"\1\2", name))
    network = build(architecture, chosen, checkpoint.names(), transform.height if "size" in options else None)
    part = fill(network, checkpoint, architecture=f"torchvision's {architecture}")
    categories = tuple(chosen.meta["categories"])
    num_classes = len(categories)
    if part:
        kept["part"] = part
    _leave_out_training(network)
    if "size" in options:
        count_outputs(network, transform.size, what=f"torchvision's {architecture}")
    return Classifier(
        name=name,
        network=network,
        num_classes=num_classes,
        transform=transform,
        mean=read_per_channel("mean", options, preset.mean),
        std=read_per_channel("std", options, preset.std),
        address=write_address("torchvision", repr(chosen), kept),
        architecture=architecture,
        class_names=checkpoint.name_outputs(num_classes) if "weights" in options else categories,
    )


def read_transform(preset: Any) -> PixelTransform:  # noqa: ANN401  (torchvision is untyped)
    """The resizing and the crop of the preset that came with a set of weights."""
    size, resized = preset.crop_size[0], preset.resize_size[0]
    fraction = find_crop_fraction(size, resized)
    return PixelTransform(height=size, width=size, interpolation=preset.interpolation.value, crop_fraction=fraction)


@cache
def list_names() -> tuple[str, ...]:
    """The names of all weights of torchvision that classify images."""
    return tuple(name for name, (_, weights) in _list_all().items() if name == repr(weights) and weights.meta["categories"])


@cache
def _list_all() -> dict[str, tuple[str, Any]]:
    """Architecture and weights by the weights' name, `DEFAULT` among them."""
    found: dict[str, tuple[str, Any]] = {}
    for architecture in models.list_models(module=models):
        family = models.get_model_weights(architecture)
        found |= {f"{family.__name__}.{member}": (architecture, weights) for member, weights in family.__members__.items()}
    return found


def _choose(name: str) -> tuple[str, Any]:
    """The architecture and the weights of a name."""
    if name in _list_all():
        architecture, weights = _list_all()[name]
        if not weights.meta["categories"]:
            msg = f"torchvision's {name} have no layer that tells classes apart; choose others of {architecture}."
            raise ClassifierError(msg)
        return architecture, weights
    if name in models.list_models(module=models):
        known = ", ".join(map(repr, models.get_model_weights(name)))
        msg = f"torchvision:{name} is an architecture without weights; name a set of its weights: {known}."
        raise ClassifierError(msg)
    try:
        models.get_weight(name)
    except (ValueError, KeyError, AttributeError) as error:
        kind = "weights of torchvision"
        raise UnknownNameError(kind, name, _list_all(), "`zooscope classifiers 'torchvision:*'` lists them.") from error
    reason = "are quantised: they have no gradient to attack along" if "Quantized" in name else "are not for classifying images"
    msg = f"torchvision's {name} {reason}; choose one of {', '.join(list_names()[:2])} and so on."
    raise ClassifierError(msg)


def _find_cached(chosen: Any) -> Path:  # noqa: ANN401  (torchvision's enums are untyped)
    """The file with the weights in torch.hub's cache; fetched if it isn't there."""
    folder = Path(hub.get_dir()) / "checkpoints"
    file = folder / Path(urlsplit(chosen.url).path).name
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        checksum = hub.HASH_REGEX.search(file.name)
        try:
            hub.download_url_to_file(chosen.url, str(file), checksum.group(1) if checksum else None, progress=False)
        except (URLError, OSError, RuntimeError) as error:
            msg = (
                f"the weights {chosen!r} are not in {file} and can't be fetched ({first_line(error)}); put them there, "
                "set TORCH_HOME to a cache that has them, or name a checkpoint with weights=FILE."
            )
            raise ClassifierError(msg) from error
    return file


def _leave_out_training(network: nn.Module) -> None:
    """Takes out what is for training alone, and so no part of what the classifier is."""
    for head in ("aux1", "aux2", "AuxLogits"):
        if hasattr(network, head):
            setattr(network, head, None)
    network.eval()


def build(architecture: str, chosen: Any, names: Collection[str], size: int | None = None) -> nn.Module:  # noqa: ANN401
    """A network without weights, made with the settings that torchvision's builders derive from the weights.

    Args:
        architecture: a name that torchvision's `list_models` has.
        chosen: the member of torchvision's enum of weights.
        names: of the weights to be filled in; they may come with or without auxiliary heads.
        size: of the images, where it is not that of the weights.
    """
    settings: dict[str, Any] = {"num_classes": len(chosen.meta["categories"])}
    side = size or chosen.meta["min_size"][0]
    if architecture.startswith("vit_"):
        settings["image_size"] = side
    elif architecture.startswith("maxvit"):
        settings["input_size"] = (side, side)
    elif architecture in {"googlenet", "inception_v3"}:
        auxiliary = any({"aux1", "AuxLogits"} & set(name.split(".")) for name in names)
        settings |= {"transform_input": True, "aux_logits": auxiliary, "init_weights": False}
    network: nn.Module = models.get_model_builder(architecture)(weights=None, **settings)
    return network
