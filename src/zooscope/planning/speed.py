"""How fast this machine runs a classifier: a short calibration with the engine's own passes."""

from collections.abc import Callable
from time import perf_counter
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from zooscope.attacks.linf_pgd import LinfPGD
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.prepared import PreparedClassifier
from zooscope.measurements.predict import predict
from zooscope.measurements.transfer import perturb

FEWEST: Final = 4
MOST: Final = 64
SECONDS: Final = 1.0  # of passes that a calibration aims at
FEWEST_STEPS: Final = 2
MOST_STEPS: Final = 10  # of an attack: its first step makes more ready than the others, which shows in small networks


class Speed(NamedTuple):
    """Of one classifier.

    Attributes:
        gradient: seconds of a step of an attack, per image; 0 of one that is not attacked.
        forward: seconds of a forward pass, per image.
        accuracy: share of the images that it gets right.
        warm_up: seconds of its first passes, in which torch compiles where it is asked to.
    """

    gradient: float
    forward: float
    accuracy: float
    warm_up: float = 0.0


def calibrate(
    classifier: Classifier,
    pixels: Float[Tensor, "image channel height width"],
    labels: Int[np.ndarray, " image"],
    *,
    batch_size: int,
    is_source: bool = True,
) -> Speed:
    """Runs some images through a classifier as the engine does, forward and in a short attack.

    Args:
        classifier: as the engine runs it, on its device.
        pixels: of the images; as many of them are taken as fit into about a second, at least four.
        labels: their classes.
        batch_size: images that go through the network at once.
        is_source: whether it is attacked.
    """
    warm_up = _time(classifier, lambda: predict(classifier, pixels[:FEWEST], batch_size=batch_size))
    first = _time(classifier, lambda: predict(classifier, pixels[:FEWEST], batch_size=batch_size)) / min(FEWEST, len(pixels))
    number = int(min(len(pixels), MOST, max(FEWEST, SECONDS / max(first, 1e-9))))
    half = max(FEWEST, number // 2)
    few, truth = pixels[:half], torch.from_numpy(labels[:half])
    steps = min(MOST_STEPS, max(FEWEST_STEPS, int(SECONDS / max(first * half, 1e-9))))
    ids, said = [str(place) for place in range(len(few))], list[np.ndarray]()

    def test() -> None:
        said.append(predict(classifier, pixels[:number], batch_size=batch_size))

    def attack() -> None:
        perturb(LinfPGD(iterations=steps), classifier, few, truth, ids, seed=0, batch_size=batch_size)

    works = (test, attack) if is_source else (test,)
    if isinstance(classifier, PreparedClassifier) and classifier.is_compiled:
        warm_up += sum(_time(classifier, work) for work in works)  # torch compiles now: four images may be too few for that
    forward, *gradient = (_time(classifier, work) for work in works)
    return Speed(
        gradient=gradient[0] / (len(few) * steps) if gradient else 0.0,
        forward=forward / number,
        accuracy=float((said[0] == labels[:number]).mean()),
        warm_up=warm_up,
    )


def _time(classifier: Classifier, work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    if classifier.device.type == "cuda":
        torch.cuda.synchronize()
    return perf_counter() - began
