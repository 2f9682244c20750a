from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest
from torch import Tensor, nn

from tests.specimens import Linear, as_is, classifier_of, conv_network, two_class
from zooscope.attacks import LinfPGD
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import InvalidValueError, NotFiniteError

SIZE = (4, 4)
WEIGHTS = np.where(np.arange(48) % 7 == 0, 0.0, np.random.default_rng(0).normal(size=48) / 10)


def some_pixels(count: int = 6, dtype: torch.dtype = torch.float64) -> Tensor:
    """Pixels that touch both ends of [0, 1]."""
    levels = np.random.default_rng(1).uniform(-0.2, 1.2, (count, 3, *SIZE)).clip(0, 1)
    return torch.from_numpy(levels).to(dtype)


def blind() -> Classifier:
    """A classifier whose gradient is zero everywhere: an attack rests where it starts."""
    return two_class("blind", np.zeros(48))


# On a linear classifier of two classes the gradient's sign never changes: away from the label, along the weights.


@pytest.mark.parametrize(
    ("epsilon", "step_size", "iterations", "distance"),
    [
        pytest.param(8 / 255, 2 / 255, 1, 2 / 255, id="one small step"),
        pytest.param(8 / 255, 2 / 255, 3, 6 / 255, id="three small steps add up"),
        pytest.param(8 / 255, 3 / 255, 40, 8 / 255, id="many small steps end at epsilon"),
        pytest.param(8 / 255, 0.1, 1, 8 / 255, id="one step beyond epsilon lands on the corner"),
        pytest.param(8 / 255, 0.1, 50, 8 / 255, id="the defaults stay on the corner"),
        pytest.param(1.0, 1.0, 2, 1.0, id="the whole range"),
    ],
)
def test_the_attack_on_a_linear_classifier_is_known_in_closed_form(
    epsilon: float, step_size: float, iterations: int, distance: float
) -> None:
    pixels, labels = some_pixels(), torch.tensor([0, 1, 0, 1, 0, 1])
    attacked = (
        LinfPGD(epsilon=epsilon, step_size=step_size, iterations=iterations)
        .perturb(two_class("linear", WEIGHTS), pixels, labels)
        .pixels
    )
    away = np.where(labels == 1, -1, 1)[:, None] * np.sign(WEIGHTS)
    expected = (pixels.flatten(1).numpy() + distance * away).clip(0, 1)
    np.testing.assert_allclose(attacked.flatten(1), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("num_classes", [3, 10])
def test_one_step_follows_the_gradient_of_the_cross_entropy_with_many_classes(num_classes: int) -> None:
    generator, pixels = np.random.default_rng(num_classes), some_pixels()
    weights, bias, labels = generator.normal(size=(num_classes, 48)) / 10, generator.normal(size=num_classes), np.arange(6) % 3
    logits = pixels.flatten(1).numpy() @ weights.T + bias
    softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    gradient = (softmax - np.eye(num_classes)[labels]) @ weights
    classifier = classifier_of("linear", Linear(weights, bias), num_classes=num_classes, size=SIZE)
    attacked = LinfPGD(step_size=0.01, iterations=1).perturb(classifier, pixels, torch.from_numpy(labels)).pixels
    expected = (pixels.flatten(1).numpy() + 0.01 * np.sign(gradient)).clip(0, 1)
    np.testing.assert_allclose(attacked.flatten(1), expected, rtol=0, atol=1e-14)


def test_pixels_without_gradient_stay_as_they_are() -> None:
    pixels, labels = some_pixels(), torch.zeros(6, dtype=torch.int64)
    attacked = LinfPGD().perturb(two_class("linear", WEIGHTS), pixels, labels).pixels
    assert torch.equal(attacked.flatten(1)[:, ::7], pixels.flatten(1)[:, ::7])


def test_mean_and_std_belong_to_the_classifier_and_leave_epsilon_in_pixel_units() -> None:
    pixels, labels = some_pixels().clamp(0.2, 0.8), torch.zeros(6, dtype=torch.int64)
    bare = two_class("bare", WEIGHTS)
    normalised = Classifier(
        name="normalised", network=bare.network, num_classes=2, transform=bare.transform, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.1)
    )
    attacked = LinfPGD().perturb(normalised, pixels, labels).pixels
    assert torch.equal(attacked, LinfPGD().perturb(bare, pixels, labels).pixels)


def test_the_attack_leaves_its_inputs_and_the_classifier_untouched() -> None:
    classifier, pixels = two_class("linear", WEIGHTS), some_pixels()
    before, weights = pixels.clone(), {name: value.clone() for name, value in classifier.network.state_dict().items()}
    attacked = LinfPGD(iterations=3).perturb(classifier, pixels, torch.zeros(6, dtype=torch.int64)).pixels
    assert torch.equal(pixels, before)
    assert not pixels.requires_grad
    assert not attacked.requires_grad
    assert all(torch.equal(value, weights[name]) for name, value in classifier.network.state_dict().items())
    assert all(parameter.grad is None for parameter in classifier.network.parameters())


