"""The bundled classifiers by name, each with its card."""

from collections.abc import Mapping
from typing import Final

from safetensors.torch import load_file
from torch import nn

from zooscope.classifiers.addresses import COMMON_OPTIONS
from zooscope.classifiers.bundled.architectures import ARCHITECTURES, INPUT_SIZE
from zooscope.classifiers.bundled.cards import FOLDER, read_cards
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.options import adjust, read_per_channel
from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.images.pixel_transform import PixelTransform

OPTIONS: Final = ()
NUM_CLASSES: Final = 10
MEAN: Final = (0.4914, 0.4822, 0.4465)
CLASS_NAMES: Final = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
STD: Final = (0.2470, 0.2435, 0.2616)


def list_names() -> tuple[str, ...]:
    """The bundled classifiers."""
    return tuple(read_cards())


def load(rest: str, options: Mapping[str, str], *, name: str) -> Classifier:
    """A bundled classifier, in float32.

    Args:
        rest: one of `list_names()`.
        options: none.
        name: what to call the classifier.

    Raises:
        UnknownNameError: there is none of that name.
        InvalidValueError: there are options.
    """
    if rest not in read_cards():
        kind = "bundled classifier"
        raise UnknownNameError(kind, rest, read_cards(), "`zooscope classifiers` lists them.")
    if options:
        msg = f"bundled:{rest}: bundled classifiers take no option but {', '.join(COMMON_OPTIONS)}: got {', '.join(options)}."
        raise InvalidValueError(msg)
    architecture = read_cards()[rest].architecture
    network = build(architecture, NUM_CLASSES)
    network.load_state_dict(
        {
            key: value.float() if value.is_floating_point() else value
            for key, value in load_file(FOLDER / f"{rest}.safetensors").items()
        }
    )
    return make_classifier(
        network,
        {},
        name=name,
        num_classes=NUM_CLASSES,
        address=f"bundled:{rest}",
        architecture=architecture,
        class_names=CLASS_NAMES,
    )


def build(architecture: str, num_classes: int) -> nn.Module:
    """A bundled architecture with random weights.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if architecture not in ARCHITECTURES:
        kind, known = "bundled architecture", ", ".join(ARCHITECTURES)
        raise UnknownNameError(kind, architecture, ARCHITECTURES, f"There are {known}.")
    return ARCHITECTURES[architecture](num_classes)


def make_classifier(
    network: nn.Module,
    options: Mapping[str, str],
    *,
    name: str,
    num_classes: int,
    address: str | None,
    architecture: str,
    class_names: tuple[str, ...] | None,
) -> Classifier:
    """A network of a bundled architecture, with CIFAR-10's size, mean and std where no option says otherwise.

    Raises:
        InvalidValueError: an option's value can't be used, or the size is another than the network's.
    """
    transform = adjust(PixelTransform(height=INPUT_SIZE, width=INPUT_SIZE, interpolation="bilinear"), options)
    if transform.size != (INPUT_SIZE, INPUT_SIZE):
        msg = f"{name}: bundled architectures take images of {INPUT_SIZE} x {INPUT_SIZE} pixels: got size={transform.height}."
        raise InvalidValueError(msg)
    return Classifier(
        name=name,
        network=network.eval(),
        num_classes=num_classes,
        transform=transform,
        mean=read_per_channel("mean", options, MEAN),
        std=read_per_channel("std", options, STD),
        address=address,
        architecture=architecture,
        class_names=class_names,
    )
