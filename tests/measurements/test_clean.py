import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.specimens import as_is, classifier_of, family
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import ClassifierError
from zooscope.measurements.clean import classify
from zooscope.measurements.predict import predict

SIZE = (2, 2)


class _FirstPixels(nn.Module):
    """The first pixels, times a factor, as logits."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.flatten(1)[:, :3] * self.factor


def reader(factor: float = 1.0) -> Classifier:
    return classifier_of("reader", _FirstPixels(factor), num_classes=3, size=SIZE)


def pixels_with(*firsts: tuple[float, float, float]) -> Tensor:
    pixels = torch.zeros(len(firsts), 12, dtype=torch.float64)
    pixels[:, :3] = torch.tensor(firsts, dtype=torch.float64)
    return pixels.view(-1, 3, *SIZE)


def test_predictions_are_the_largest_logits_and_logits_are_rounded_to_float16() -> None:
    clean = classify(reader(), pixels_with((0.1, 0.7, 0.2), (0.9, 0.5, 0.3)), batch_size=100)
    np.testing.assert_array_equal(clean.predictions, [1, 0])
    np.testing.assert_array_equal(clean.logits, np.array([[0.1, 0.7, 0.2], [0.9, 0.5, 0.3]], dtype=np.float16))


def test_predictions_are_made_before_the_rounding() -> None:
    clean = classify(reader(), pixels_with((0.7, 0.7 + 1e-9, 0.0)), batch_size=100)
    assert clean.logits[0, 0] == clean.logits[0, 1]
    np.testing.assert_array_equal(clean.predictions, [1])


def test_logits_too_large_for_float16_are_kept_finite() -> None:
    clean = classify(reader(1e9), pixels_with((0.0, 1.0, 0.5)), batch_size=100)
    np.testing.assert_array_equal(clean.logits, [[0, 65504, 65504]])
    np.testing.assert_array_equal(clean.predictions, [1])


@pytest.mark.parametrize("batch_size", [1, 7, 30])
def test_the_batch_size_changes_nothing(batch_size: int) -> None:
    (classifier,), images = family(1)
    pixels = images.pixels(classifier)
    whole = classify(classifier, pixels, batch_size=100)
    split = classify(classifier, pixels, batch_size=batch_size)
    np.testing.assert_array_equal(split.predictions, whole.predictions)
    np.testing.assert_array_equal(split.logits, whole.logits)
    np.testing.assert_array_equal(predict(classifier, pixels, batch_size=batch_size), whole.predictions)


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_logits_that_are_not_finite_are_an_error_that_names_the_classifier(factor: float) -> None:
    with pytest.raises(ClassifierError, match="reader gives NaN or infinite logits on clean image 0; check its weights"):
        classify(reader(factor), pixels_with((0.1, 0.2, 0.3)), batch_size=100)


def test_a_network_put_back_into_training_mode_is_refused() -> None:
    classifier = Classifier(name="awake", network=_FirstPixels(1.0).eval(), num_classes=3, transform=as_is(*SIZE))
    classifier.network.train()
    with pytest.raises(ClassifierError, match=r"awake: the network is in training mode.*call network\.eval\(\) first"):
        predict(classifier, pixels_with((0.1, 0.2, 0.3)), batch_size=1)
