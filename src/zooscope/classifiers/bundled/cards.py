"""What is known of the bundled classifiers; read without torch."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "weights"


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
def read_cards() -> dict[str, Card]:
    """The card of every bundled classifier by name."""
    return {file.stem: Card(**json.loads(file.read_text(encoding="utf-8"))) for file in sorted(FOLDER.glob("*.json"))}
