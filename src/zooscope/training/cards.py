"""What is known of a trained network; read without torch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from zooscope.errors import StudyError

CARD: Final = "card.json"
WEIGHTS: Final = "weights.safetensors"
HELD_OUT: Final = "held_out.csv"


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is known of a trained network.

    Attributes:
        name: of the network.
        folder: the name of its folder.
        architecture: what was trained: an architecture, or the address that it started from.
        group: the group of settings that it belongs to.
        seed: of its training.
        accuracy: share of the held-out images that these weights get right.
        epochs: passes over the images.
        seconds: how long the training took.
        num_images: trained on.
        num_held_out: tested on.
        images: the address of the images trained on.
        held_out: of those tested on.
        teacher_address: of the teacher; None where there was none.
        teacher: what the teacher is called; None where there was none.
        checkpoint: the keys by which a zoo file loads the weights.
        settings: the recipe, by dotted name.
    """

    name: str
    folder: str
    architecture: str
    group: str
    seed: int
    accuracy: float
    epochs: int
    seconds: float
    num_images: int
    num_held_out: int
    images: str
    held_out: str
    checkpoint: Mapping[str, Any]
    settings: Mapping[str, Any]
    teacher_address: str | None = None
    teacher: str | None = None


def read_card(folder: Path) -> Card | None:
    """The card of a trained network; None where the folder has none.

    Raises:
        StudyError: it can't be read.
    """
    file = folder / CARD
    if not file.is_file():
        return None
    try:
        return Card(**json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        msg = f"{file} is no card of a trained network; remove its folder to train it anew."
        raise StudyError(msg) from error
