"""What a training reports while it runs."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TrainingProgress:
    """How far a training is.

    Attributes:
        name: of the network.
        number: of the network among those that are trained, from 1.
        of: how many are trained.
        epoch: the one under way, from 1.
        epochs: how many there are.
        step: steps of this epoch that are done.
        steps: of an epoch.
        loss: mean over this epoch so far.
        training_accuracy: share, likewise.
        accuracy: on the held-out images after the last epoch; NaN before.
        num_images: images of this step, on this device; 0 after a test.
        is_tested: whether the epoch has just ended, with its test.
    """

    name: str
    number: int
    of: int
    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    training_accuracy: float
    accuracy: float
    num_images: int
    is_tested: bool = False


TrainingListener = Callable[[TrainingProgress], None]
