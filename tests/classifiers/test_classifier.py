"""A named network from pixels to logits."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.specimens import as_is, conv_network
from zooscope import Classifier
from zooscope.errors import ClassifierError, InvalidValueError

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)


def made(network: nn.Module, **changes: object) -> Classifier:
    facts: dict[str, Any] = {"name": "any", "num_classes": 3, "transform": as_is(6, 5), "mean": MEAN, "std": STD} | changes
    return Classifier(network=network.eval(), **facts)


class Fixed(nn.Module):
    """Gives the same whatever it is shown."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, _: Tensor) -> object:
        return self.answer


# Logits


def test_logits_are_those_of_the_bare_network_on_normalised_pixels() -> None:
    network, pixels = conv_network(0), torch.rand(4, 3, 6, 5)
    normalised = torch.stack([(pixels[:, channel] - MEAN[channel]) / STD[channel] for channel in range(3)], dim=1)
    torch.testing.assert_close(made(network).logits(pixels), network(normalised))


def test_gradients_flow_to_the_pixels_and_not_to_the_weights() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(90, 3))
    pixels = torch.rand(2, 3, 6, 5, requires_grad=True)
    (gradient,) = torch.autograd.grad(made(network).logits(pixels)[:, 1].sum(), pixels)
    weight = network.get_parameter("1.weight")
    expected = weight[1].view(3, 6, 5) / torch.tensor(STD).view(3, 1, 1)
    torch.testing.assert_close(gradient, expected.expand(2, 3, 6, 5))
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_a_classifier_that_was_used_in_inference_mode_gives_gradients_later() -> None:
    classifier, pixels = made(conv_network(0)), torch.rand(1, 3, 6, 5)
    with torch.inference_mode():
        classifier.logits(pixels)
    pixels.requires_grad_()
    assert torch.autograd.grad(classifier.logits(pixels).sum(), pixels)[0].abs().sum() > 0


def test_pixels_in_double_precision_are_normalised_in_double_precision() -> None:
    pixels = torch.rand(2, 3, 6, 5, dtype=torch.float64)
    shown = made(nn.Flatten(), num_classes=90).logits(pixels)
    expected = (pixels.numpy() - np.array(MEAN).reshape(3, 1, 1)) / np.array(STD).reshape(3, 1, 1)
    np.testing.assert_allclose(shown.numpy(), expected.reshape(2, 90), rtol=1e-14)


@pytest.mark.parametrize(
    "pixels",
    [torch.rand(2, 3, 5, 6), torch.rand(2, 1, 6, 5), torch.rand(2, 3, 12, 10)],
    ids=["turned", "grey", "too large"],
)
def test_pixels_of_another_shape_are_refused(pixels: Tensor) -> None:
    with pytest.raises(InvalidValueError, match=r"any takes float pixels of shape \(batch, 3, 6, 5\): got torch\.float32 of shape"):
        made(conv_network(0)).logits(pixels)


@pytest.mark.parametrize(
    ("answer", "got"),
    [
        (torch.zeros(2, 4), r"float32 of shape \(2, 4\)"),
        (torch.zeros(2, 3, 2), r"float32 of shape \(2, 3, 2\)"),
        (torch.zeros(3), r"float32 of shape \(3,\)"),
        ((1, 2), "tuple of int, int"),
    ],
)
def test_a_network_that_gives_no_logits_is_refused(answer: object, got: str) -> None:
    with pytest.raises(ClassifierError, match=rf"logits as floating-point numbers of shape \(batch, 3\) = \(2, 3\): got {got}"):
        made(Fixed(answer)).logits(torch.rand(2, 3, 6, 5))


def test_a_network_in_training_mode_is_refused_even_if_only_a_part_is() -> None:
    network = nn.Sequential(conv_network(0), nn.Dropout()).eval()
    network.get_submodule("1").train()
    with pytest.raises(ClassifierError, match=r"any: the network is in training mode.*call network\.eval\(\) first"):
        Classifier(name="any", network=network, num_classes=3, transform=as_is(6, 5))


def test_a_network_that_goes_back_to_training_mode_is_refused() -> None:
    classifier = made(conv_network(0))
    classifier.network.train()
    with pytest.raises(ClassifierError, match="the network is in training mode"):
        classifier.logits(torch.rand(2, 3, 6, 5))


# What is no classifier


@pytest.mark.parametrize("name", ["", "two\nlines", "bell\a"])
def test_a_name_is_printable_text(name: str) -> None:
    with pytest.raises(InvalidValueError, match="a classifier's name must be printable text: got"):
        made(nn.Flatten(), name=name)


@pytest.mark.parametrize("std", [(0.2, 0.0, 0.2), (0.2, -1.0, 0.2), (0.2, math.nan, 0.2)])
def test_standard_deviations_are_positive(std: tuple[float, float, float]) -> None:
    with pytest.raises(InvalidValueError, match="any: std must be positive: got"):
        made(nn.Flatten(), std=std)


# Identity


def test_the_digest_changes_with_any_weight_and_any_buffer() -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(60, 3))
    digests = {made(network).digest}
    for values in network.state_dict().values():
        before = values.clone()
        values.view(-1)[-1].add_(1)
        digests.add(made(network).digest)
        values.copy_(before)
    assert len(digests) == 1 + len(network.state_dict())
    assert made(network).digest in digests


def test_the_digest_does_not_depend_on_the_name_or_the_preprocessing() -> None:
    classifier = made(conv_network(0))
    assert replace(classifier, name="other", mean=(0.0, 0.0, 0.0)).digest == classifier.digest


def test_the_digest_tells_layouts_and_types_apart() -> None:
    first, second = nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), nn.Sequential(nn.Flatten(), nn.Linear(2, 4))
    for network in (first, second):
        for parameter in network.parameters():
            nn.init.zeros_(parameter)
    assert made(first).digest != made(second).digest
    assert made(first).digest != made(first.double()).digest


def test_a_classifier_tells_what_it_is() -> None:
    assert repr(made(nn.Flatten())) == "Classifier('any', 3 classes, 6x5)"
    assert made(nn.Flatten()).device == torch.device("cpu")
    assert made(conv_network(0)).to("cpu").device == torch.device("cpu")