def test_an_image_is_attacked_the_same_alone_and_in_company() -> None:
    pixels, labels = some_pixels(), torch.arange(6) % 3
    classifier = classifier_of("convolutional", conv_network(0).double(), num_classes=3, size=SIZE)
    attack = LinfPGD(epsilon=0.1, step_size=0.03, iterations=8)
    together = attack.perturb(classifier, pixels, labels).pixels
    alone = [attack.perturb(classifier, pixels[place : place + 1], labels[place : place + 1]).pixels for place in range(6)]
    assert torch.equal(together, torch.cat(alone))


# Within epsilon and [0, 1], whatever the floats do


@st.composite
def _batches(draw: st.DrawFn) -> tuple[Tensor, dict[str, Any]]:
    dtype = draw(st.sampled_from([torch.float64, torch.float32, torch.float16, torch.bfloat16]))
    width = {torch.float64: 64, torch.float32: 32, torch.float16: 16, torch.bfloat16: 16}[dtype]
    values = draw(st.lists(st.floats(0, 1, width=width), min_size=6, max_size=6))  # type: ignore[arg-type]
    settings = {
        "epsilon": draw(st.floats(0, 1, exclude_min=True) | st.integers(1, 255).map(lambda level: level / 255)),
        "step_size": draw(st.floats(0, 1, exclude_min=True)),
        "iterations": draw(st.integers(1, 3)),
        "random_start": draw(st.booleans()),
    }
    return torch.tensor(values, dtype=torch.float64).to(dtype).view(1, 3, 1, 2), settings


@settings(max_examples=400)
@given(_batches())
def test_attacked_pixels_lie_exactly_within_epsilon_of_the_clean_ones_and_in_the_unit_interval(
    batch: tuple[Tensor, dict[str, Any]],
) -> None:
    pixels, attack = batch[0], LinfPGD(**batch[1])
    classifier = two_class("linear", np.array([1, -1, 1, -1, 1, -1]) / 10, size=(1, 2))
    attacked = attack.perturb(classifier, pixels, torch.tensor([1]), [3]).pixels
    assert attacked.dtype == pixels.dtype
    for clean, moved in zip(pixels.flatten().tolist(), attacked.flatten().tolist(), strict=True):
        assert 0 <= moved <= 1
        assert abs(Fraction(moved) - Fraction(clean)) <= Fraction(attack.epsilon)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_the_corners_are_the_outermost_floats_within_epsilon(dtype: torch.dtype) -> None:
    pixels, epsilon = torch.linspace(0, 1, 48, dtype=torch.float64).to(dtype).view(1, 3, 4, 4), 8 / 255
    attacked = (
        LinfPGD(epsilon=epsilon, iterations=1).perturb(two_class("linear", np.ones(48) / 48), pixels, torch.tensor([0])).pixels
    )
    beyond = attacked.nextafter(torch.full_like(attacked, 2))
    for clean, corner, next_one in zip(*(values.flatten().tolist() for values in (pixels, attacked, beyond)), strict=True):
        assert corner == 1 or Fraction(next_one) - Fraction(clean) > Fraction(epsilon)


# Random start


def test_a_random_start_is_uniform_in_the_ball_cut_to_the_unit_interval() -> None:
    pixels, labels = some_pixels(50), torch.zeros(50, dtype=torch.int64)
    started = LinfPGD(epsilon=0.3, iterations=1, random_start=True).perturb(blind(), pixels, labels, range(50)).pixels
    lower, upper = (pixels - 0.3).clamp(min=0), (pixels + 0.3).clamp(max=1)
    assert kstest(((started - lower) / (upper - lower)).flatten().numpy(), "uniform").pvalue > 0.001


def test_a_random_start_depends_on_the_images_own_seed_only() -> None:
    pixels, labels = some_pixels(), torch.zeros(6, dtype=torch.int64)
    attack = LinfPGD(epsilon=0.1, step_size=0.01, iterations=2, random_start=True)
    classifier = two_class("linear", WEIGHTS)
    straight = attack.perturb(classifier, pixels, labels, [5, 6, 7, 8, 9, 10]).pixels
    turned = attack.perturb(classifier, pixels.flip(0), labels, [10, 9, 8, 7, 6, 5]).pixels
    assert torch.equal(straight, turned.flip(0))
    same = attack.perturb(blind(), pixels[:1].expand(3, -1, -1, -1), labels[:3], [1, 2, 1]).pixels
    assert torch.equal(same[0], same[2])
    assert not torch.equal(same[0], same[1])


def test_from_a_random_start_steps_as_wide_as_the_ball_end_on_the_same_corner() -> None:
    pixels, labels, classifier = some_pixels(), torch.ones(6, dtype=torch.int64), two_class("linear", np.ones(48) / 48)
    from_clean = LinfPGD(epsilon=0.04, step_size=0.1).perturb(classifier, pixels, labels).pixels
    from_anywhere = LinfPGD(epsilon=0.04, step_size=0.1, random_start=True).perturb(classifier, pixels, labels, range(6)).pixels
    assert torch.equal(from_clean, from_anywhere)


