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
        epochs, batch_size, optimizer, learning_rate, weight_decay, warmup: its training, see recipes/bundled.toml.
        epsilon, attack_step_size, attack_steps: of the attack that it was trained against; 0 where there was none.
        robust_accuracy: share of the test images that it gets right after 20 steps of PGD within epsilon; None where it was trained
            against no attack.
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
    epsilon: float = 0.0
    attack_step_size: float = 0.0
    attack_steps: int = 0
    robust_accuracy: float | None = None

    @property
    def is_robust(self) -> bool:
        """Whether it was trained against an attack."""
        return self.attack_steps > 0


@cache
def read_cards() -> dict[str, Card]:
    """The card of every bundled classifier by name."""
    return {file.stem: Card(**json.loads(file.read_text(encoding="utf-8"))) for file in sorted(FOLDER.glob("*.json"))}
