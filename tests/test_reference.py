"""The whole job once more in a straight line, with nothing of zooscope but the bundled networks and images."""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

import zooscope
from tests.specimens import Array
from zooscope.attacks import LinfPGD
from zooscope.classifiers.classifier import Classifier
from zooscope.images.image_set import ImageSet

# The classifiers and images compared; float32, as users run it.
NAMES = ("resnet", "vit", "mixer")
NUM_IMAGES = 30
EPSILON = 8 / 255
STEP_SIZE = 0.1


class Zoo(NamedTuple):
    classifiers: list[Classifier]
    images: ImageSet


@pytest.fixture(scope="module")
def zoo() -> Zoo:
    classifiers = [zooscope.load_classifier(f"bundled:{name}") for name in NAMES]
    return Zoo(classifiers, zooscope.load_images("bundled:cifar10").sample(NUM_IMAGES, seed=1))


def logits_of(classifier: Classifier, pixels: Tensor) -> Tensor:
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (classifier.mean, classifier.std))
    logits: Tensor = classifier.network((pixels - mean) / std)
    return logits


def ends(clean: Tensor) -> tuple[Tensor, Tensor]:
    """The ends of the epsilon ball in [0, 1], as the last float32 inside."""
    exact = clean.double().numpy()
    low, high = (exact - EPSILON).astype(np.float32), (exact + EPSILON).astype(np.float32)
    low = np.where(low < exact - EPSILON, np.nextafter(low, np.float32(2)), low)
    high = np.where(high > exact + EPSILON, np.nextafter(high, np.float32(-1)), high)
    return torch.from_numpy(low.clip(0, 1)), torch.from_numpy(high.clip(0, 1))


def projected_gradient_ascent(classifier: Classifier, clean: Tensor, labels: Tensor, iterations: int) -> Tensor:
    low, high = ends(clean)
    moved = clean.clone()
    for _ in range(iterations):
        moved = moved.detach().requires_grad_()
        log_shares = logits_of(classifier, moved).log_softmax(1)
        loss = -log_shares[torch.arange(len(labels)), labels].sum()
        loss.backward()
        assert moved.grad is not None
        with torch.no_grad():
            moved = torch.minimum(torch.maximum(moved + STEP_SIZE * torch.sign(moved.grad), low), high)
    return moved.detach()


def straight_line(zoo: Zoo, iterations: int) -> tuple[dict[tuple[str, str], Array], dict[tuple[str, str], float]]:
    """Predictions on attacked images by (source, target), -1 where an image doesn't count; and Equation 1 by pair."""
    labels = torch.from_numpy(zoo.images.labels)
    pixels = {one.name: zoo.images.pixels(one) for one in zoo.classifiers}
    with torch.no_grad():
        right = {one.name: logits_of(one, pixels[one.name]).argmax(1) == labels for one in zoo.classifiers}
    predictions = {}
    for source in zoo.classifiers:
        mine = right[source.name]
        attacked = pixels[source.name].clone()
        attacked[mine] = projected_gradient_ascent(source, pixels[source.name][mine], labels[mine], iterations)
        for target in zoo.classifiers:
            both = mine & right[target.name]
            said = torch.full((NUM_IMAGES,), -1)
            with torch.no_grad():
                said[both] = logits_of(target, attacked[both]).argmax(1)
            predictions[source.name, target.name] = said.numpy()
    scores = {}
    for a, b in predictions:
        shared = (right[a] & right[b]).numpy()
        wrong = 0
        for image in np.flatnonzero(shared):
            wrong += int(predictions[a, b][image] != labels[image])
            wrong += int(predictions[b, a][image] != labels[image])
        scores[a, b] = float(np.log(max(0.01, 100 * wrong / (2 * shared.sum()))))
    return predictions, scores


@pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")
@pytest.mark.parametrize("iterations", [1, 5])
def test_the_engine_equals_a_straight_line_in_every_prediction_and_score(zoo: Zoo, iterations: int) -> None:
    predictions, scores = straight_line(zoo, iterations)
    attack = LinfPGD(epsilon=EPSILON, step_size=STEP_SIZE, iterations=iterations)
    with zooscope.Study.in_memory(classifiers=zoo.classifiers, images=zoo.images, attack=attack) as study:
        study.run(device="cpu")
        measured, matrix = study.predictions.transfer, study.sat()
    for row, source in enumerate(matrix["a"].values):
        for column, target in enumerate(matrix["b"].values):
            np.testing.assert_array_equal(measured[row, column], predictions[source, target])
            assert matrix.sel(a=source, b=target).item() == scores[source, target]


@pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")
def test_zooscope_sat_of_two_classifiers_equals_the_straight_line(zoo: Zoo) -> None:
    _, scores = straight_line(zoo, 5)
    a, b = zoo.classifiers[:2]
    assert zooscope.sat(a, b, zoo.images, attack=LinfPGD(iterations=5), device="cpu") == scores[a.name, b.name]
