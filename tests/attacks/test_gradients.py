import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.specimens import as_is, two_class
from zooscope.attacks import LinfPGD
from zooscope.attacks.gradients import find_undefined
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import ClassifierError

SIZE = (4, 4)


class _Said(nn.Module):
    """Two logits from the mean brightness, sent through something."""

    def __init__(self, *, detach: bool = False, steps: int = 0, factor: float = 1.0) -> None:
        super().__init__()
        self.detach, self.steps, self.factor = detach, steps, factor

    def forward(self, pixels: Tensor) -> Tensor:
        level = pixels.flatten(1).mean(1, keepdim=True) - 0.5
        logits = torch.cat([-level, level], 1) * self.factor
        if self.steps:
            logits = (logits * self.steps).round() / self.steps
        return logits.detach() if self.detach else logits


class _LeavesTorch(nn.Module):
    """A function of NumPy's that calls itself a network: it works wherever no gradient is recorded."""

    def forward(self, pixels: Tensor) -> Tensor:
        level = pixels.numpy().mean((1, 2, 3)) - 0.5
        return torch.from_numpy(np.stack([-level, level], 1))


def classifier(network: nn.Module) -> Classifier:
    return Classifier(name="odd", network=network.eval(), num_classes=2, transform=as_is(*SIZE))


def test_a_classifier_with_gradients_is_not_refused() -> None:
    LinfPGD().require(classifier(_Said()))
    LinfPGD().require(classifier(_Said(factor=50)))
    LinfPGD().require(two_class("linear", np.ones(48)))


def test_logits_that_never_change_are_left_to_those_who_refuse_guessers() -> None:
    LinfPGD().require(classifier(_Said(factor=0)))


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (_Said(detach=True), r"odd: its logits have no gradient \(the network detaches or quantises them\), .* a target only"),
        (_LeavesTorch(), r"odd fails when gradients are recorded \(.*numpy.*\), so LinfPGD can't attack it; .* a target only"),
        (_Said(steps=1000), r"odd: the gradient of its logits is zero .* so LinfPGD can't attack it; .* a target only"),
        (
            _Said(factor=1e6),
            r"odd: its logits are so large \(up to .*e\+0\d\) that the cross-entropy has no gradient .*; divide them",
        ),
    ],
    ids=["detached", "leaves torch", "rounded", "large"],
)
def test_logits_that_give_no_direction_are_refused_with_what_to_do(network: nn.Module, message: str) -> None:
    with pytest.raises(ClassifierError, match=message):
        LinfPGD().require(classifier(network))


def test_an_attack_on_logits_without_gradient_is_refused_in_the_same_words() -> None:
    with pytest.raises(ClassifierError, match="odd: its logits have no gradient"):
        LinfPGD().perturb(classifier(_Said(detach=True)), torch.rand(2, 3, *SIZE), torch.tensor([0, 1]))


def test_a_gradient_is_undefined_where_a_value_is_nan_and_not_where_one_is_infinite() -> None:
    gradient = torch.zeros(4, 3, 2, 2)
    gradient[1, 2, 1, 0], gradient[2, 0, 0, 0], gradient[2, 0, 0, 1] = float("nan"), float("inf"), -float("inf")
    gradient[3, 0, 0, 0], gradient[3, 0, 0, 1] = float("inf"), float("nan")
    assert find_undefined(gradient).tolist() == [False, True, False, True]
