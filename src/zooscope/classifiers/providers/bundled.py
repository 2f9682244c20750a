"""The bundled classifiers by name, each with its card."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from safetensors.torch import load_file

from zooscope.classifiers.addresses import COMMON_OPTIONS
from zooscope.classifiers.bundled.architectures import ARCHITECTURES, INPUT_SIZE
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.images.pixel_transform import PixelTransform

FOLDER: Final = Path(__file__).parents[1] / "bundled" / "weights"
OPTIONS: Final = ()
NUM_CLASSES: Final = 10
MEAN: Final = (0.4914, 0.4822, 0.4465)
STD: Final = (0.2470, 0.2435, 0.2616)


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is known of a bundled classifier.

    Attributes:
        architecture: a function of `architectures`.
        seed: of its training.
        test_accuracy: share of CIFAR-10's 10,000 test images that it gets right.
        epochs, batch_size, optimizer, learning_rate, weight_decay, warmup: its training, see recipes/bundled_zoo.py.
    """

    architecture: str
    seed: int
    test_accuracy: float
    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    weight_decay: float
    warmup: float


@cache
def cards() -> dict[str, Card]:
    """The card of every bundled classifier by name."""
    return {file.stem: Card(**json.loads(file.read_text(encoding="utf-8"))) for file in sorted(FOLDER.glob("*.json"))}


def names() -> tuple[str, ...]:
    """The bundled classifiers."""
    return tuple(cards())


def load(rest: str, options: Mapping[str, str], *, name: str) -> Classifier:
    """A bundled classifier, in float32.

    Args:
        rest: one of `names()`.
        options: none.
        name: what to call the classifier.

    Raises:
        UnknownNameError: there is none of that name.
        InvalidValueError: there are options.
    """
    if rest not in cards():
        kind = "bundled classifier"
        raise UnknownNameError(kind, rest, cards(), "`zooscope classifiers` lists them.")
    if options:
        msg = f"bundled:{rest}: bundled classifiers take no option but {', '.join(COMMON_OPTIONS)}: got {', '.join(options)}."
        raise InvalidValueError(msg)
    architecture = cards()[rest].architecture
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
    )