# Errors


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("epsilon", 8.0, r"LinfPGD\.epsilon must be in \(0, 1\] \(pixels are in \[0, 1\]\): got 8\. For 8/255 write 8/255\."),
        ("epsilon", 0.0, r"LinfPGD\.epsilon must be in \(0, 1\] .*: got 0\.$"),
        ("epsilon", -0.1, r"LinfPGD\.epsilon must be in \(0, 1\] .*: got -0\.1\.$"),
        ("epsilon", float("nan"), r"LinfPGD\.epsilon must be in \(0, 1\] .*: got nan\.$"),
        ("step_size", 2.0, r"LinfPGD\.step_size must be in \(0, 1\] .*: got 2\. For 2/255 write 2/255\."),
        ("step_size", 0.0, r"LinfPGD\.step_size must be in \(0, 1\] .*: got 0\.$"),
        ("iterations", 0, r"LinfPGD\.iterations must be at least 1: got 0\."),
    ],
)
def test_a_setting_out_of_range_is_refused_with_its_name_and_value(setting: str, value: float, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        LinfPGD(**{setting: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(("seeds", "number"), [(None, 0), ([1, 2], 2)])
def test_a_random_start_without_a_seed_for_every_image_is_refused(seeds: list[int] | None, number: int) -> None:
    with pytest.raises(InvalidValueError, match=rf"needs one seed per image: got {number} for 6 images\."):
        LinfPGD(random_start=True).perturb(blind(), some_pixels(), torch.zeros(6, dtype=torch.int64), seeds)


class _BreaksWhenMoved(nn.Module):
    """NaN near grey, but not on it."""

    def forward(self, pixels: Tensor) -> Tensor:
        shift = (pixels - 0.5).flatten(1).mean(1, keepdim=True)
        return torch.cat([shift, -shift], 1) + torch.where((shift.abs() > 1e-6) & (shift.abs() < 0.2), float("nan"), 0.0)


@pytest.mark.parametrize(("num_images", "named"), [(1, "image 1;"), (3, "image 1 and 2 more;")])
def test_logits_that_become_nan_under_attack_are_an_error_that_names_the_classifier_and_the_images(
    num_images: int, named: str
) -> None:
    classifier = Classifier(name="brittle", network=_BreaksWhenMoved().eval(), num_classes=2, transform=as_is(*SIZE))
    black, grey = torch.zeros(1, 3, *SIZE), torch.full((num_images, 3, *SIZE), 0.5)
    message = rf"brittle: the loss is not finite .* under attack on {named} check its weights"
    with pytest.raises(NotFiniteError, match=message) as caught:
        LinfPGD(iterations=2).perturb(classifier, torch.cat([black, grey]), torch.zeros(num_images + 1, dtype=torch.int64))
    assert caught.value.positions == tuple(range(1, num_images + 1))


class _NoGradientAtBlack(nn.Module):
    """Finite logits everywhere; the square root's slope at 0 is infinite, and times 0 it is NaN."""

    def forward(self, pixels: Tensor) -> Tensor:
        level = pixels.flatten(1).sum(1, keepdim=True)
        return torch.cat([level + 0 * level.sqrt(), -level], 1)


def test_a_nan_gradient_under_a_finite_loss_is_an_error_that_names_the_classifier_and_the_image() -> None:
    classifier = Classifier(name="rooted", network=_NoGradientAtBlack().eval(), num_classes=2, transform=as_is(*SIZE))
    pixels = torch.stack([torch.full((3, *SIZE), 0.5), torch.zeros(3, *SIZE)])
    with pytest.raises(NotFiniteError, match=r"rooted: the gradient is NaN under attack, .* on image 1; check its weights"):
        LinfPGD(iterations=1).perturb(classifier, pixels, torch.tensor([0, 1]))


def test_a_long_attack_in_half_precision_does_not_take_a_large_sum_of_losses_for_infinity() -> None:
    weights = np.ones(48)
    classifier = two_class("half", weights, bias=-2000.0, dtype=torch.float16)
    pixels = torch.full((3, 3, *SIZE), 0.5, dtype=torch.float16)
    attacked = LinfPGD(iterations=30).perturb(classifier, pixels, torch.ones(3, dtype=torch.int64)).pixels
    assert (attacked < pixels).all()


@settings(max_examples=25)
@given(st.integers(0, 2**31))
def test_on_a_linear_classifier_every_step_raises_the_loss(seed: int) -> None:
    generator = np.random.default_rng(seed)
    classifier = two_class("linear", generator.normal(size=48) / 20)
    pixels, labels = torch.from_numpy(generator.uniform(size=(2, 3, *SIZE))), torch.tensor([0, 1])
    losses = [
        nn.functional.cross_entropy(
            classifier.logits(LinfPGD(step_size=0.005, iterations=count).perturb(classifier, pixels, labels).pixels), labels
        ).item()
        for count in range(1, 7)
    ]
    assert all(after > before for before, after in pairwise(losses))
