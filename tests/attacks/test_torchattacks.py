"""LinfPGD against torchattacks' PGD, MIFGSM and TIFGSM, which share no code with it.

In float64 both give the same pixels up to the rounding of the last bit, for any number of steps: the two round the projection
differently (torchattacks adds the clamped difference to the clean pixels, zooscope clamps between bounds rounded inwards), which
moves gradients by about 1e-16 of their size, too little to turn a sign. In float32 such an ulp can turn the sign of a gradient that
is nearly zero, so that only the first step, made from the same clean pixels, has to agree; there to one ulp, in a batch of a power
of two, where torchattacks' mean over the batch scales all gradients without rounding.
"""

import pytest
import torch
from torch import Tensor, nn

import zooscope
from zooscope.attacks import LinfPGD
from zooscope.classifiers.classifier import Classifier

torchattacks = pytest.importorskip(
    "torchattacks", reason="torchattacks is not installed; its pinned requests is too old: pip install --no-deps torchattacks"
)
COUNT = 16


class _FromPixels(nn.Module):
    """A classifier's logits as a module, the form that torchattacks takes."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.network, self.logits = classifier.network, classifier.logits

    def forward(self, pixels: Tensor) -> Tensor:
        return self.logits(pixels)


def _prepare(name: str, dtype: torch.dtype) -> tuple[Classifier, Tensor, Tensor]:
    classifier = zooscope.load_classifier(f"bundled:{name}")
    classifier.network.to(dtype)
    images = zooscope.load_images("bundled:cifar10").sample(COUNT, seed=2)
    return classifier, images.pixels(classifier).to(dtype), torch.from_numpy(images.labels)


def _both(name: str, iterations: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    classifier, pixels, labels = _prepare(name, dtype)
    theirs = torchattacks.PGD(_FromPixels(classifier).eval(), eps=8 / 255, alpha=0.1, steps=iterations, random_start=False)
    return LinfPGD(iterations=iterations).perturb(classifier, pixels, labels).pixels, theirs(pixels, labels)


@pytest.mark.parametrize("name", ["resnet", "vit"])
@pytest.mark.parametrize("iterations", [1, 10])
def test_in_float64_torchattacks_makes_the_same_attacked_images(name: str, iterations: int) -> None:
    ours, theirs = _both(name, iterations, torch.float64)
    assert (ours - theirs).abs().max() <= 1e-15


@pytest.mark.parametrize("name", ["resnet", "vit"])
def test_in_float32_torchattacks_makes_the_same_first_step_to_one_ulp(name: str) -> None:
    ours, theirs = _both(name, 1, torch.float32)
    assert (ours - theirs).abs().max() <= torch.finfo(torch.float32).eps / 2


@pytest.mark.parametrize("name", ["resnet", "vit"])
def test_with_momentum_torchattacks_makes_the_same_attacked_images(name: str) -> None:
    classifier, pixels, labels = _prepare(name, torch.float64)
    theirs = torchattacks.MIFGSM(_FromPixels(classifier).eval(), eps=8 / 255, alpha=2 / 255, steps=8, decay=0.9)
    ours = LinfPGD(step_size=2 / 255, iterations=8, momentum=0.9).perturb(classifier, pixels, labels).pixels
    assert (ours - theirs(pixels, labels)).abs().max() <= 1e-15


@pytest.mark.parametrize("kernel_size", [5, 15])
def test_with_smoothed_gradients_torchattacks_makes_the_same_attacked_images(kernel_size: int) -> None:
    classifier, pixels, labels = _prepare("resnet", torch.float64)
    theirs = torchattacks.TIFGSM(
        _FromPixels(classifier).eval(),
        eps=8 / 255,
        alpha=2 / 255,
        steps=4,
        decay=1.0,
        kernel_name="gaussian",
        len_kernel=kernel_size,
        nsig=3,
        resize_rate=0.9,
        diversity_prob=0.0,
        random_start=False,
    )
    theirs.stacked_kernel = theirs.stacked_kernel.double()  # it is made in float32
    ours = (
        LinfPGD(step_size=2 / 255, iterations=4, momentum=1.0, kernel_size=kernel_size).perturb(classifier, pixels, labels).pixels
    )
    differs = (ours - theirs(pixels, labels)).abs() > 1e-12
    assert differs.double().mean() < 1e-3  # the kernel's weights were rounded to float32
