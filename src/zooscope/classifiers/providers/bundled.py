"""The bundled classifiers by name, each with its card."""

from collections.abc import Mapping
from typing import Final

from safetensors.torch import load_file

from zooscope.classifiers.addresses import COMMON_OPTIONS
from zooscope.classifiers.bundled.architectures import ARCHITECTURES, INPUT_SIZE
from zooscope.classifiers.bundled.cards import FOLDER, read_cards
from zooscope.classifiers.classifier import Classifier
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
    network = ARCHITECTURES[architecture](NUM_CLASSES)
    network.load_state_dict(
        {
            key: value.float() if value.is_floating_point() else value
            for key, value in load_file(FOLDER / f"{rest}.safetensors").items()
        }
    )
    return Classifier(
        name=name,
        network=network.eval(),
        num_classes=NUM_CLASSES,
        transform=PixelTransform(height=INPUT_SIZE, width=INPUT_SIZE, interpolation="bilinear"),
        mean=MEAN,
        std=STD,
        address=f"bundled:{rest}",
        architecture=architecture,
        class_names=CLASS_NAMES,
    )
