from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import zooscope
from tests.specimens import classifier_of, conv_network
from zooscope.classifiers.prepared import Precision, PreparedClassifier, prepare, require_precision
from zooscope.errors import InvalidValueError

PIXELS = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


class Shortcut(nn.Module):
    """The output of the convolution goes to the normalisation, and past it: it can't be folded."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3)
        self.norm.running_mean = torch.full((3,), 2.0)

    def forward(self, pixels: Tensor) -> Tensor:
        values = self.convolution(pixels)
        logits: Tensor = (values + self.norm(values)).mean((2, 3))
        return logits


class Keeping(nn.Module):
    """Keeps what it was shown in itself, and reads it again: two threads in it would mix up their images."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.kept = torch.zeros(0)

    def forward(self, pixels: Tensor) -> Tensor:
        self.kept = pixels.mean((2, 3))
        logits: Tensor = self.layer(self.kept)
        return logits


class NotCopied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.layer(pixels.mean((2, 3)))
        return logits

    def __deepcopy__(self, _memo: dict[int, Any]) -> "NotCopied":
        raise TypeError


@pytest.mark.parametrize("name", ["resnet", "efficientnet", "vit", "convnext"])
def test_a_prepared_classifier_says_the_same(name: str) -> None:
    classifier = zooscope.load_classifier(f"bundled:{name}")
    before = classifier.digest
    torch.testing.assert_close(prepare(classifier).logits(PIXELS), classifier.logits(PIXELS), rtol=1e-4, atol=1e-4)
    assert replace(classifier).digest == before


def test_folding_that_changes_logits_is_left_out() -> None:
    torch.manual_seed(0)
    classifier = classifier_of("shortcut", Shortcut(), num_classes=3, size=(32, 32))
    ready = prepare(classifier)
    torch.testing.assert_close(ready.logits(PIXELS), classifier.logits(PIXELS))
    assert any(isinstance(module, nn.BatchNorm2d) for module in ready.network.modules())


def test_a_network_that_cannot_be_copied_runs_as_it_is() -> None:
    classifier = classifier_of("one", NotCopied(), num_classes=2, size=(32, 32))
    assert prepare(classifier) is classifier
    half = prepare(classifier, precision="bf16")
    assert isinstance(half, PreparedClassifier)
    assert half.replicate(3) == [half]
    torch.testing.assert_close(half.logits(PIXELS), classifier.logits(PIXELS), rtol=0.02, atol=0.02)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_is_near_and_its_gradient_points_the_same_way(precision: Precision) -> None:
    plain = classifier_of("plain", conv_network(1), num_classes=3, size=(32, 32))
    half = prepare(plain, precision=precision)
    gradients = []
    for classifier in (plain, half):
        pixels = PIXELS.clone().requires_grad_()
        logits = classifier.logits(pixels)
        assert logits.dtype == torch.float32
        gradients.append(torch.autograd.grad(nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2, 0])), pixels)[0])
    difference = (half.logits(PIXELS) - plain.logits(PIXELS)).abs().max()
    assert 0 < difference < 0.05
    torch.testing.assert_close(gradients[1], gradients[0], rtol=0.1, atol=0.02 * float(gradients[0].abs().max()))


def test_small_gradients_survive_fp16() -> None:
    layer = nn.Linear(3 * 32 * 32, 2)
    with torch.no_grad():
        layer.weight.fill_(1e-5)
        layer.weight[1] *= -1
    network = nn.Sequential(nn.Flatten(), layer)
    pixels = PIXELS.clone().requires_grad_()
    logits = prepare(classifier_of("flat", network, num_classes=2, size=(32, 32)), precision="fp16").logits(pixels)
    gradient = torch.autograd.grad(1e-4 * logits[:, 0].sum(), pixels)[0]  # 1e-9: below what fp16 holds
    torch.testing.assert_close(gradient, torch.full_like(gradient, 1e-9), rtol=0.05, atol=0)


def test_replicas_share_weights_and_nothing_else() -> None:
    network = Keeping()
    ready = prepare(classifier_of("keeping", network, num_classes=2, size=(32, 32)))
    assert isinstance(ready, PreparedClassifier)
    first, second = ready.replicate(2)
    assert first is ready
    assert second.network is not first.network
    for one, other in zip(first.network.parameters(), second.network.parameters(), strict=True):
        assert one is other
    second.logits(PIXELS)
    assert [len(one.network.state_dict()) for one in (first, second)] == [2, 2]
    assert getattr(first.network, "kept").numel() == 0  # noqa: B009  (an attribute of this network alone)
    assert len(getattr(second.network, "kept")) == len(PIXELS)  # noqa: B009


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_network_whose_logits_are_not_finite_runs_as_it_is(value: float) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2)).eval()
    nn.init.constant_(network[1].bias, value)  # type: ignore[arg-type]
    ready = prepare(classifier_of("not finite", network, num_classes=2, size=(32, 32)))
    assert type(ready.network.get_submodule("1")) is nn.Linear
    assert not ready.logits(PIXELS).isfinite().any()


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="precision must be one of float32, tf32, bf16, fp16: got 'int8'"):
        require_precision("int8")
