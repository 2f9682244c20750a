"""Networks with the habits of real ones: each is refused in one sentence before anything is measured, or measured rightly."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers.modeling_outputs import ImageClassifierOutput

from tests.specimens import as_is
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.outputs import Logarithm
from zooscope.classifiers.probe import probe
from zooscope.errors import ClassifierError, ProbabilitiesWarning

NUM_CLASSES, SIZE = 10, (8, 8)


class Around(nn.Module):
    """A small convolutional network, and what is done around it."""

    def __init__(
        self, after: Callable[[Tensor], Any] = lambda logits: logits, before: Callable[[Tensor], Tensor] = lambda x: x
    ) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, NUM_CLASSES))
        self.before, self.after = before, after

    def forward(self, pixels: Tensor) -> Any:  # noqa: ANN401  (whatever a network gives)
        return self.after(self.network(self.before(pixels)))


class TrainsItself(Around):
    def forward(self, pixels: Tensor) -> Any:  # noqa: ANN401  (as above)
        self.network.train()
        return super().forward(pixels)


def classifier_of(network: nn.Module, num_classes: int = NUM_CLASSES) -> Classifier:
    return Classifier(name="mine", network=network.eval(), num_classes=num_classes, transform=as_is(*SIZE))


def without_statistics() -> nn.Module:
    around = Around()
    around.network[1] = nn.BatchNorm2d(8, track_running_stats=False)
    return around


def of_one_channel() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.Flatten(), nn.Linear(288, NUM_CLASSES))


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        (Around(before=lambda x: x + 0.2 * torch.randn_like(x)), "mine answers differently when it is asked the same again: noise"),
        (Around(before=lambda x: x + 1e-3 * torch.randn_like(x)), "answers differently when it is asked the same again"),
        (Around(lambda y: nn.functional.dropout(y, 0.5, training=True)), "dropout that stays on in eval mode; switch it off"),
        (without_statistics(), "what it says of an image depends on the other images of the batch"),
        (Around(lambda y: y - y.mean(0)), "depends on the other images of the batch"),
        (TrainsItself(), "puts itself into training mode when it is called"),
        (
            Around(lambda y: y.softmax(1)),
            "gives probabilities, not logits.* leave its last softmax out, or say outputs=probabilities",
        ),
        (Around(lambda y: (50 * y).softmax(1)), "gives probabilities, not logits"),
        (Around(lambda y: y.softmax(1)[:, :, None, None]), "gives probabilities, not logits"),
        (Around(lambda y: y.exp() / y.exp().sum(1, keepdim=True)), "gives probabilities, not logits"),
        (Around(lambda y: y.sigmoid()), "gives probabilities, not logits.* leave its last sigmoid out"),
        (of_one_channel(), "mine takes images of one channel, and all images have three"),
        (Around().half(), r"mine has weights of float16 and doesn't take float32 pixels; make it float32 \(network\.float\(\)\)"),
        (Around().bfloat16(), "mine has weights of bfloat16 and doesn't take float32 pixels"),
        (
            nn.Sequential(nn.Flatten(), nn.Linear(7, 10)),
            r"mine can't take images of 8x8 pixels \(mat1 and mat2 .*give another size=",
        ),
        (
            Around(lambda y: y.argmax(1)),
            r"logits as floating-point numbers of shape \(batch, 10\) = \(4, 10\): got int64 of shape \(4,\)",
        ),
        (Around(lambda y: (y * 100).round().long()), r"got int64 of shape \(4, 10\)"),
        (Around(lambda y: y[:, :, None, None].expand(-1, -1, 2, 2)), r"got float32 of shape \(4, 10, 2, 2\)"),
        (Around(lambda y: y.view(1, -1)), r"got float32 of shape \(1, 40\)"),
        (Around(lambda y: (y, y)), r"got tuple of float32 of shape \(4, 10\), float32 of shape \(4, 10\)"),
        (Around(lambda y: {"scores": y}), "got dict with scores"),
        (Around(lambda _: None), "got NoneType"),
        (Around(lambda _: "cat"), "got str"),
        (
            Logarithm(Around(), name="mine"),
            "mine gives values from -.* which are no probabilities; leave outputs=probabilities out",
        ),
    ],
)
def test_what_can_not_be_measured_rightly_is_refused_in_one_sentence(network: nn.Module, sentence: str) -> None:
    with pytest.raises(ClassifierError, match=sentence) as caught:
        probe(classifier_of(network))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("after", "look"),
    [
        (lambda y: 1 / (1 + torch.exp(-20 * y)), r"all lie in \[0, 1\]"),
        (lambda y: nn.functional.hardsigmoid(20 * y), r"all lie in \[0, 1\]"),
        (lambda y: 0.5 * (20 * y).tanh() + 0.5, r"all lie in \[0, 1\]"),
        (lambda y: 100 * y.softmax(1), "sum to 100 on every image"),
    ],
    ids=["sigmoid by hand", "hard sigmoid", "scaled tanh", "percent"],
)
def test_what_looks_like_probabilities_is_pointed_out(after: Callable[[Tensor], Tensor], look: str) -> None:
    with pytest.warns(ProbabilitiesWarning, match=f"mine's outputs {look}, as probabilities would: SAT needs logits"):
        probe(classifier_of(Around(after)))


@pytest.mark.parametrize(
    "after",
    [
        lambda y: y,
        lambda y: (y, None),
        lambda y: [y, y.mean(1)],
        lambda y: {"logits": y, "features": y},
        lambda y: ImageClassifierOutput(logits=y),
        lambda y: y[:, :, None, None],
        lambda y: y.log_softmax(1),
        lambda y: y.double(),
    ],
    ids=["tensor", "tuple", "list", "mapping", "output of transformers", "trailing axes", "log softmax", "float64"],
)
def test_logits_are_taken_from_what_holds_them(after: Callable[[Tensor], Any]) -> None:
    plain, wrapped = classifier_of(Around()), classifier_of(Around(after))
    probe(wrapped)
    pixels = torch.rand(5, 3, *SIZE)
    difference = wrapped.logits(pixels) - plain.logits(pixels)
    torch.testing.assert_close(difference, difference[:, :1].expand_as(difference), rtol=0, atol=1e-5)  # log softmax shifts them


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_logits_of_half_precision_are_made_float32(kind: torch.dtype) -> None:
    around = classifier_of(Around(lambda y: y.to(kind)))
    probe(around)
    assert around.logits(torch.rand(2, 3, *SIZE)).dtype == torch.float32
    inside = Around(before=lambda x: x.to(kind)).to(kind)
    probe(classifier_of(inside))
    assert classifier_of(inside).logits(torch.rand(2, 3, *SIZE)).dtype == torch.float32


@pytest.mark.parametrize("after", [lambda y: y[:, 1:2] - y[:, :1], lambda y: y[:, 1] - y[:, 0]], ids=["column", "flat"])
def test_one_logit_stands_for_two_classes_where_that_is_said(after: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(ClassifierError, match=re.escape("mine gives one logit: say num_classes=2")):
        classifier_of(Around(after), num_classes=1)
    one, two = classifier_of(Around(after), num_classes=2), classifier_of(Around(lambda y: y[:, :2]), num_classes=2)
    probe(one)
    pixels = torch.rand(6, 3, *SIZE)
    torch.testing.assert_close(one.logits(pixels).softmax(1), two.logits(pixels).softmax(1))


@pytest.mark.parametrize(
    "after",
    [
        lambda y: y.detach(),
        lambda y: nn.functional.one_hot(y.argmax(1), NUM_CLASSES).float(),
        lambda y: torch.from_numpy(y.numpy()),
    ],
    ids=["detached", "argmax", "leaves torch"],
)
def test_a_network_without_gradients_may_be_a_target(after: Callable[[Tensor], Tensor]) -> None:
    probe(classifier_of(Around(after)))


@pytest.mark.parametrize("num_classes", [2, 3, 10, 1000])
def test_logits_that_cancel_out_on_grey_differ_by_rounding_alone(num_classes: int) -> None:
    weights = torch.randn((num_classes, 192), generator=torch.Generator().manual_seed(num_classes))
    linear = nn.Linear(192, num_classes)
    with torch.no_grad():
        linear.weight.copy_(4 * weights)
        linear.bias.copy_(-linear.weight.sum(1) / 2)  # nothing is left of a grey image
    network = nn.Sequential(nn.AvgPool2d(1), nn.Flatten(), linear)
    probe(classifier_of(network, num_classes))


def test_small_logits_that_happen_to_be_positive_are_nothing_odd() -> None:
    probe(classifier_of(Around(lambda y: 0.01 * y + 0.3)))  # a warning would be an error


def test_nan_is_left_to_what_names_the_image() -> None:
    probe(classifier_of(Around(lambda y: y * float("nan"))))
